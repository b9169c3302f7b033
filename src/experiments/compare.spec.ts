import { describe, expect, it } from 'vitest';
import { FOUR_ARMS, madeUpSummary, type Shape } from '../../test/support/summaries.ts';
import { type Comparison, compareSummaries, type PairResult, renderComparison } from './compare.ts';
import { comparisonFigure } from './comparison-figure.ts';
import { holm } from './statistics.ts';
import type { Arm, Summary } from './summary.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const EVOLUTION: Shape = { arm: 'evolution', from: 0.5, gain: 0.35 };
const STATIC: Shape = { arm: 'static', from: 0.5, gain: 0 };
const four = madeUpSummary(FOUR_ARMS, SEEDS, 10);

/** An arm with one evaluation per seed: right answers of 1,000, the best Node's of 100. */
function armOf(arm: string, rights: readonly number[], seeds: readonly number[] = SEEDS): Arm[] {
  const template = madeUpSummary([{ arm, from: 0.5, gain: 0 }], seeds, 1).arms;
  return template.map((run, at) => ({
    ...run,
    generations: run.generations.map((one) => ({
      ...one,
      heldOut: { right: rights[at] ?? 0, of: 1000, championRight: 50, championOf: 100 },
    })),
  }));
}

function summaryOf(...arms: readonly Arm[][]): Summary {
  return { ...four, arms: arms.flat() };
}

function pairsOf(comparison: Comparison, measure = 'population'): readonly PairResult[] {
  return comparison.measures.find((one) => one.measure === measure)?.pairs ?? [];
}

function compareOne(summary: Summary): Comparison {
  return compareSummaries([{ name: 'a', summary }]);
}

describe('a comparison', () => {
  const comparison = compareOne(four);

  it('sets every arm against every other, for the population and for its best Node', () => {
    expect(
      comparison.measures.map(({ measure, arms, pairs }) => [measure, arms.length, pairs.length]),
    ).toEqual([
      ['population', 4, 6],
      ['champion', 4, 6],
    ]);
    expect(comparison.warnings).toEqual([]);
  });

  it('finds evolution better than the arms that it was made better than', () => {
    for (const pair of pairsOf(comparison).filter(({ one }) => one === 'evolution')) {
      expect(pair.design).toBe('paired');
      expect(pair.difference).toBeGreaterThan(0.1);
      expect(pair.interval?.low).toBeGreaterThan(0);
      expect(pair.cliffsDelta).toBe(1);
      expect(pair.hedgesG).toBeGreaterThan(2);
      expect(pair.test).toEqual({ p: 2 / 2 ** 8, exact: true, smallest: 2 / 2 ** 8 });
    }
  });

  it('corrects over all pairs of a measure', () => {
    for (const measure of ['population', 'champion']) {
      const pairs = pairsOf(comparison, measure);
      expect(pairs.map(({ pHolm }) => pHolm)).toEqual(holm(pairs.map(({ test }) => test?.p ?? Number.NaN)));
    }
  });

  it('is the same each time', () => {
    expect(compareOne(four)).toEqual(comparison);
  });
});

