import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uniforms } from '../../../test/support/draws.ts';
import {
  correctnessOf,
  type MatrixRow,
  type Measurement,
  rowScore,
  sampleBeta,
  speedOf,
  trendOf,
  updateRow,
} from './matrix.ts';

const measure = (list: readonly Measurement[]): MatrixRow | undefined =>
  list.reduce<MatrixRow | undefined>(updateRow, undefined);
const answers = (count: number, correct: boolean, latencyMs = 100): Measurement[] =>
  Array.from({ length: count }, () => ({ correct, latencyMs }));
const measured = (list: readonly Measurement[]): MatrixRow =>
  measure(list) ?? expect.fail('nothing measured');

describe('a row of the performance matrix', () => {
  it('counts right and wrong into a Beta posterior', () => {
    const row = measured([...answers(7, true), ...answers(2, false)]);
    expect(row).toMatchObject({ alpha: 8, beta: 3, n: 9 });
    expect(correctnessOf(row)).toBeCloseTo(8 / 11, 12);
  });

  it('scores correctness × speed between 0 and 1', () => {
    const fast = measured(answers(20, true, 0));
    const slow = measured(answers(20, true, 5000));
    expect(rowScore(fast)).toBeCloseTo(21 / 22, 12);
    expect(rowScore(slow)).toBeCloseTo(21 / 44, 12);
    expect(speedOf(0)).toBe(1);
  });

  it('remembers the time of the last measurement', () => {
    const first = updateRow(undefined, { correct: true, latencyMs: 1, at: '2026-01-01T00:00:00.000Z' });
    expect(updateRow(first, { correct: true, latencyMs: 1 }).at).toBe('2026-01-01T00:00:00.000Z');
    expect(updateRow(undefined, { correct: true, latencyMs: 1 })).not.toHaveProperty('at');
  });

  it('shows no trend for a new or a steady resource', () => {
    expect(trendOf(measured(answers(8, true)))).toBeCloseTo(0.5, 12);
    expect(trendOf(measured(answers(500, true)))).toBeCloseTo(0.5, 2);
  });

  it('shows the trend of one that gets worse or better', () => {
    expect(trendOf(measured([...answers(100, true), ...answers(15, false)]))).toBeLessThan(0.2);
    expect(trendOf(measured([...answers(100, false), ...answers(15, true)]))).toBeGreaterThan(0.8);
  });

  it('stays in its bounds whatever is measured', () => {
    const measurement = fc.record({ correct: fc.boolean(), latencyMs: fc.integer({ min: -10, max: 1e9 }) });
    fc.assert(
      fc.property(fc.array(measurement, { minLength: 1, maxLength: 200 }), (list) => {
        const row = measured(list);
        expect(row.alpha + row.beta).toBe(list.length + 2);
        for (const value of [rowScore(row), trendOf(row), row.recent]) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
        expect(row.latencyMs).toBeLessThanOrEqual(Math.max(0, ...list.map((one) => one.latencyMs)) + 1e-6);
      }),
    );
  });
});

describe('draws from a Beta posterior', () => {
  it.each([
    [1, 1],
    [3, 1],
    [2, 5],
    [40, 10],
    [900, 100],
  ])('have the mean and the variance of Beta(%i, %i)', (alpha, beta) => {
    const random = uniforms(alpha * 1000 + beta);
    const draws = Array.from({ length: 20_000 }, () => sampleBeta(alpha, beta, random));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;
    const total = alpha + beta;
    const expected = (alpha * beta) / (total ** 2 * (total + 1));
    expect(Math.abs(mean - alpha / total)).toBeLessThan(5 * Math.sqrt(expected / draws.length));
    expect(variance / expected).toBeGreaterThan(0.95);
    expect(variance / expected).toBeLessThan(1.05);
  });

  it('are the same for the same numbers, and never use one number twice', () => {
    const used: number[] = [];
    const numbers = Array.from({ length: 1000 }, uniforms(7));
    const uniform = (index: number) => {
      used.push(index);
      return numbers[index] ?? 0.5;
    };
    const first = sampleBeta(3, 4, uniform);
    expect(new Set(used).size).toBe(used.length);
    expect(sampleBeta(3, 4, uniform)).toBe(first);
  });

  it('end and stay within 0 and 1 even when every number is the same', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (alpha, beta, constant) => {
          const draw = sampleBeta(alpha, beta, () => constant);
          expect(draw).toBeGreaterThanOrEqual(0);
          expect(draw).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});
