import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckedAnswer, CheckedSubtask, CheckKind } from './checks.ts';
import { checkAnswer } from './checks.ts';

const maths: CheckedSubtask = { prompt: 'What is 15 × 23?', taskType: 'math.arithmetic', stakes: 'normal' };
const capital: CheckedSubtask = {
  prompt: 'What is the capital of Japan?',
  taskType: 'knowledge.capital',
  stakes: 'normal',
};

function given(text: string, more: Partial<CheckedAnswer> = {}): CheckedAnswer {
  return { text, confidence: 0.9, ballots: 3, agreement: 1, ...more };
}

function verdict(check: CheckKind, subtask: CheckedSubtask, answer: CheckedAnswer): string | undefined {
  return checkAnswer(subtask, answer, 0.5).find((each) => each.check === check)?.verdict;
}

describe('checkAnswer', () => {
  it('passes a right, confident, agreed answer in every respect that applies', () => {
    expect(checkAnswer(maths, given('345'), 0.5).map(({ check, verdict }) => [check, verdict])).toEqual([
      ['redundancy', 'pass'],
      ['arithmetic', 'pass'],
      ['quality-gate', 'pass'],
      ['format', 'pass'],
    ]);
  });

  it('computes what arithmetic decides, however sure and agreed the models are', () => {
    expect(verdict('arithmetic', maths, given('335', { confidence: 0.99 }))).toBe('fail');
    expect(verdict('arithmetic', maths, given("I don't know"))).toBe('not-applicable');
    expect(verdict('arithmetic', capital, given('Tokyo'))).toBe('not-applicable');
  });

  it('never tells the right answer', () => {
    for (const { reason } of checkAnswer(maths, given('335'), 0.5)) expect(reason).not.toContain('345');
  });

  it('holds back what is less sure than asked for', () => {
    expect(verdict('quality-gate', capital, given('Tokyo', { confidence: 0.5 }))).toBe('pass');
    expect(verdict('quality-gate', capital, given('Tokyo', { confidence: 0.49 }))).toBe('fail');
  });

  it('wants a majority, or at normal stakes a confident minority', () => {
    const minority = { agreement: 1 / 3 };
    expect(verdict('redundancy', capital, given('Tokyo', { agreement: 2 / 3 }))).toBe('pass');
    expect(verdict('redundancy', capital, given('Tokyo', { ...minority, confidence: 0.8 }))).toBe('pass');
    expect(verdict('redundancy', capital, given('Tokyo', { ...minority, confidence: 0.4 }))).toBe('fail');
    expect(verdict('redundancy', { ...capital, stakes: 'high' }, given('Tokyo', minority))).toBe('fail');
  });

  it('has nothing to compare in one ballot, which at high stakes is a failure', () => {
    const one = given('Tokyo', { ballots: 1 });
    expect(verdict('redundancy', capital, one)).toBe('not-applicable');
    expect(verdict('redundancy', { ...capital, stakes: 'high' }, one)).toBe('fail');
  });

  it('asks no agreement of open-ended tasks', () => {
    const poem: CheckedSubtask = { prompt: 'Write a line.', taskType: 'creative.sentence', stakes: 'normal' };
    expect(verdict('redundancy', poem, given('The cat sings.', { agreement: 1 / 3 }))).toBe('not-applicable');
  });

  it.each([
    ['math.word-problem', 'banana', 'fail'],
    ['math.word-problem', '42', 'pass'],
    ['logic.comparison', 'yes', 'pass'],
    ['logic.comparison', '7', 'fail'],
    ['logic.sequence', '10', 'pass'],
    ['code.write', 'def f(x): return (x * x)', 'pass'],
    ['code.write', 'def f(x): return (x * x', 'fail'],
    ['code.write', "def f(x): return x + ')'", 'pass'],
    ['code.write', String.raw`f("\")", '\')')`, 'pass'],
    ['code.write', 'f("(") + g(\')\')', 'pass'],
    ['code.write', `f("a)", 'a)')`, 'pass'],
    ['code.write', 'f(x))', 'fail'],
    ['code.write', 'f{x}[0]', 'pass'],
    ['logic.boolean', '7', 'fail'],
    ['logic.boolean', 'yes', 'pass'],
    ['logic.parity', 'yes', 'pass'],
    ['logic.sequence', 'yes', 'fail'],
    ['knowledge.capital', 'Tokyo', 'not-applicable'],
    ['knowledge.capital', ' ', 'fail'],
    ['math.arithmetic', "I don't know", 'not-applicable'],
  ])('in %s finds the format of "%s" %s', (taskType, text, expected) => {
    expect(verdict('format', { prompt: 'Go.', taskType, stakes: 'normal' }, given(text))).toBe(expected);
  });

  const poem = { prompt: 'Write a line.', taskType: 'creative.sentence' };
  it.each<[CheckKind, string, Partial<CheckedSubtask>, CheckedAnswer]>([
    [
      'redundancy',
      'High stakes need at least two Nodes, and one has answered.',
      { stakes: 'high' },
      given('Tokyo', { ballots: 1 }),
    ],
    [
      'redundancy',
      'One Node has answered, so there is nothing to compare.',
      {},
      given('Tokyo', { ballots: 1 }),
    ],
    ['redundancy', 'The task has no single right answer to agree on.', poem, given('Cats.', { ballots: 2 })],
    ['redundancy', '2 of 3 Nodes gave this answer.', {}, given('Tokyo', { agreement: 0.66 })],
    [
      'redundancy',
      "1 of 2 Nodes gave this answer, and their record outweighs the others'.",
      {},
      given('Tokyo', { ballots: 2, agreement: 0.5, confidence: 0.5 }),
    ],
    [
      'redundancy',
      'Only 1 of 3 Nodes gave this answer.',
      { stakes: 'high' },
      given('Tokyo', { agreement: 0.33 }),
    ],
    ['arithmetic', 'Computing the question gives the same value.', maths, given('345')],
    ['arithmetic', 'Computing the question gives another value.', maths, given('335')],
    ['arithmetic', 'Arithmetic alone does not decide this.', {}, given('Tokyo')],
    [
      'quality-gate',
      'The confidence is 0.50, and 0.50 is asked for.',
      {},
      given('Tokyo', { confidence: 0.5 }),
    ],
    [
      'quality-gate',
      'The confidence is only 0.25, and 0.50 is asked for.',
      {},
      given('Tokyo', { confidence: 0.25 }),
    ],
    ['format', 'The answer is empty.', {}, given(' ')],
    ['format', 'The answer is an abstention.', {}, given("I don't know")],
    ['format', 'All brackets of the code are closed.', { taskType: 'code.write' }, given('f([x])')],
    ['format', 'The code has a bracket without its partner.', { taskType: 'code.write' }, given('f([x)]')],
    ['format', 'Any form will do for this task.', {}, given('Tokyo')],
    ['format', 'The answer is a number, as it should be.', maths, given('345')],
    ['format', 'The answer should be a truth and is a number.', { taskType: 'logic.parity' }, given('7')],
  ])('says of %s: %s', (check, reason, subtask, answer) => {
    const found = checkAnswer({ ...capital, ...subtask }, answer, 0.5).find((each) => each.check === check);
    expect(found?.reason).toBe(reason);
  });

  it('gives the four checks for any input', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.constantFrom('math.arithmetic', 'code.write', 'general.unknown'),
        (prompt, text, taskType) => {
          const checks = checkAnswer({ prompt, taskType, stakes: 'high' }, given(text), 0.7);
          expect(checks.map((each) => each.check)).toEqual([
            'redundancy',
            'arithmetic',
            'quality-gate',
            'format',
          ]);
        },
      ),
    );
  });
});