describe('pairs of arms', () => {
  it('are matched by seed, in whatever order the seeds stand', () => {
    const rights = [100, 200, 300, 400, 500, 600, 700, 800];
    const better = rights.map((right) => right + 10);
    const turned = armOf('b', better).reverse();
    const [pair] = pairsOf(compareOne(summaryOf(armOf('a', rights), turned)));
    expect(pair?.difference).toBeCloseTo(-0.01, 12);
    expect(pair?.interval?.low).toBeCloseTo(-0.01, 12);
    expect(pair?.interval?.high).toBeCloseTo(-0.01, 12);
    expect(pair?.test?.p).toBe(2 / 256);
  });

  it('are unpaired where the seeds are others', () => {
    const rights = [100, 200, 300, 400, 500, 600, 700, 800];
    const better = rights.map((right) => right + 10);
    const other = armOf('b', better, [11, 12, 13, 14, 15, 16, 17, 18]);
    const [pair] = pairsOf(compareOne(summaryOf(armOf('a', rights), other)));
    expect(pair).toMatchObject({ design: 'unpaired', n: [8, 8] });
    expect(pair?.difference).toBeCloseTo(-0.01, 12);
    expect(pair?.test?.p).toBeGreaterThan(0.9);
    expect(pair?.interval?.low).toBeLessThan(-0.1);
  });

  it('take the seeds that both have where one has more', () => {
    const [pair] = pairsOf(
      compareOne(
        summaryOf(armOf('a', [500, 510, 520], [1, 2, 3]), armOf('b', [400, 400, 400, 0, 0], [1, 2, 3, 4, 5])),
      ),
    );
    expect(pair).toMatchObject({ design: 'paired', n: [3, 3] });
    expect(pair?.difference).toBeCloseTo(0.11, 12);
  });

  it('of partly other seeds are unpaired, and it is said', () => {
    const comparison = compareOne(
      summaryOf(armOf('a', [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), armOf('b', [6, 7, 8, 9, 10], [4, 5, 6, 7, 8])),
    );
    expect(pairsOf(comparison)[0]).toMatchObject({ design: 'unpaired', n: [5, 5] });
    expect(comparison.warnings).toEqual([
      'Only 2 seeds are shared, so the arms are compared unpaired, over all their seeds: a against b.',
    ]);
  });

  it('of single seeds have a difference, but no interval and no test', () => {
    const comparison = compareOne(summaryOf(armOf('a', [600], [1]), armOf('b', [500], [1])));
    expect(pairsOf(comparison)[0]).toMatchObject({ interval: null, hedgesG: null, test: null, pHolm: null });
    expect(pairsOf(comparison)[0]?.difference).toBeCloseTo(0.1, 12);
    expect(comparison.warnings).toEqual(['Too few seeds for a test: a against b.']);
  });
});

describe('warnings', () => {
  it('tell of unequal budgets, from 1 % on', () => {
    const withTasks = (tasks: number): Summary =>
      summaryOf(
        armOf('a', SEEDS).map((arm) => ({ ...arm, tasks: 10_000 })),
        armOf('b', SEEDS).map((arm) => ({ ...arm, tasks })),
      );
    expect(compareOne(withTasks(9_900)).warnings).toEqual([]);
    expect(compareOne(withTasks(9_000)).warnings).toEqual([
      'The budgets of a (10,000 judged tasks) and b (9,000) differ by 10.0 %, so the comparison is not at equal budgets.',
    ]);
  });

  it('tell of seeds that are too few for any difference to count', () => {
    expect(compareOne(madeUpSummary([EVOLUTION, STATIC], [1, 2, 3], 5)).warnings).toEqual([
      'With 3 and 3 seeds no p-value can be below 0.250, whatever the difference: evolution against static.',
    ]);
  });

  it('tell what is simulated, and that engines and evaluations differ', () => {
    const simulated = madeUpSummary([EVOLUTION], SEEDS, 5, { engine: 'simulated', simulated: true });
    const longer = simulated.arms.map((arm) => ({ ...arm, heldOutSize: 50 }));
    const { warnings } = compareSummaries([
      { name: 'real', summary: madeUpSummary([EVOLUTION], SEEDS, 5) },
      { name: 'made', summary: { ...simulated, arms: longer } },
    ]);
    expect(warnings).toEqual([
      'Simulated by a model of skill, without language models: made.',
      'The engines differ (miniature, simulated), so their accuracies cannot be compared.',
      'The evaluations differ in length (200, 50 tasks), so they asked different tasks.',
    ]);
  });

  it('tell which arms were never evaluated, and leave them out', () => {
    const unevaluated = armOf('b', SEEDS).map((arm) => ({
      ...arm,
      generations: arm.generations.map((one) => ({ ...one, heldOut: null })),
    }));
    const comparison = compareOne(summaryOf(armOf('a', SEEDS), unevaluated));
    expect(comparison.warnings).toEqual(['b was never evaluated, so it is left out.']);
    expect(comparison.measures[0]?.arms.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('several experiments', () => {
  const several = compareSummaries([
    { name: 'first', summary: madeUpSummary([EVOLUTION], SEEDS, 5) },
    { name: 'second', summary: madeUpSummary([{ ...EVOLUTION, gain: 0.1 }], SEEDS, 5) },
  ]);

  it('keep arms of the same name apart', () => {
    expect(several.measures[0]?.arms.map(({ name }) => name)).toEqual([
      'first: evolution',
      'second: evolution',
    ]);
    expect(pairsOf(several)[0]?.design).toBe('paired');
  });

  it('are shown as tables, and names cannot break them', () => {
    const text = renderComparison(
      compareSummaries([
        { name: 'a|b\n# c', summary: madeUpSummary([{ ...EVOLUTION, label: '<b>' }], SEEDS, 5) },
        { name: 'second', summary: madeUpSummary([STATIC], SEEDS, 5) },
      ]),
    );
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.map((row) => row.replace(/\\\|/g, '').split('|').length)).toEqual([
      7, 7, 7, 7, 11, 11, 11, 7, 7, 7, 7, 11, 11, 11,
    ]);
    expect(text).toContain('| a\\|b # c: \\<b\\> |');
  });
});

describe('the table', () => {
  it('gives accuracies in percent with their intervals', () => {
    const text = renderComparison(
      compareOne(
        summaryOf(
          armOf(
            'a',
            SEEDS.map(() => 612),
          ),
          armOf(
            'b',
            SEEDS.map(() => 500),
          ),
        ),
      ),
    );
    expect(text).toContain('| a | 8 | 8,000 | 61.2 | 61.2 to 61.2 |');
    expect(text).toContain('| a | b | paired, n = 8 | +11.2 | +11.2 to +11.2 | – | +1.00 | 0.008 | 0.008 |');
  });

  it('says simulated in its titles where anything is', () => {
    const text = renderComparison(compareOne({ ...four, simulated: true }));
    expect(text.split('\n').filter((line) => line.startsWith('#'))).toSatisfy((titles: string[]) =>
      titles.every((title) => title.includes('simulated')),
    );
  });
});

describe('the figure', () => {
  it('has every arm and every seed, and is the same each time', () => {
    const comparison = compareOne(four);
    const svg = comparisonFigure(comparison);
    expect(comparisonFigure(comparison)).toBe(svg);
    for (const { arm } of FOUR_ARMS) expect(svg).toContain(`>${arm}</text>`);
    // Seeds and a mean, for each of four arms in both panels.
    expect(svg.match(/<circle /g)).toHaveLength(2 * 4 * (SEEDS.length + 1));
  });

  it('says simulated where anything is', () => {
    expect(comparisonFigure(compareOne({ ...four, simulated: true }))).toContain(
      'by arm (simulated)</title>',
    );
  });
});
