import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawsFrom } from './draws.ts';
import {
  bootstrapInterval,
  cliffsDelta,
  hedgesG,
  holm,
  mean,
  meanInterval,
  pairedDifferences,
  pairedPermutationTest,
  permutationTest,
  quantile,
  sd,
  wilsonInterval,
} from './statistics.ts';

const draws = drawsFrom('statistics.spec');
/** Survival of mice in days: Efron & Tibshirani (1993), table 2.1. */
const TREATED = [94, 197, 16, 38, 99, 141, 23];
const CONTROL = [52, 104, 146, 10, 51, 30, 40, 27, 46];
/** Darwin's maize, crossed less self-fertilised, in eighths of an inch: Fisher (1935). */
const MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

const sample = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 2, maxLength: 8 });

describe('draws', () => {
  it('depend on their parts and their index alone', () => {
    const again = drawsFrom('statistics.spec');
    const backwards = Array.from({ length: 100 }, (_, i) => again(99 - i)).reverse();
    expect(backwards).toEqual(Array.from({ length: 100 }, (_, i) => draws(i)));
    expect(drawsFrom('another')(0)).not.toBe(draws(0));
  });

  it('are spread evenly, and neighbours have nothing to do with each other', () => {
    const values = Array.from({ length: 100_000 }, (_, i) => draws(i));
    const bins = new Map<number, number>();
    for (const [i, value] of values.entries()) {
      const bin = 10 * Math.floor(10 * value) + Math.floor(10 * (values[i + 1] ?? 0));
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    const chiSquare = [...bins.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: 148.2 is the 99.9th percentile.
    expect(bins.size).toBe(100);
    expect(chiSquare).toBeLessThan(148.2);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});

describe('means, deviations and quantiles', () => {
  it('are those of the textbook', () => {
    expect(mean(TREATED)).toBeCloseTo(86.86, 2);
    expect(mean(CONTROL)).toBeCloseTo(56.22, 2);
    // Efron & Tibshirani give standard errors of 25.24 and 14.14.
    expect(sd(TREATED) / Math.sqrt(7)).toBeCloseTo(25.24, 2);
    expect(sd(CONTROL) / 3).toBeCloseTo(14.14, 1);
  });

  it('interpolate between neighbours', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([1, 2, 3, 4], 0.25)).toBe(1.75);
    expect(quantile([7], 0.9)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
    expect(sd([1])).toBeNaN();
  });
});

describe("Wilson's interval", () => {
  it("gives the values of Newcombe's comparison (1998, table I)", () => {
    for (const [right, of, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(right, of);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  it('stays within 0–1, holds the share, and mirrors it', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (right, wrong) => {
        const of = right + wrong;
        const { low, high } = wilsonInterval(right, of);
        const mirrored = wilsonInterval(wrong, of);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual(1);
        if (of > 0) {
          expect(low).toBeLessThanOrEqual(right / of + 1e-12);
          expect(high).toBeGreaterThanOrEqual(right / of - 1e-12);
        }
        expect(mirrored.low).toBeCloseTo(1 - high, 12);
      }),
    );
  });
});

describe('the bootstrap', () => {
  it('comes close to the interval over all resamples that there are', () => {
    const values = [1, 2, 4, 8];
    const all = values
      .flatMap((a) => values.flatMap((b) => values.flatMap((c) => values.map((d) => (a + b + c + d) / 4))))
      .sort((a, b) => a - b);
    const interval = meanInterval(values, draws);
    expect(all).toHaveLength(256);
    expect(interval?.low).toBeCloseTo(quantile(all, 0.025), 0);
    expect(interval?.high).toBeCloseTo(quantile(all, 0.975), 0);
  });

  it("spreads as Efron & Tibshirani's: the mean of the treated mice has a standard error near 23.36", () => {
    const interval = bootstrapInterval([TREATED], mean, draws, { confidence: 0.6827 });
    const half = ((interval?.high ?? 0) - (interval?.low ?? 0)) / 2;
    expect(Math.abs(half - 23.36)).toBeLessThan(1.5);
  });

  it('resamples independent samples apart', () => {
    const interval = bootstrapInterval([TREATED, CONTROL], (one, other) => mean(one) - mean(other), draws);
    expect(interval?.low).toBeLessThan(0);
    expect(interval?.high).toBeGreaterThan(60);
  });

  it('knows nothing of the spread of a single value', () => {
    expect(meanInterval([0.5], draws)).toBeNull();
    expect(meanInterval([], draws)).toBeNull();
  });

  it('stays between the least and the greatest value, and gives the same each time', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const interval = bootstrapInterval([values], mean, draws, {
          resamples: 200,
        });
        expect(interval?.low).toBeGreaterThanOrEqual(Math.min(...values) - 1e-12);
        expect(interval?.high).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
        const again = bootstrapInterval([values], mean, draws, { resamples: 200 });
        expect(again).toEqual(interval);
      }),
      { numRuns: 50 },
    );
  });
});

