import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { responseTargetMs } from '../../answers/task-types.ts';
import {
  availabilityMultiplier,
  computeShareOf,
  contributionMultiplier,
  earningFor,
  formatCredits,
  parseCredits,
  priceOf,
  qualityMultiplier,
  regularityOf,
  UNITS_PER_CREDIT,
} from './credits.ts';

const credits = (amount: number) => Math.round(amount * UNITS_PER_CREDIT);
const complexities = ['simple', 'medium', 'complex'] as const;

describe('the price of a query', () => {
  it.each([
    ['simple', 1, 0.5],
    ['simple', 8, 0.5],
    ['medium', 1, 2],
    ['medium', 8, 2],
    ['complex', 2, 5],
    ['complex', 3, 5],
    ['complex', 4, 6],
    ['complex', 8, 10],
  ] as const)('is for a %s query of %i subtasks %f credits', (complexity, subtasks, price) => {
    expect(priceOf(complexity, computeShareOf(subtasks), 'sporadic')).toBe(credits(price));
  });

  it('is half as much again for those who contribute nothing', () => {
    expect(complexities.map((complexity) => priceOf(complexity, 0, 'none'))).toEqual(
      [0.75, 3, 7.5].map(credits),
    );
  });

  it('is a whole number of units between 0.5 and 15 credits, and never falls with more subtasks', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...complexities),
        fc.nat(1000),
        fc.constantFrom('regular' as const, 'sporadic' as const, 'none' as const),
        (complexity, subtasks, contributor) => {
          const price = priceOf(complexity, computeShareOf(subtasks), contributor);
          expect(Number.isSafeInteger(price)).toBe(true);
          expect(price).toBeGreaterThanOrEqual(credits(0.5));
          expect(price).toBeLessThanOrEqual(credits(15));
          expect(priceOf(complexity, computeShareOf(subtasks + 1), contributor)).toBeGreaterThanOrEqual(
            price,
          );
        },
      ),
    );
  });
});

describe('the earning for a task', () => {
  it('is 1 credit for a simple query, fast and correct', () => {
    const work = { complexity: 'simple', correctness: 1, responseMs: 400, targetMs: 500 } as const;
    expect(earningFor(work)).toEqual({ earned: credits(1), penalty: 0 });
  });

  it('is 3 credits for a complex subtask, correct but slow', () => {
    const work = { complexity: 'complex', correctness: 1, responseMs: 5000, targetMs: 3000 } as const;
    expect(earningFor(work).earned).toBe(credits(3));
  });

  it('is 5 credits for a complex subtask, fast and correct', () => {
    const work = { complexity: 'complex', correctness: 1, responseMs: 3000, targetMs: 3000 } as const;
    expect(earningFor(work).earned).toBe(credits(5));
  });

  it('is nothing for an incorrect answer, and costs the Node that gave it half of the reward', () => {
    const standing = { regularity: 'regular', accuracy: 1, uptime: 1 } as const;
    const outcomes = complexities.map((complexity) =>
      earningFor({ complexity, correctness: 0, responseMs: 10, targetMs: 3000 }, standing),
    );
    expect(outcomes).toEqual([0.5, 1, 2.5].map((lost) => ({ earned: 0, penalty: credits(lost) })));
  });

  it('does not grow when an answer comes faster than fast', () => {
    const work = { complexity: 'medium', correctness: 1, targetMs: 3000 } as const;
    expect(earningFor({ ...work, responseMs: 0 })).toEqual(earningFor({ ...work, responseMs: 3000 }));
  });

  it('rounds to the nearest unit, halves up', () => {
    const earned = (correctness: number) =>
      earningFor({ complexity: 'simple', correctness, responseMs: 1, targetMs: 1 }).earned;
    expect([1.4e-6, 1.5e-6, 2.5e-6, 2.6e-6].map(earned)).toEqual([1, 2, 3, 3]);
  });

  it('carries the multipliers of the standing without binary crumbs', () => {
    const complex = { complexity: 'complex', correctness: 1, responseMs: 1, targetMs: 1 } as const;
    const best = { regularity: 'regular', accuracy: 0.99, uptime: 1 } as const;
    const worst = { regularity: 'none', accuracy: 0.5, uptime: 0 } as const;
    expect(earningFor(complex, best).earned).toBe(credits(9.36));
    expect(earningFor(complex, worst).earned).toBe(credits(3.6));
  });

  it('is a whole number of units, never negative, and never above the reward', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...complexities),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(10_000_000),
        (complexity, correctness, responseMs) => {
          const targetMs = responseTargetMs(complexity);
          const { earned } = earningFor({ complexity, correctness, responseMs, targetMs });
          const most = earningFor({ complexity, correctness: 1, responseMs: 0, targetMs }).earned;
          expect(Number.isSafeInteger(earned)).toBe(true);
          expect(earned).toBeGreaterThanOrEqual(0);
          expect(earned).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('the multipliers', () => {
  it('reward quality at the borders of the founding document', () => {
    const shares = [0.951, 0.95, 0.9, 0.899, 0.8, 0.799, null];
    expect(shares.map((share) => qualityMultiplier(share))).toEqual([1.3, 1.1, 1.1, 1.0, 1.0, 0.8, 1.0]);
  });

  it('reward availability: around the clock, regular hours, sporadic', () => {
    const shares = [1, 0.95, 0.949, 0.5, 0.499, 0, null];
    expect(shares.map((share) => availabilityMultiplier(share))).toEqual([1.2, 1.2, 1.0, 1.0, 0.9, 0.9, 1.0]);
  });

  it('reward regular contribution', () => {
    const days = [0, 1, 4, 5, 7].map(regularityOf);
    expect(days).toEqual(['none', 'sporadic', 'sporadic', 'regular', 'regular']);
    expect(days.map((one) => contributionMultiplier(one))).toEqual([1, 1, 1, 1.2, 1.2]);
  });
});

describe('amounts as text', () => {
  it.each([
    [0, '0'],
    [1, '0.000001'],
    [500_000, '0.5'],
    [100_000_000, '100'],
    [-1_250_000, '-1.25'],
  ])('%i units read %s', (units, text) => {
    expect(formatCredits(units)).toBe(text);
    expect(parseCredits(text)).toBe(units);
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (units) => {
        expect(parseCredits(formatCredits(units))).toBe(units === 0 ? 0 : units);
      }),
    );
  });

  it.each([
    '',
    '1.0000001',
    '1e3',
    '.5',
    '5.',
    '1,5',
    '--1',
    '0x10',
    '99999999999',
    '٣',
    'a'.repeat(100_000),
  ])('refuse %s with a hint', (text) => {
    expect(() => parseCredits(text)).toThrow(RangeError);
  });

  it.each([
    ['-0', '0'],
    ['9007199254.740991', '9007199254.740991'],
  ])('%s is %s', (text, same) => {
    expect(formatCredits(parseCredits(text))).toBe(same);
    expect(Object.is(parseCredits(text), -0)).toBe(false);
  });

  it('refuse more than can be counted', () => {
    expect(() => parseCredits(' 9007199254.740992 ')).toThrow(
      '9007199254.740992 credits are more than can be counted.',
    );
  });

  it('show no more than the beginning of a long text that is no amount', () => {
    expect(() => parseCredits('a'.repeat(41))).toThrow(`"${'a'.repeat(40)}…" is not an amount of credits`);
    expect(() => parseCredits('a'.repeat(40))).toThrow(`"${'a'.repeat(40)}" is not an amount of credits`);
  });

  it('refuse an amount that is no whole number of units', () => {
    expect(() => formatCredits(0.5)).toThrow('whole number of units');
  });
});
