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
    ['an answer that is not in it', { ...whole, answer: 'What is 15 × 23? 345' }, parts],
    ['an empty answer', { ...whole, answer: ' ' }, parts],
    ['answers that were not put together', { answer: null, confidence: 0, missing: [] }, parts],
    ['something missing that is not named', { ...whole, missing: [] }, [MATHS, unknown(CAPITAL)]],
    ['more confidence than the weakest part has', { ...whole, confidence: 0.81 }, parts],
    ['a confidence that is no number', { ...whole, confidence: Number.NaN }, parts],
    [
      'a calculation without a number',
      { answer: 'Cuba', confidence: 0.5, missing: [] },
      [{ ...MATHS, answer: 'Cuba' }],
    ],
    [
      'a capital without a name',
      { answer: '42', confidence: 0.5, missing: [] },
      [{ ...CAPITAL, answer: '42' }],
    ],
  ])('finds %s', (_, synthesis, of) => {
    const { ok, reasons } = validate(QUESTION, synthesis, of);
    expect(ok).toBe(false);
    expect(reasons.length).toBeGreaterThan(0);
  });

  it('accepts an honest "nobody knew"', () => {
    const nobody = [unknown(MATHS)];
    expect(validate('', synthesise('', nobody), nobody)).toEqual({ ok: true, reasons: [] });
  });
});
