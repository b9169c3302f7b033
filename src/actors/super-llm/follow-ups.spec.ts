import { expect, it } from 'vitest';
import { continueFrom, isWordy } from './follow-ups.ts';

const MATHS = 'math.arithmetic';
const CAPITAL = 'knowledge.capital';

it.each([
  ['Multiply it by 2.', MATHS, 'What is {s1} × 2?'],
  ['multiply the result with -2.5', MATHS, 'What is {s1} × -2.5?'],
  ['multiply by 1,000!?', MATHS, 'What is {s1} × 1,000?'],
  ['times 3', MATHS, 'What is {s1} × 3?'],
  ['divide that by 3', MATHS, 'What is {s1} ÷ 3?'],
  ['divide by 3', MATHS, 'What is {s1} ÷ 3?'],
  ['add 3', MATHS, 'What is {s1} + 3?'],
  ['plus 3', MATHS, 'What is {s1} + 3?'],
  ['add 3 to the sum', MATHS, 'What is {s1} + 3?'],
  ['Subtract 3 from it', MATHS, 'What is {s1} - 3?'],
  ['take away 3', MATHS, 'What is {s1} - 3?'],
  ['minus 3 from the total', MATHS, 'What is {s1} - 3?'],
  ['double', MATHS, 'What is {s1} × 2?'],
  ['double the number', MATHS, 'What is {s1} × 2?'],
  ['triple it', MATHS, 'What is {s1} × 3?'],
  ['halve that', MATHS, 'What is {s1} ÷ 2?'],
  ['square this', MATHS, 'What is {s1} × {s1}?'],
  ['add 3', CAPITAL, 'What is {s1} + 3?'],
  ['add 3', 'code.write', null],
  ['then add 3', MATHS, null],
  ['add 3 apples', MATHS, null],
  [`add 3${'.'.repeat(95)}`, MATHS, 'What is {s1} + 3?'],
  [`add 3${'.'.repeat(96)}`, MATHS, null],
  ['Tell a joke about the result.', 'code.write', 'Tell a joke about {s1}.'],
  ['What of the previous answer?', CAPITAL, 'What of {s1}?'],
  ['Where is that city?', CAPITAL, 'Where is {s1}?'],
  ['Is this number odd?', MATHS, 'Is {s1} odd?'],
  ['Is it odd?', MATHS, 'Is {s1} odd?'],
  ['Is the sum odd?', MATHS, 'Is {s1} odd?'],
  ['Is it odd?', 'logic.parity', null],
  ['Is it nice?', MATHS, null],
  ['Is 7 odd?', MATHS, null],
  ['What is the capital of the country?', 'knowledge.country', 'What is the capital of {s1}?'],
])('%j after %s becomes %j', (prompt, before, expected) => {
  expect(continueFrom(prompt, before, 's1')).toBe(expected);
});

it('takes code and stories for wordy', () => {
  const types = ['code.write', 'creative.sentence', MATHS, 'my.code.write', 'my.creative.text'];
  expect(types.filter(isWordy)).toEqual(['code.write', 'creative.sentence']);
});
