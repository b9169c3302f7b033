import { describe, expect, it } from 'vitest';
import { FOUR_ARMS, madeUpSummary } from '../../test/support/summaries.ts';
import { finalHeldOut, Summary } from './summary.ts';

const summary = madeUpSummary(FOUR_ARMS, [1, 2], 6);
const [first] = summary.arms;
if (!first) throw new Error('made-up summaries have arms');

/** What is wrong with a summary, in words. */
function faultsOf(value: unknown): string[] {
  return Summary.safeParse(value).error?.issues.map(({ message }) => message) ?? [];
}

describe('summary.json', () => {
  it('is the same after it was written and read', () => {
    expect(Summary.parse(JSON.parse(JSON.stringify(summary)))).toEqual(summary);
  });

  it('takes an arm that nobody judged or examined', () => {
    const generations = first.generations.map((one) => ({
      ...one,
      fitness: { mean: 0, sd: 0, n: 0, best: 0 },
      trainAccuracy: null,
      heldOut: null,
    }));
    expect(faultsOf({ ...summary, arms: [{ ...first, generations }] })).toEqual([]);
    expect(faultsOf({ ...summary, arms: [{ ...first, generations: [] }] })).toEqual([]);
  });

  it('takes sums of logarithms that rounding left below 0', () => {
    const generations = first.generations.map((one) => ({
      ...one,
      specialization: { mutualInformation: -1e-16, normalised: -1e-16, expectedByChance: -1e-17 },
    }));
    expect(faultsOf({ ...summary, arms: [{ ...first, generations }] })).toEqual([]);
  });

  it.each([
    ['a run twice', [first, first], 'evolution at seed 1 stands there twice'],
    ['an arm with two labels', [first, { ...first, seed: 9, label: 'new' }], 'evolution has two labels'],
    [
      'two arms of one label',
      [first, { ...first, arm: 'x', label: 'evolution' }],
      'two arms are shown as evolution',
    ],
    [
      'generations out of order',
      [{ ...first, generations: [...first.generations].reverse() }],
      'the generations of evolution at seed 1 are not in order',
    ],
    [
      'more right answers than answers',
      [
        {
          ...first,
          generations: first.generations.map((one) => ({
            ...one,
            heldOut: { right: 2, of: 1, championRight: 0, championOf: 1 },
          })),
        },
      ],
      'more answers are right than were given',
    ],
  ])('refuses %s', (_, arms, fault) => {
    expect(faultsOf({ ...summary, arms })).toContain(fault);
  });

  it('refuses a simulated engine that does not say so', () => {
    expect(faultsOf({ ...summary, engine: 'simulated', simulated: false })).toEqual([
      'answers of the simulated engine are simulated',
    ]);
  });
});

describe('the final evaluation', () => {
  it('is the last that took place', () => {
    const heldOut = { right: 3, of: 4, championRight: 1, championOf: 1 };
    const none = { right: 0, of: 0, championRight: 0, championOf: 0 };
    const generations = first.generations.map((one, at) => ({
      ...one,
      heldOut: at === 2 ? heldOut : at > 4 ? none : null,
    }));
    expect(finalHeldOut({ ...first, generations })).toEqual(heldOut);
    expect(finalHeldOut({ ...first, generations: [] })).toBeNull();
  });
});
