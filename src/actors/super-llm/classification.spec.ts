import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specializationOf, TASK_TYPES } from '../../answers/task-types.ts';
import { classify } from './classification.ts';

/** Many ways to ask for each type; each must also be known in lower case and without its last mark. */
const PHRASINGS: Readonly<Record<string, readonly string[]>> = {
  'math.arithmetic': [
    'What is 15 × 23?',
    'What is 15 * 23?',
    'what is 15 x 23',
    'What is 15x23?',
    '15 × 23 = ?',
    '15*23',
    'Calculate 15 times 23.',
    'Compute 15 times 23.',
    'Multiply 15 by 23.',
    "What's 15 multiplied by 23?",
    'Add 3 and 4.',
    'Add 3 to 4.',
    'What is 12 + 7?',
    '12 + 7 = ?',
    'Compute 12 plus 7.',
    'Subtract 5 from 9.',
    'What is 9 - 5?',
    'What is 9-5?',
    '9 − 5',
    'Compute 9 minus 5.',
    'What is 100 / 4?',
    'What is 100 ÷ 4?',
    '100 divided by 4',
    'How much is 2 + 2?',
    'What is two plus two?',
    'fifteen times twenty-three',
    'What is the sum of 3 and 4?',
    'the product of 6 and 7',
    'What is 20% of 50?',
    'What is the square root of 16?',
    'What is 7 squared?',
    'What is half of 10?',
    'Double 21.',
    'What is 3 and 4 added?',
    'Evaluate 3 × (4 + 5).',
    'What is (3 + 4) × 5?',
    'What is -3 + 5?',
    'Tom has 3 apples and buys 4 more. How many apples does he have?',
    'If I have 3 apples and eat 1, then how many are left?',
    'What is １５ × ２３?',
    'What is {s1} × 2?',
  ],
  'knowledge.capital': [
    'What is the capital of Japan?',
    'Name the capital of Japan.',
    'Which city is the capital of Japan?',
    'Tell me the capital city of Japan.',
    'Japan: capital city?',
    "What is Japan's capital?",
    'capital of japan',
    'The capital of New Zealand is?',
    'What is the capital city of Côte d’Ivoire?',
    'Do you know the capital of South Korea?',
    'What is the capital of {s1}?',
  ],
  'knowledge.country': [
    'Tokyo is the capital of which country?',
    'Which country has Tokyo as its capital?',
    'Tokyo is the capital of what country?',
    'What country has the capital Tokyo?',
    'Of which country is Tokyo the capital?',
    'Which country is Tokyo the capital of?',
    'Name the country whose capital is Tokyo.',
    'Which country is Kyoto in?',
  ],
  'logic.comparison': [
    'Is 5 greater than 3?',
    'Is 5 less than 3?',
    'Is 5 equal to 3?',
    'Is 17 bigger than 12?',
    'Is 3 < 5?',
    'Which is larger, 5 or 3?',
    'Which number is smaller: 5 or 3?',
    'Compare 5 and 3.',
    'Is 5 more than 3?',
  ],
  'logic.deduction': [
    'If A then B. A. Is B true?',
    'If not P then Q. Not Q. Is P true?',
    'Tom is taller than Anna. Anna is taller than Ben. Who is tallest?',
    'All cats are animals. Tom is a cat. Is Tom an animal?',
    'No cats are animals. Tom is a cat. Is Tom an animal?',
    'All roses are plants. Eva is not a plant. Is Eva a rose?',
  ],
  'logic.boolean': [
    'What is true and false?',
    'What is not true?',
    'What is (true or false) and not false?',
    'true and not (false or true)',
    'Evaluate true or false.',
    'Is true and false true?',
  ],
  'logic.sequence': [
    'What comes next: 2, 4, 6, 8?',
    'what comes next 2, 4, 6, 8',
    'What is the next number: 1, 2, 4, 8?',
    'Continue the sequence 3, 6, 9, 12.',
    'Complete the series: 40, 38, 36',
    '2, 4, 6, 8, ...',
    'Which number comes next in 1, 1, 2, 3, 5?',
  ],
  'logic.parity': [
    'Is 7 even?',
    'Is 8 odd?',
    'Is 144 an even number?',
    'Is 7 even or odd?',
    'Tell me whether 12 is odd.',
    'Is 10 divisible by 2?',
    'Is {s1} even?',
  ],
  'code.write': [
    'Write a Python function that returns the square of x.',
    'Write JavaScript code that returns x in upper case.',
    'Python function returning the length of x?',
    'Give me a Python function for the sum of x.',
    'How do I return the largest item of x in Python?',
    'Implement an algorithm that sorts a list.',
    'Can you write a program that prints hello?',
    'Write a function that returns a line of text.',
    'I need a bash script to rename files.',
    'Create a SQL query for all users.',
    'Write a python function that adds 3 + 4',
  ],
  'code.evaluate': [
    'What does len([1,2,3]) return?',
    'Python: max([3,1,2])',
    'Evaluate sorted([3,1,2]).',
    "What does 'cat'.upper() return?",
    "What does 'cat'[::-1] return?",
    'What does [1,2,3][0] return?',
    'Evaluate 17 % 5.',
    'What does 17 // 5 return?',
    'Python: 17 // 5',
    'What is the output of print(1 + 2)?',
    'sum([1,2,3])',
    '[3,1,2][::-1]',
  ],
  'code.debug': [
    'Debug this Python function: def f(x): return x +',
    'Fix the bug in this code: for i in range(10) print(i)',
    'What is wrong with this function? def add(a, b): return a - b',
    'This Python script crashes. Why?',
    'My function does not work: function f() { return x }',
    'Please correct this program: print "hello"',
  ],
  'creative.sentence': [
    'Write a sentence about a cat.',
    'Tell me something about a dragon.',
    'Make up a line about a river.',
    'Begin a story about a king.',
    'Describe a castle in one sentence.',
    'write a short poem about the sea',
    'Tell me a joke.',
    'A haiku about autumn',
    'Compose a song about 3 little birds.',
    'Write a story about a program.',
    'Give me a one-line story about a fox.',
  ],
  'general.unknown': [
    'Hello',
    'banana',
    '',
    '   ',
    '?',
    '42',
    'Who wrote Hamlet?',
    'How are you?',
    'salt and pepper',
    'What happened in 1914-1918?',
    'What is a capital letter?',
    'What is capital gains tax?',
    'Call 555-1234 now',
    'What is x?',
    'Who is the oldest person in the world?',
    'Is it true?',
    '🦊🦊🦊',
    '\u0000\uFFFD\uD800',
  ],
};