describe('permutation tests', () => {
  it("count Fisher's arrangements of Darwin's maize: 863 of 32,768 are as tall or taller", () => {
    const { p, exact, smallest } = pairedPermutationTest(MAIZE, draws);
    expect(p).toBeCloseTo((2 * 863) / 32_768, 12);
    expect(exact).toBe(true);
    expect(smallest).toBe(2 / 32_768);
  });

  it('find no difference between the mice, as Efron & Tibshirani (one-sided 0.132 by 1,000 permutations)', () => {
    const { p, exact } = permutationTest(TREATED, CONTROL, draws);
    expect(exact).toBe(true);
    expect(p / 2).toBeGreaterThan(0.12);
    expect(p / 2).toBeLessThan(0.15);
  });

  it('count by hand: of the 20 ways to part six values, two are as far apart', () => {
    expect(permutationTest([1, 2, 3], [4, 5, 6], draws)).toEqual({ p: 0.1, exact: true, smallest: 0.1 });
    expect(pairedPermutationTest([1, 1, 1], draws)).toEqual({ p: 0.25, exact: true, smallest: 0.25 });
    expect(pairedPermutationTest([0, 0, 0], draws).p).toBe(1);
  });

  it('sample where there are too many arrangements, and never say 0', () => {
    const one = Array.from({ length: 30 }, (_, i) => draws(i));
    const shifted = one.map((value) => value + 2);
    expect(permutationTest(one, shifted, draws)).toEqual({
      p: 1 / 10_001,
      exact: false,
      smallest: 1 / 10_001,
    });
    expect(pairedPermutationTest(pairedDifferences(shifted, one), draws).p).toBe(1 / 10_001);
  });

  it('sampled and exact agree', () => {
    const doubled = [...MAIZE.map((value) => value / 2), -9, 4];
    const sampled = pairedPermutationTest(doubled, draws);
    let extreme = 0;
    const observed = Math.abs(doubled.reduce((sum, value) => sum + value, 0));
    for (let signs = 0; signs < 2 ** doubled.length; signs += 1) {
      const signed = doubled.reduce((sum, value, i) => sum + ((signs >>> i) & 1 ? -value : value), 0);
      if (Math.abs(signed) >= observed - 1e-9) extreme += 1;
    }
    expect(sampled.exact).toBe(false);
    // Four standard errors of 10,000 samples.
    expect(Math.abs(sampled.p - extreme / 2 ** doubled.length)).toBeLessThan(0.01);
  });

  it('do not care which side is which', () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        expect(permutationTest(one, other, draws).p).toBeCloseTo(permutationTest(other, one, draws).p, 9);
        const flipped = one.map((value) => -value);
        expect(pairedPermutationTest(one, draws).p).toBe(pairedPermutationTest(flipped, draws).p);
      }),
      { numRuns: 50 },
    );
  });

  it('reject a true null hypothesis about as often as they may', () => {
    let rejected = 0;
    for (let trial = 0; trial < 400; trial += 1) {
      const drawn = drawsFrom('null', trial);
      const values = Array.from({ length: 12 }, (_, i) => drawn(i));
      if (permutationTest(values.slice(0, 6), values.slice(6), draws).p <= 0.05) rejected += 1;
    }
    // Binomial(400, 0.05): 99.9 % lie between 7 and 35.
    expect(rejected).toBeGreaterThan(6);
    expect(rejected).toBeLessThan(36);
  });
});

describe('effect sizes', () => {
  it("are Hedges' g of Borenstein et al. (2009), chapter 4: 0.5924", () => {
    expect(hedgesG(normed(103, 5.5, 50), normed(100, 4.5, 50))).toBeCloseTo(0.5924, 4);
  });

  it('are undefined where nothing spreads but the means differ', () => {
    expect(hedgesG([1, 1], [2, 2])).toBeNull();
    expect(hedgesG([1, 1], [1, 1])).toBe(0);
    expect(hedgesG([1], [2, 3])).toBeNull();
  });

  it("are Cliff's delta: dominance, counted", () => {
    expect(cliffsDelta([3, 4], [1, 2])).toBe(1);
    expect(cliffsDelta([1, 2, 3], [2, 2, 2])).toBe(0);
    expect(cliffsDelta([1, 2, 3, 4], [2, 3])).toBe(0);
    expect(cliffsDelta([2, 5], [1, 2, 6])).toBeCloseTo((1 + 0 - 1 + 1 + 1 - 1) / 6, 12);
  });

  it('change their sign with the sides', () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        expect(cliffsDelta(one, other)).toBeCloseTo(-cliffsDelta(other, one), 12);
        const g = hedgesG(one, other);
        const turned = hedgesG(other, one);
        if (g !== null && turned !== null) expect(g).toBeCloseTo(-turned, 6);
      }),
    );
  });

  it('refuse pairs that have one side', () => {
    expect(() => pairedDifferences([1, 2], [1])).toThrow('Pairs need two equal samples');
  });
});

describe("Holm's correction", () => {
  it('gives the adjusted values of its definition', () => {
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    for (const [place, p] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[place]).toBeCloseTo(p, 12);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });

  it('never lowers a value, keeps their order, and is at most the correction of Bonferroni', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }), (ps) => {
        const adjusted = holm(ps);
        for (const [i, p] of ps.entries()) {
          const own = adjusted[i] ?? -1;
          expect(own).toBeGreaterThanOrEqual(p);
          expect(own).toBeLessThanOrEqual(Math.min(1, p * ps.length));
          for (const [j, q] of ps.entries()) if (p < q) expect(own).toBeLessThanOrEqual(adjusted[j] ?? -1);
        }
      }),
    );
  });
});

/** `count` values of exactly this mean and deviation. */
function normed(centre: number, deviation: number, count: number): number[] {
  const half = deviation * Math.sqrt((count - 1) / count);
  return Array.from({ length: count }, (_, i) => centre + (i % 2 === 0 ? half : -half));
}
