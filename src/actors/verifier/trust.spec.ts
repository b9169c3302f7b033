import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NEW_TRUST,
  needsReplication,
  recentAccuracy,
  recordVerdict,
  type TrustState,
  trustOf,
  trustScore,
} from './trust.ts';

const fold = (verdicts: readonly boolean[]): TrustState => verdicts.reduce(recordVerdict, NEW_TRUST);
const times = (count: number, valid: boolean): boolean[] => Array<boolean>(count).fill(valid);

describe('the trust score', () => {
  it('is 0.6 of recent accuracy, 0.3 of lifetime accuracy and 0.1 of uptime', () => {
    expect(trustScore({ recent: 0.9, lifetime: 0.8, uptime: 0.5 })).toBeCloseTo(0.83, 12);
    expect(trustScore({ recent: 1, lifetime: 1, uptime: 1 })).toBeCloseTo(1, 12);
    expect(trustScore({ recent: 0, lifetime: 0, uptime: 0 })).toBe(0);
  });

  it('takes an unknown Node as half right', () => {
    expect(trustOf(NEW_TRUST, 1)).toBeCloseTo(0.55, 12);
  });

  it('does not give full trust for one lucky answer', () => {
    expect(trustOf(fold([true]), 1)).toBeCloseTo(0.9 * 0.55 + 0.1, 12);
    expect(trustOf(fold(times(10, true)), 1)).toBeCloseTo(1, 12);
  });

  it('looks at the last 100 tasks and at the whole life', () => {
    const state = fold([...times(200, true), ...times(50, false)]);
    expect(state.recent).toHaveLength(100);
    expect(recentAccuracy(state)).toBe(0.5);
    expect(trustOf(state, 0)).toBeCloseTo(0.5 * 0.6 + 0.8 * 0.3, 12);
  });

  it('equals a plain count over the whole history, and stays within 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 10, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (verdicts, uptime) => {
          const share = (list: readonly boolean[]) => list.filter(Boolean).length / list.length;
          const expected = share(verdicts.slice(-100)) * 0.6 + share(verdicts) * 0.3 + uptime * 0.1;
          const trust = trustOf(fold(verdicts), uptime);
          expect(trust).toBeCloseTo(expected, 12);
          expect(trust).toBeGreaterThanOrEqual(0);
          expect(trust).toBeLessThanOrEqual(1 + 1e-12);
        },
      ),
    );
  });
});

describe('replication', () => {
  it('is certain until ten valid answers in a row, then at random', () => {
    expect(needsReplication(fold(times(9, true)), 0.99)).toBe(true);
    expect(needsReplication(fold(times(10, true)), 0.99)).toBe(false);
    expect(needsReplication(fold(times(10, true)), 0.1)).toBe(false);
    expect(needsReplication(fold(times(10, true)), 0.09)).toBe(true);
  });

  it('starts again after one invalid answer', () => {
    const fallen = fold([...times(50, true), false]);
    expect(needsReplication(fallen, 0.99)).toBe(true);
    expect(needsReplication(times(9, true).reduce(recordVerdict, fallen), 0.99)).toBe(true);
    expect(needsReplication(times(10, true).reduce(recordVerdict, fallen), 0.99)).toBe(false);
  });
});
