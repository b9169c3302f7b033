import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkArithmetic, parseArithmetic } from './maths.ts';

describe('parseArithmetic', () => {
  it.each([
    ['What is 15 × 23?', '345'],
    ['what is 15 x 23', '345'],
    ['15 times 23', '345'],
    ['Calculate 15*23.', '345'],
    ['Multiply 15 by 23.', '345'],
    ['15 × 23 = ?', '345'],
    ['add 3 and 4', '7'],
    ['Subtract 7 from 20.', '13'],
    ['The sum of 3 and 4', '7'],
    ['What is the product of 6 and 7?', '42'],
    ['What is the difference between 10 and 4?', '6'],
    ['Divide 7 by 2', '3.5'],
    ['12/5', '2.4'],
    ['1 / 3', '1/3'],
    ['calculate 3 * (4+5)', '27'],
    ['What is 1,000 + 2?', '1002'],
    ['What is 0.1 + 0.2?', '0.3'],
    ['What is 5 - 9?', '-4'],
    ['2 − −3', '5'],
    ['-2^2', '-4'],
    ['What is 2 to the power of 10?', '1024'],
    ['2 ** 3', '8'],
    ['9 squared', '81'],
    ['What is 20% of 50?', '10'],
    ['2^-2', '0.25'],
    ['10-2-3', '5'],
    ['how much does 15 + 53 make', '68'],
    ['What does 91 ×  58 equal?', '5278'],
    ['What  is the sum of 6 and 2', '8'],
  ])('reads "%s" as %s', (question, expected) => {
    expect(parseArithmetic(question)?.expected).toBe(expected);
  });

  it.each([
    'What is the capital of Japan?',
    'What is 15 × 23, and what is the capital of Japan?',
    'What is 5?',
    'Is 3 + 4 = 7?',
    'What is 1/0?',
    '0^-1',
    '2^0.5',
    '2^3^2',
    '9^9^9^9',
    '((9^99)^99)^99',
    '2024-05-01',
    '24/12/2024',
    '0x10',
    '3 + foo(4)',
    'import("fs") + 1',
    '(((',
    '3 +',
    '2(3)',
    '',
    `${'9'.repeat(150)}+1`,
    `1+${'1+'.repeat(200)}1`,
  ])('leaves "%s" alone', (question) => {
    expect(parseArithmetic(question)).toBeNull();
  });

  it('is exact for integers of any sign and all three total operations', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 18n), 10n ** 18n), fc.bigInt(-(10n ** 18n), 10n ** 18n), (a, b) => {
        expect(parseArithmetic(`What is ${a} + ${b}?`)?.expected).toBe(String(a + b));
        expect(parseArithmetic(`What is ${a} - ${b}?`)?.expected).toBe(String(a - b));
        expect(parseArithmetic(`What is ${a} * ${b}?`)?.expected).toBe(String(a * b));
      }),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d+*/^().x -]{0,80}$/)), (text) => {
        const claim = parseArithmetic(text);
        expect(claim === null || /^[-\d./]+$/.test(claim.expected)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('checkArithmetic', () => {
  it.each([
    ['What is 15 × 23?', '345', 'correct'],
    ['What is 15 × 23?', '15*3:5400 15*20:0030 0+5=5,0+4=4,3+0=3,0+0=0:345', 'correct'],
    ['What is 15 × 23?', 'The answer is 345.', 'correct'],
    ['What is 15 × 23?', '335', 'incorrect'],
    ['What is 15 × 23?', 'banana', 'incorrect'],
    ['What is 15 × 23?', '', 'not-applicable'],
    ['12/5', '2.4', 'correct'],
    ['12/5', '12/5', 'correct'],
    ['1/3', '0.333', 'correct'],
    ['1/3', '0.3', 'incorrect'],
    ['1/3', '0.334', 'incorrect'],
    ['What is 1000 + 1?', '1,001', 'correct'],
    ['2^200', String(2n ** 200n), 'correct'],
    ['2^200', '7', 'incorrect'],
    ['What is the capital of Japan?', 'Tokyo', 'not-applicable'],
  ])('"%s" answered "%s" is %s', (question, answer, verdict) => {
    expect(checkArithmetic(question, answer)).toBe(verdict);
  });
});
