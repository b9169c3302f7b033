import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Part } from './planner.ts';
import { synthesise, validate } from './synthesis.ts';

const QUESTION = 'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.';
const MATHS: Part = {
  key: 's1',
  prompt: 'What is 15 × 23?',
  taskType: 'math.arithmetic',
  answer: '345',
  confidence: 0.9,
};
const CAPITAL: Part = {
  key: 's2',
  prompt: 'What is the capital of Japan?',
  taskType: 'knowledge.capital',
  answer: 'Tokyo',
  confidence: 0.8,
};
const CAT: Part = {
  key: 's3',
  prompt: 'Write a sentence about a cat.',
  taskType: 'creative.sentence',
  answer: 'The quiet cat dreams of the sea.',
  confidence: 1,
};
const unknown = (part: Part): Part => ({ ...part, answer: null, confidence: 0 });

describe('the synthesis', () => {
  it('of a single part is its answer', () => {
    expect(synthesise('What is 15 × 23?', [MATHS])).toEqual({ answer: '345', confidence: 0.9, missing: [] });
  });

  it('of several parts puts each answer behind what was asked, in order', () => {
    const { answer, confidence, missing } = synthesise(QUESTION, [MATHS, CAPITAL, CAT]);
    expect(answer).toBe(
      'What is 15 × 23? 345\nWhat is the capital of Japan? Tokyo\nWrite a sentence about a cat. The quiet cat dreams of the sea.',
    );
    expect(confidence).toBeCloseTo(0.72, 12);
    expect(missing).toEqual([]);
  });

  it('names what nobody knew', () => {
    const { answer, confidence, missing } = synthesise(QUESTION, [MATHS, unknown(CAPITAL), CAT]);
    expect(answer).toContain("I don't know: What is the capital of Japan?");
    expect(confidence).toBeCloseTo(0.9, 12);
    expect(missing).toEqual(['s2']);
  });

  it('is no answer at all when nobody knew anything', () => {
    expect(synthesise(QUESTION, [unknown(MATHS), unknown(CAT)])).toEqual({
      answer: null,
      confidence: 0,
      missing: ['s1', 's3'],
    });
  });

  it('shows what a chain really asked', () => {
    const next: Part = { ...MATHS, key: 's2', prompt: 'What is {s1} × 2?', answer: '690' };
    expect(synthesise('…', [MATHS, next]).answer).toBe('What is 15 × 23? 345\nWhat is 345 × 2? 690');
  });

  it('puts an answer of several lines under its question', () => {
    const code: Part = { ...CAT, prompt: 'Write a function.', answer: 'def f(x):\n  return x' };
    expect(synthesise('…', [MATHS, code]).answer).toContain('Write a function.\ndef f(x):\n');
  });

  it('repeats no more than the beginning of a long question', () => {
    const long = (length: number): Part => ({ ...CAT, prompt: 'x'.repeat(length), answer: 'y' });
    expect(synthesise('', [MATHS, long(300), long(301)]).answer).toBe(
      `What is 15 × 23? 345\n${'x'.repeat(300)} y\n${'x'.repeat(300)}… y`,
    );
    expect(synthesise('', [MATHS, unknown(long(301))]).answer).toContain(`know: ${'x'.repeat(300)}…`);
  });

  it('passes its own validation for any parts with whole answers', () => {
    const part = fc.record({
      prompt: fc.string(),
      taskType: fc.constantFrom('general.unknown', 'creative.sentence'),
      answer: fc.option(fc.string({ minLength: 1 }).filter((text) => text.trim() !== '')),
      confidence: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (list) => {
        const parts = list.map((one, index) => ({ ...one, key: `s${index + 1}` }));
        expect(validate('', synthesise('', parts), parts)).toEqual({ ok: true, reasons: [] });
      }),
    );
  });
});

describe('the validation', () => {
  const parts = [MATHS, CAPITAL];
  const whole = synthesise(QUESTION, parts);

  it.each([
    [{ ...whole, answer: 'What is 15 × 23? 345' }, parts, 's2 is not in the answer'],
    [
      { answer: null, confidence: 0, missing: [] },
      parts,
      'there are answers, but they were not put together',
    ],
    [
      { ...whole, missing: [] },
      [MATHS, unknown(CAPITAL)],
      'the list of what is missing is not what nobody knew',
    ],
    [{ ...whole, confidence: 0.81 }, parts, 'the whole is surer than its weakest part'],
    [{ ...whole, confidence: -0.01 }, parts, 'the whole is surer than its weakest part'],
    [{ ...whole, confidence: Number.NaN }, parts, 'the whole is surer than its weakest part'],
    [
      { answer: 'Cuba', confidence: 0.5, missing: [] },
      [{ ...MATHS, answer: 'Cuba' }],
      's1: a calculation without a number',
    ],
    [
      { answer: '42', confidence: 0.5, missing: [] },
      [{ ...CAPITAL, answer: '42' }],
      's2: a place without a name',
    ],
    [{ answer: 'A ', confidence: 0.5, missing: [] }, [{ ...CAT, answer: ' ' }], 's3: an empty answer'],
  ])('of %j for %j finds what is wrong', (synthesis, of, reason) => {
    const { ok, reasons } = validate(QUESTION, synthesis, of);
    expect([ok, reasons]).toEqual([false, [reason]]);
  });

  it('finds an empty answer, and all that is wrong with one', () => {
    const nothing = { answer: ' ', confidence: 1.5, missing: ['s2'] };
    expect(validate('', nothing, [{ ...CAT, answer: 'x', confidence: 2 }])).toEqual({
      ok: false,
      reasons: [
        'the list of what is missing is not what nobody knew',
        'the answer is empty',
        's3 is not in the answer',
        'the whole is surer than its weakest part',
      ],
    });
    const none = { answer: null, confidence: 0, missing: ['s1'] };
    expect(validate('', none, [MATHS])).toEqual({
      ok: false,
      reasons: [
        'the list of what is missing is not what nobody knew',
        'there are answers, but they were not put together',
      ],
    });
  });

  it('takes every form of an answer for right that a part may have', () => {
    const of = (part: Part) => validate('', synthesise('', [part]), [part]).reasons;
    for (const answer of ['½', 'x = 1']) expect(of({ ...MATHS, answer })).toEqual([]);
    for (const answer of ['Tōkyō', '1 Place']) expect(of({ ...CAPITAL, answer })).toEqual([]);
    expect(of({ ...MATHS, taskType: 'math.word-problem', answer: 'none' })).toEqual([]);
    expect(of({ ...CAT, taskType: 'no-knowledge.x', answer: '42' })).toEqual([]);
    expect(of({ ...MATHS, confidence: 1 })).toEqual([]);
    expect(of({ ...MATHS, confidence: 0 })).toEqual([]);
  });

  it('measures confidence by the parts that were answered', () => {
    const some = [MATHS, unknown(CAPITAL)];
    expect(validate(QUESTION, synthesise(QUESTION, some), some)).toEqual({ ok: true, reasons: [] });
  });

  it('accepts an honest "nobody knew"', () => {
    const nobody = [unknown(MATHS)];
    expect(validate('', synthesise('', nobody), nobody)).toEqual({ ok: true, reasons: [] });
  });
});