describe('the task type of a request', () => {
  for (const [type, phrasings] of Object.entries(PHRASINGS)) {
    it.each(phrasings)(`is ${type} for %j`, (text) => {
      expect(classify(text)).toBe(type);
      expect(classify(text.toLowerCase())).toBe(type);
      expect(classify(`  ${text.replace(/[.?]$/, '')}\n`)).toBe(type);
    });
  }

  it('is one of the list for any text, and the same every time', () => {
    const types = new Set(TASK_TYPES.map((info) => info.type));
    const words = fc.constantFrom(
      'what',
      'is',
      '15',
      '×',
      'capital',
      'of',
      'Japan',
      'if',
      'then',
      '[',
      "'",
      'write',
      '(',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.array(words, { maxLength: 60 }).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (any) => {
        expect(types).toContain(classify(any));
        expect(classify(any)).toBe(classify(any));
      }),
    );
  });

  it.each([
    'a',
    ' ',
    '1',
    '(',
    'what is and ',
    '1, ',
    "'[",
    'is 1 ',
    'if then ',
    'write a ',
    'all ',
    '1-',
    'capital ',
    '\n',
    'é',
  ])('is found in bounded time for 128 KiB of %j', (unit) => {
    const text = unit.repeat(Math.floor((128 * 1024) / unit.length));
    const start = performance.now();
    classify(text);
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  it('is read from the first 1,000 characters and the last 300', () => {
    const request = 'what is 2 + 2';
    const at = (place: number, length: number) =>
      classify(`${'.'.repeat(place)}${request}${'.'.repeat(length - place - request.length)}`);
    expect(at(1000 - request.length, 5000)).toBe('math.arithmetic');
    expect(at(1000, 5000)).toBe('general.unknown');
    expect(at(5000 - 300, 5000)).toBe('math.arithmetic');
    expect(at(5000 - 310, 5000)).toBe('general.unknown');
    expect(at(990, 1300)).toBe('math.arithmetic');
    expect(at(990, 1301)).toBe('general.unknown');
    // What is left out separates what is left.
    expect(classify(`${'.'.repeat(999)}2${'.'.repeat(5000)}+ 2${'.'.repeat(297)}`)).toBe('math.arithmetic');
  });

  it('asks for a specialization of one of the seed species', () => {
    expect(specializationOf('math.arithmetic')).toBe('mathematical');
    expect(specializationOf('code.debug')).toBe('coding');
    expect(specializationOf('never.heard-of')).toBe('factual');
  });
});
