import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAnswers } from './equivalence.ts';
import { extractAnswer, isOpenEnded, taskFamily } from './extraction.ts';

const TASK_TYPES = [
  'math.arithmetic',
  'knowledge.capital',
  'knowledge.country',
  'logic.comparison',
  'logic.sequence',
  'logic.deduction',
  'code.write',
  'code.evaluate',
  'creative.sentence',
  'general.unknown',
];

describe('extractAnswer', () => {
  it.each([
    // numbers: the working is left behind
    ['math.arithmetic', '15*3:5400 15*20:0030 0+5=5,0+4=4,3+0=3,0+0=0:345', 'number', '345'],
    ['math.arithmetic', '12*20=240', 'number', '240'],
    ['math.arithmetic', '100-250 2+1=3:-150', 'number', '-150'],
    ['math.arithmetic', '345', 'number', '345'],
    ['math.arithmetic', 'The answer is 345.', 'number', '345'],
    ['math.word-problem', 'She has 16 - 3 = <<16-3=13>>13 eggs\nA: 26', 'number', '26'],
    ['math.word-problem', 'So 5 * 200 = 1000.\n#### 1,000', 'number', '1000'],
    ['math.word-problem', 'Therefore \\boxed{42} is it', 'number', '42'],
    ['math.word-problem', 'He drives 5 km', 'number', '5 km'],
    ['math.word-problem', 'She pays $26 in total', 'number', '26'],
    ['math.word-problem', 'It takes 5 in total', 'number', '5'],
    ['math.arithmetic', '15*3:5400 15*20:', 'none', ''],
    ['math.arithmetic', 'banana', 'text', 'banana'],
    ['math.arithmetic', '2+3=5:', 'none', ''],
    ['math.arithmetic', '7=', 'none', ''],
    ['math.word-problem', 'x = 5 and then 6', 'number', '5'],
    ['math.word-problem', '2 + 3 = five', 'number', '3'],
    ['math.word-problem', 'Answer: 5 of 6', 'number', '5'],
    ['math.word-problem', 'a:6\n#### 7 pears and 8 plums', 'number', '7'],
    ['math.word-problem', '#### 7\n#### ', 'number', '7'],
    ['math.word-problem', 'The final answer is: 7', 'number', '7'],
    ['math.word-problem', 'My correct answer = 7, not 8', 'number', '7'],
    ['math.word-problem', 'final answer : 7, not 8', 'number', '7'],
    ['math.word-problem', 'It is \\boxed{7} or 8}', 'number', '7'],
    ['math.arithmetic', 'yes', 'truth', 'yes'],
    ['math.arithmetic', '(1, 2)', 'list', '(1, 2)'],
    ['math.arithmetic', '(1)', 'number', '1'],
    // names
    ['knowledge.capital', 'Paris', 'name', 'Paris'],
    ['knowledge.capital', 'Paris.', 'name', 'Paris'],
    ['knowledge.capital', '**Paris**', 'name', 'Paris'],
    ['knowledge.capital', 'The capital is Paris', 'name', 'Paris'],
    ['knowledge.capital', 'Paris is the capital', 'name', 'Paris'],
    ['knowledge.capital', 'The capital of France is Paris.', 'name', 'Paris'],
    ['knowledge.capital', "Canberra is Australia's capital.", 'name', 'Canberra'],
    ['knowledge.capital', "It's Paris, of course!", 'name', 'Paris'],
    ['knowledge.capital', 'The Hague', 'name', 'The Hague'],
    ['knowledge.capital', 'Addis Ababa', 'name', 'Addis Ababa'],
    ['knowledge.capital', 'Tokyo (Japan)', 'name', 'Tokyo'],
    ['knowledge.country', 'Tokyo is the capital of Japan.', 'name', 'Japan'],
    ['knowledge.country', 'The capital of Japan is Tokyo.', 'name', 'Japan'],
    ['knowledge.country', 'Japan has Tokyo as its capital.', 'name', 'Japan'],
    ['knowledge.country', 'South Korea', 'name', 'South Korea'],
    ['knowledge.country', 'The capital city of the Czech Republic is Prague.', 'name', 'the Czech Republic'],
    ['knowledge.country', 'Lima is the capital of Peru, as you know', 'name', 'Peru'],
    ['knowledge.country', 'Peru has Lima for a capital', 'name', 'Peru'],
    ['knowledge.country', 'It is Peru', 'name', 'Peru'],
    ['knowledge.capital', 'Peru has Lima for a capital', 'text', 'Peru has Lima for a capital'],
    ['knowledge.capital', 'Lima; I am sure', 'name', 'Lima'],
    ['knowledge.capital', '"Lima"', 'name', 'Lima'],
    ['knowledge.capital', "'Lima'", 'name', 'Lima'],
    ['knowledge.capital', '`Lima`', 'name', 'Lima'],
    ['knowledge.capital', '*Lima*', 'name', 'Lima'],
    ['knowledge.capital', 'Lima!', 'name', 'Lima'],
    ['knowledge.capital', 'Lima...', 'name', 'Lima'],
    ['knowledge.capital', 'That is Lima', 'name', 'Lima'],
    ['knowledge.capital', 'Lima is a city', 'name', 'Lima'],
    ['knowledge.capital', 'Lima is one', 'name', 'Lima'],
    ['knowledge.capital', 'An answer is Lima', 'name', 'Lima'],
    ['knowledge.capital', 'Their word is Lima', 'name', 'Lima'],
    ['knowledge.capital', 'Lima is Peru', 'text', 'Lima is Peru'],
    ['knowledge.capital', 'The best is the rest', 'text', 'The best is the rest'],
    ['knowledge.capital', 'a b c d e', 'name', 'a b c d e'],
    ['knowledge.capital', 'a b c d e f', 'text', 'a b c d e f'],
    ['knowledge.capital', 'I thought about this for quite long. It is Lima.', 'name', 'Lima'],
    ['knowledge.capital', 'a b c d e f g! Lima? h i j k l m', 'text', 'a b c d e f g! Lima? h i j k l m'],
    ['knowledge.capital', 'unknown city', 'name', 'unknown city'],
    ['knowledge.capital', 'idkfa', 'name', 'idkfa'],
    ['knowledge.capital', 'the unknown', 'name', 'the unknown'],
    ['knowledge.capital', 'see A: Lima', 'name', 'see A: Lima'],
    ['knowledge.capital', 'Well\n A : Lima', 'name', 'Lima'],
    ['knowledge.capital', 'Lima, I do not know why', 'name', 'Lima'],
    // choices
    ['knowledge.law', 'J', 'choice', 'J'],
    ['knowledge.law', 'B.', 'choice', 'B'],
    ['knowledge.law', 'B: void', 'choice', 'B'],
    ['knowledge.law', '(J) void', 'choice', 'J'],
    ['knowledge.law', 'b', 'name', 'b'],
    ['knowledge.law', 'K', 'name', 'K'],
    ['knowledge.law', 'Bad', 'name', 'Bad'],
    ['knowledge.law', 'B.C', 'name', 'B.C'],
    ['knowledge.law', 'void (b)', 'name', 'void'],
    ['knowledge.law', 'B', 'choice', 'B'],
    ['knowledge.law', '(b)', 'choice', 'B'],
    ['knowledge.law', 'C) It is void', 'choice', 'C'],
    ['knowledge.law', 'The correct answer is D.', 'choice', 'D'],
    // truths
    ['logic.comparison', 'yes', 'truth', 'yes'],
    ['logic.comparison', 'Yes, 17 is greater than 12.', 'truth', 'yes'],
    ['logic.boolean', 'False', 'truth', 'false'],
    ['logic.boolean', 'The statement is not true.', 'truth', 'false'],
    ['logic.deduction', 'unknown', 'truth', 'unknown'],
    ['logic.deduction', 'It cannot be determined.', 'truth', 'unknown'],
    ['logic.deduction', 'Anna', 'name', 'Anna'],
    ['logic.deduction', 'Eva>Bob>Zoe:Zoe', 'name', 'Zoe'],
    ['logic.boolean', 'not true=false', 'truth', 'false'],
    ['logic.comparison', '0=0,1<3:yes', 'truth', 'yes'],
    ['logic.sequence', '+4 14+4:18', 'number', '18'],
    ['logic.deduction', 'The tallest is Anna.', 'name', 'Anna'],
    ['logic.sequence', '10', 'number', '10'],
    ['logic.sequence', 'The next number is 10', 'number', '10'],
    ['logic.sequence', 'It is Anna', 'name', 'Anna'],
    ['logic.deduction', 'It is 10', 'name', '10'],
    ['logic.boolean', 'YES', 'truth', 'yes'],
    ['logic.boolean', 'no; never', 'truth', 'no'],
    ['logic.boolean', 'yesterday', 'name', 'yesterday'],
    ['logic.boolean', 'It is not false', 'truth', 'true'],
    ['logic.boolean', 'They are not yes', 'truth', 'false'],
    ['logic.boolean', 'It is not no!', 'truth', 'true'],
    ['logic.boolean', 'A and B; so, true', 'truth', 'true'],
    ['logic.boolean', 'A and B and therefore: false', 'truth', 'false'],
    ['logic.boolean', 'A and B, hence no', 'truth', 'no'],
    ['logic.boolean', 'it is true that', 'name', 'true that'],
    ['logic.deduction', 'undetermined', 'truth', 'unknown'],
    ['logic.deduction', 'it is unknown', 'truth', 'unknown'],
    ['logic.deduction', 'This cannot be known', 'truth', 'unknown'],
    ['logic.deduction', "It can't be decided.", 'truth', 'unknown'],
    ['logic.deduction', 'can not be determined', 'truth', 'unknown'],
    ['logic.deduction', 'unknowns', 'name', 'unknowns'],
    ['logic.deduction', 'the unknown', 'name', 'the unknown'],
    ['knowledge.law', 'It cannot be determined.', 'name', 'It cannot be determined'],
    // code
    ['code.write', 'def f(x): return x * x', 'code', 'def f(x): return x * x'],
    ['code.write', 'Sure:\n```python\ndef f(x):\n  return x\n```\nDone.', 'code', 'def f(x):\n  return x'],
    ['code.evaluate', '[3,2,1]', 'list', '[3,2,1]'],
    ['code.evaluate', "'CAT'", 'code', "'CAT'"],
    ['code.evaluate', 'It returns 5.', 'number', '5'],
    ['code.evaluate', 'True', 'code', 'True'],
    ['code.evaluate', 'None', 'code', 'None'],
    ['code.evaluate', 'It evaluates to [1,  2]', 'list', '[1, 2]'],
    ['code.evaluate', 'It prints `7`.', 'number', '7'],
    ['code.evaluate', 'It outputs B', 'code', 'B'],
    ['code.evaluate', 'This gives {1, 2}', 'list', '{1, 2}'],
    ['code.evaluate', '"cat"', 'code', '"cat"'],
    ['code.evaluate', 'yes', 'code', 'yes'],
    ['code.write', 'x = 1  \n  y = 2\t\n', 'code', 'x = 1\n  y = 2'],
    ['code.write', '```c++ \nint x;', 'code', 'int x;'],
    ['code.debug', 'A: 5', 'code', 'A: 5'],
    // the rest
    ['creative.sentence', 'The quiet cat dreams of the sea.', 'text', 'The quiet cat dreams of the sea.'],
    ['general.list', 'red, green and blue, black', 'list', 'red, green and blue, black'],
    ['general.list', 'red, green', 'name', 'red, green'],
    ['general.list', 'red, , blue', 'name', 'red, , blue'],
    ['general.list', 'a, b, c d e', 'list', 'a, b, c d e'],
    ['general.list', 'a, b, c d e f', 'text', 'a, b, c d e f'],
    ['general.list', '[1]', 'list', '[1]'],
    ['general.list', '{a\nb}', 'name', '{a\nb}'],
    ['general.unknown', 'Cuba', 'name', 'Cuba'],
    ['general.unknown', 'a b c d e f.', 'text', 'a b c d e f.'],
    ['general.unknown', 'a b c d e', 'name', 'a b c d e'],
    ['general.unknown', 'Cuba is big.', 'text', 'Cuba is big.'],
    ['general.unknown', 'x'.repeat(32_768), 'name', 'x'.repeat(32_768)],
    ['general.unknown', 'x'.repeat(32_769), 'text', 'x'.repeat(32_769)],
    ['creative.sentence', 'A: 5', 'text', 'A: 5'],
  ])('finds in %s "%s" the %s "%s"', (taskType, text, kind, value) => {
    expect(extractAnswer(text, taskType)).toMatchObject({ kind, value });
  });

  it.each([
    '',
    '   ',
    "I don't know",
    'I don’t know.',
    'I do not know the answer.',
    "I'm not sure",
    'Sorry, I cannot answer that.',
    'no idea',
    'A: unknown',
    'A: idk',
    'unknown',
    'n/a',
    'It is unknown.',
    "I really don't know",
    "I don't have it",
    "don't know",
    'Do not know.',
    'not sure',
    'idk',
    'Hm, I am unsure',
    'hmm. I cannot tell',
    "Sorry! I can't say.",
    "I am sorry, but I couldn't help",
    "I'm sorry I could not determine it",
    'Unfortunately, I am unable to',
    'unfortunately I am not certain',
    'I am not able to know',
    '???',
  ])('takes "%s" for an abstention', (text) => {
    expect(extractAnswer(text, 'knowledge.capital')).toEqual({ kind: 'none', value: '' });
  });

  it.each([
    ['knowledge.capital', 'Paris.', undefined],
    ['knowledge.capital', 'The capital is Paris.', 'capital is paris'],
    ['logic.boolean', 'false', undefined],
    ['logic.boolean', 'It is not true.', 'it is not true'],
  ])('keeps in %s the words around the answer of "%s"', (taskType, text, sentence) => {
    expect(extractAnswer(text, taskType).sentence).toBe(sentence);
  });

  it('goes by the family of a task, of which creative tasks have many right answers', () => {
    expect(['math.arithmetic', 'general'].map(taskFamily)).toEqual(['math', 'general']);
    expect(['creative.poem', 'code.write'].map(isOpenEnded)).toEqual([true, false]);
  });

  it('agrees with itself when applied to its own value, for any text and task type', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.lorem({ mode: 'sentences', maxCount: 2 }),
          fc.integer().map(String),
          fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        ),
        fc.constantFrom(...TASK_TYPES),
        (text, taskType) => {
          const { kind, value } = extractAnswer(text, taskType);
          const again = extractAnswer(value, taskType);
          expect(again.value === value || compareAnswers(again, { kind, value }) !== 'different').toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('takes any text at all', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.string(),
        fc.constantFrom(...TASK_TYPES),
        (left, right, taskType) => {
          const [a, b] = [extractAnswer(left, taskType), extractAnswer(right, taskType)];
          expect(a.value === '').toBe(a.kind === 'none');
          expect(compareAnswers(a, b)).toBe(compareAnswers(b, a));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('stays quick on long hostile texts', () => {
    const texts = [
      'is '.repeat(40_000),
      '1,'.repeat(60_000),
      'A:'.repeat(60_000),
      '['.repeat(100_000),
      '"'.repeat(100_000),
      '\n '.repeat(15_000),
      'a 1 '.repeat(8_000),
      "x's ".repeat(8_000),
    ];
    for (const text of texts) {
      for (const taskType of TASK_TYPES) {
        const started = performance.now();
        const found = extractAnswer(text, taskType);
        compareAnswers(found, extractAnswer(`${text}x`, taskType));
        expect(performance.now() - started, `${taskType} ${text.slice(0, 8)}`).toBeLessThan(5_000);
      }
    }
  });
});
