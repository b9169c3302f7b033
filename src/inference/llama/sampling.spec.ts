import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Candidates, candidatesNeeded, chooseToken, seededDraws } from './sampling.ts';

const params = { temperature: 1, topP: 1, topK: 0, contextTokens: 256, maxTokens: 64 };
const ofProbabilities = (...probabilities: number[]): Candidates =>
  probabilities.map((p, token) => [token, Math.log(p)] as const);

function frequencies(candidates: Candidates, over: Partial<typeof params>, draws = 20_000): number[] {
  const draw = seededDraws(7);
  const counts = candidates.map(() => 0);
  for (let i = 0; i < draws; i++) {
    const [token] = chooseToken(candidates, { ...params, ...over }, draw);
    counts[token] = (counts[token] ?? 0) + 1;
  }
  return counts.map((count) => count / draws);
}

describe('choosing the next token', () => {
  const candidates = ofProbabilities(0.5, 0.25, 0.125, 0.125);

  it('takes the likeliest at temperature 0, without drawing', () => {
    const [token] = chooseToken(candidates, { ...params, temperature: 0 }, () => {
      throw new Error('drawn');
    });
    expect(token).toBe(0);
  });

  it('draws by probability at temperature 1', () => {
    const [a = 0, b = 0, c = 0] = frequencies(candidates, {});
    expect(a).toBeCloseTo(0.5, 1);
    expect(b).toBeCloseTo(0.25, 1);
    expect(c).toBeCloseTo(0.125, 1);
  });

  it('sharpens by p^(1/T) at temperature 0.5', () => {
    const squares = [0.25, 0.0625, 0.015625, 0.015625];
    const total = squares.reduce((sum, square) => sum + square, 0);
    for (const [i, share] of frequencies(candidates, { temperature: 0.5 }).entries()) {
      expect(share).toBeCloseTo((squares[i] ?? 0) / total, 1);
    }
  });

  it('keeps the fewest tokens that reach top-p, and the top-k', () => {
    expect(frequencies(candidates, { topP: 0.6 }).slice(2)).toEqual([0, 0]);
    expect(frequencies(candidates, { topK: 1 })).toEqual([1, 0, 0, 0]);
  });

  it('tells the probability at temperature 1, whatever the temperature', () => {
    const [token, logProb] = chooseToken(candidates, { ...params, temperature: 0.1 }, () => 0);
    expect([token, Math.exp(logProb)]).toEqual([0, 0.5]);
  });

  it('always chooses one of the candidates', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: 1, maxLength: 50 }),
        fc.double({ min: 0, max: 2, noNaN: true }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 100 }),
        fc.nat(),
        (weights, temperature, topP, topK, seed) => {
          const sorted = ofProbabilities(...weights.sort((a, b) => b - a));
          const chosen = chooseToken(sorted, { ...params, temperature, topP, topK }, seededDraws(seed));
          expect(sorted).toContainEqual(chosen);
        },
      ),
    );
  });

  it('asks for one candidate at temperature 0, for top-k ones otherwise', () => {
    expect(candidatesNeeded({ ...params, temperature: 0 })).toBe(1);
    expect(candidatesNeeded({ ...params, topK: 40 })).toBe(40);
    expect(candidatesNeeded(params)).toBe(256);
  });
});

describe('seeded draws', () => {
  it('are the same for the same seed, others for another, and lie in [0, 1)', () => {
    const [a, b, c] = [seededDraws(1), seededDraws(1), seededDraws(2)];
    const first = Array.from({ length: 100 }, a);
    expect(Array.from({ length: 100 }, b)).toEqual(first);
    expect(Array.from({ length: 100 }, c)).not.toEqual(first);
    expect(first.every((draw) => draw >= 0 && draw < 1)).toBe(true);
  });
});
