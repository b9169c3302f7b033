import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAnswers } from './equivalence.ts';
import { extractAnswer } from './extraction.ts';

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
    // choices
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
    // code
    ['code.write', 'def f(x): return x * x', 'code', 'def f(x): return x * x'],
    ['code.write', 'Sure:\n```python\ndef f(x):\n  return x\n```\nDone.', 'code', 'def f(x):\n  return x'],
    ['code.evaluate', '[3,2,1]', 'list', '[3,2,1]'],
    ['code.evaluate', "'CAT'", 'code', "'CAT'"],
    ['code.evaluate', 'It returns 5.', 'number', '5'],
    ['code.evaluate', 'True', 'code', 'True'],
    ['code.evaluate', 'None', 'code', 'None'],
    // the rest
    ['creative.sentence', 'The quiet cat dreams of the sea.', 'text', 'The quiet cat dreams of the sea.'],
    ['general.list', 'red, green and blue, black', 'list', 'red, green and blue, black'],
    ['general.unknown', 'Cuba', 'name', 'Cuba'],
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
    '???',
  ])('takes "%s" for an abstention', (text) => {
    expect(extractAnswer(text, 'knowledge.capital')).toEqual({ kind: 'none', value: '' });
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

describe('compareAnswers', () => {
  it.each([
    ['math.arithmetic', '345', '15*3:5400 15*20:0030 …:345', 'exact'],
    ['math.arithmetic', '1,000', '1000', 'exact'],
    ['math.arithmetic', '1e3', '1000', 'equivalent'],
    ['math.arithmetic', '0.5', '1/2', 'equivalent'],
    ['math.arithmetic', '5 km', '5000 m', 'equivalent'],
    ['math.arithmetic', '60 min', '1 hour', 'equivalent'],
    ['math.arithmetic', '5 km', '5 kg', 'different'],
    ['math.arithmetic', '5 km', '5', 'semantic'],
    ['math.arithmetic', '50%', '0.5', 'different'],
    ['math.arithmetic', '345', '346', 'different'],
    ['math.arithmetic', '345', '-345', 'different'],
    ['knowledge.capital', 'Paris', 'Paris', 'exact'],
    ['knowledge.capital', 'Brasília', 'brasilia', 'equivalent'],
    ['knowledge.capital', 'The capital is Paris', 'Paris is the capital', 'semantic'],
    ['knowledge.capital', 'Paris', 'The capital of France is Paris.', 'semantic'],
    ['knowledge.capital', 'Paris', 'London', 'different'],
    ['knowledge.capital', 'Mexico City', 'Mexico', 'different'],
    ['logic.boolean', 'yes', 'true', 'equivalent'],
    ['logic.boolean', 'no', 'yes', 'different'],
    ['logic.deduction', 'unknown', 'no', 'different'],
    ['code.evaluate', '[1,2]', '[1, 2]', 'equivalent'],
    ['code.evaluate', '[1,2]', '[2,1]', 'different'],
    ['code.evaluate', '{1,2}', '{2,1}', 'equivalent'],
    ['code.evaluate', "'CAT'", '"CAT"', 'equivalent'],
    ['code.evaluate', "'CAT'", "'cat'", 'different'],
    ['code.write', 'def f(x): return x*x', 'def f(x):  return x * x  # square', 'equivalent'],
    ['code.write', 'def f(x):\n  return x', 'def f(x):\n\n    return x', 'equivalent'],
    ['code.write', 'if a:\n  b\nc', 'if a:\n  b\n  c', 'different'],
    ['code.write', 'def f(x): return x // 2', 'def f(x): return x // 3', 'different'],
    ['code.write', 'const f = (x) => x; // id', 'const f = (x) => x', 'equivalent'],
    ['general.list', 'red, green, blue', 'blue, red, green', 'equivalent'],
    ['general.list', '2, 4, 6', '6, 4, 2', 'different'],
    ['general.unknown', 'The tallest building is the tower', 'The tower is the tallest building', 'semantic'],
    ['general.unknown', 'Paris is bigger than London', 'London is bigger than Paris', 'different'],
    ['knowledge.capital', "I don't know", "I don't know", 'different'],
    ['knowledge.capital', "I don't know", 'Paris', 'different'],
  ])('in %s: "%s" and "%s" are %s', (taskType, left, right, expected) => {
    const [a, b] = [extractAnswer(left, taskType), extractAnswer(right, taskType)];
    expect(compareAnswers(a, b)).toBe(expected);
    expect(compareAnswers(b, a)).toBe(expected);
  });

  it('knows numbers by their value, however they are written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 99 }), (n, k) => {
        const plain = extractAnswer(String(n), 'math.arithmetic');
        for (const form of [n.toLocaleString('en-US'), `${n}.0`, `${n * k}/${k}`, `${n}e0`]) {
          expect(compareAnswers(plain, extractAnswer(form, 'math.arithmetic'))).toMatch(/exact|equivalent/);
        }
        expect(compareAnswers(plain, extractAnswer(String(n + k), 'math.arithmetic'))).toBe('different');
      }),
    );
  });
});
