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
    ['knowledge.capital', 'Tokyo', 'not-applicable'],
    ['knowledge.capital', ' ', 'fail'],
    ['math.arithmetic', "I don't know", 'not-applicable'],
  ])('in %s finds the format of "%s" %s', (taskType, text, expected) => {
    expect(verdict('format', { prompt: 'Go.', taskType, stakes: 'normal' }, given(text))).toBe(expected);
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
