import { drawsFrom } from './draws.ts';
import { accuracyOf, championAccuracyOf, shownArm } from './series.ts';
import {
  bootstrapInterval,
  cliffsDelta,
  hedgesG,
  holm,
  type Interval,
  mean,
  meanInterval,
  type PermutationTest,
  pairedDifferences,
  pairedPermutationTest,
  permutationTest,
} from './statistics.ts';
import { type Arm, finalHeldOut, type HeldOut, type Summary } from './summary.ts';

/** A summary and its name, such as the name of its folder. Names differ. */
export interface Named {
  readonly name: string;
  readonly summary: Summary;
}

/**
 * What is compared, at the last evaluation of each arm: the share of right answers of the whole population, and of its
 * three best Nodes, voting. The latter is the measure for `best-of-n`, whose population is random by design.
 */
export type Measure = 'population' | 'champion';

export interface ArmResult {
  /** Unique in the comparison. Tables and figures show it. */
  readonly name: string;
  readonly input: string;
  readonly arm: string;
  /** Held-out accuracy (0–1) by seed, for the seeds that were evaluated. */
  readonly values: readonly { readonly seed: number; readonly accuracy: number }[];
  readonly mean: number;
  /** 95 % bootstrap interval of the mean over seeds; null for a single seed. */
  readonly interval: Interval | null;
  /** Mean budget over the seeds, in judged tasks. */
  readonly tasks: number;
}

export interface PairResult {
  readonly one: string;
  readonly other: string;
  /** `paired` if the seeds of one arm are all among those of the other. */
  readonly design: 'paired' | 'unpaired';
  /** Number of values on either side. In a paired design, only of seeds that both arms have. */
  readonly n: readonly [number, number];
  /** Mean of `one` minus mean of `other`. In a paired design, the mean of the differences. */
  readonly difference: number;
  readonly interval: Interval | null;
  readonly hedgesG: number | null;
  readonly cliffsDelta: number;
  /** Two-sided permutation test of the difference; null if either side has only one value. */
  readonly test: PermutationTest | null;
  /** Corrected over all pairs of this measure. */
  readonly pHolm: number | null;
}

export interface MeasureComparison {
  readonly measure: Measure;
  readonly arms: readonly ArmResult[];
  readonly pairs: readonly PairResult[];
}

export interface Comparison {
  readonly schema: 'dellm-experiment-comparison/1';
  /** Whether any input is simulated. */
  readonly simulated: boolean;
  readonly inputs: readonly { readonly name: string; readonly engine: string; readonly simulated: boolean }[];
  /** What a reader must know before believing the figures. */
  readonly warnings: readonly string[];
  readonly measures: readonly MeasureComparison[];
}

interface NamedArm {
  readonly name: string;
  readonly input: string;
  readonly arm: string;
  readonly runs: readonly Arm[];
}

export const MEASURES: Readonly<Record<Measure, string>> = {
  population: 'whole population',
  champion: 'best Nodes, voting',
};

/** Budgets that differ by more than this share count as unequal. */
const BUDGET_TOLERANCE = 0.01;
const ALPHA = 0.05;

/**
 * Compares every pair of arms over all inputs by their final held-out accuracy. All random numbers depend only on the
 * arms' names, so the same summaries give the same result.
 */
export function compareSummaries(named: readonly Named[]): Comparison {
  const arms = named.flatMap(({ name, summary }) => armsOf(name, summary, named.length > 1));
  const measures = (['population', 'champion'] as const).map((measure) => compared(measure, arms));
  return {
    schema: 'dellm-experiment-comparison/1',
    simulated: named.some(({ summary }) => summary.simulated),
    inputs: named.map(({ name, summary }) => ({
      name,
      engine: summary.engine,
      simulated: summary.simulated,
    })),
    warnings: [...warningsOfInputs(named), ...warningsOfArms(arms), ...warningsOfPairs(measures)],
    measures,
  };
}

function armsOf(input: string, summary: Summary, several: boolean): NamedArm[] {
  const runs = new Map<string, Arm[]>();
  for (const arm of summary.arms) runs.set(arm.arm, [...(runs.get(arm.arm) ?? []), arm]);
  return [...runs].map(([arm, all]) => {
    const [first] = all;
    const shown = first === undefined ? arm : shownArm(first);
    return { name: several ? `${input}: ${shown}` : shown, input, arm, runs: all };
  });
}

function compared(measure: Measure, arms: readonly NamedArm[]): MeasureComparison {
  const results = arms.flatMap((arm) => resultOf(measure, arm) ?? []);
  const pairs = results.flatMap((one, index) =>
    results.slice(index + 1).map((other) => pairOf(measure, one, other)),
  );
  const adjusted = holm(pairs.flatMap(({ test }) => test?.p ?? []));
  let next = 0;
  return {
    measure,
    arms: results,
    pairs: pairs.map((pair) => ({
      ...pair,
      pHolm: pair.test === null ? null : (adjusted[next++] ?? null),
    })),
  };
}

function resultOf(measure: Measure, { name, input, arm, runs }: NamedArm): ArmResult | null {
  const values = runs
    .flatMap((run) => {
      const accuracy = measured(measure, finalHeldOut(run));
      return accuracy === null ? [] : [{ seed: run.seed, accuracy }];
    })
    .sort((one, other) => one.seed - other.seed);
  if (values.length === 0) return null;
  const accuracies = values.map(({ accuracy }) => accuracy);
  return {
    name,
    input,
    arm,
    values,
    mean: mean(accuracies),
    interval: meanInterval(accuracies, drawsFrom('arm', measure, name)),
    tasks: budgetOf(runs),
  };
}

function measured(measure: Measure, heldOut: HeldOut | null): number | null {
  return measure === 'population' ? accuracyOf(heldOut) : championAccuracyOf(heldOut);
}

function pairOf(measure: Measure, one: ArmResult, other: ArmResult): PairResult {
  const shared = sharedSeeds(one, other);
  const paired = shared.size > 0 && shared.size === Math.min(one.values.length, other.values.length);
  const side = ({ values }: ArmResult): number[] =>
    values.filter(({ seed }) => !paired || shared.has(seed)).map(({ accuracy }) => accuracy);
  const [mine, theirs] = [side(one), side(other)];
  const draws = drawsFrom('pair', measure, one.name, other.name);
  const differences = paired ? pairedDifferences(mine, theirs) : [];
  const lone = mine.length < 2 || theirs.length < 2;
  return {
    one: one.name,
    other: other.name,
    design: paired ? 'paired' : 'unpaired',
    n: [mine.length, theirs.length],
    difference: mean(mine) - mean(theirs),
    interval: paired
      ? meanInterval(differences, draws)
      : bootstrapInterval([mine, theirs], (these, those) => mean(these) - mean(those), draws),
    hedgesG: hedgesG(mine, theirs),
    cliffsDelta: cliffsDelta(mine, theirs),
    test: lone
      ? null
      : paired
        ? pairedPermutationTest(differences, draws)
        : permutationTest(mine, theirs, draws),
    pHolm: null,
  };
}

function sharedSeeds(one: ArmResult, other: ArmResult): ReadonlySet<number> {
  const theirs = new Set(other.values.map(({ seed }) => seed));
  return new Set(one.values.map(({ seed }) => seed).filter((seed) => theirs.has(seed)));
}

function budgetOf(runs: readonly Arm[]): number {
  return mean(runs.map(({ tasks }) => tasks));
}

function warningsOfInputs(named: readonly Named[]): string[] {
  const simulated = named.filter(({ summary }) => summary.simulated).map(({ name }) => name);
  const engines = [...new Set(named.map(({ summary }) => summary.engine))];
  const sizes = new Set(named.flatMap(({ summary }) => summary.arms.map(({ heldOutSize }) => heldOutSize)));
  return [
    ...(simulated.length > 0
      ? [`Simulated by a model of skill, without language models: ${simulated.join(', ')}.`]
      : []),
    ...(engines.length > 1
      ? [`The engines differ (${engines.join(', ')}), so their accuracies cannot be compared.`]
      : []),
    ...(sizes.size > 1
      ? [`The evaluations differ in length (${[...sizes].join(', ')} tasks), so they asked different tasks.`]
      : []),
  ];
}

function warningsOfArms(arms: readonly NamedArm[]): string[] {
  const unevaluated = arms.filter(({ runs }) => runs.every((run) => finalHeldOut(run) === null));
  const partly = arms.flatMap(({ name, runs }) => {
    const seeds = runs.filter((run) => finalHeldOut(run) === null).map(({ seed }) => seed);
    return seeds.length > 0 && seeds.length < runs.length
      ? [`${name} was not evaluated at seed ${seeds.join(', ')}, which is left out.`]
      : [];
  });
  const unequal = arms.flatMap((one, index) =>
    arms.slice(index + 1).flatMap((other) => {
      const [mine, theirs] = [budgetOf(one.runs), budgetOf(other.runs)];
      const apart = Math.abs(mine - theirs) / Math.max(mine, theirs, 1);
      return apart > BUDGET_TOLERANCE
        ? [
            `The budgets of ${one.name} (${count(mine)} judged tasks) and ${other.name} (${count(theirs)}) differ by ${(100 * apart).toFixed(1)} %, so the comparison is not at equal budgets.`,
          ]
        : [];
    }),
  );
  return [
    ...unevaluated.map(({ name }) => `${name} was never evaluated, so it is left out.`),
    ...partly,
    ...unequal,
  ];
}

/** A warning that holds for several pairs is given once, with the first pair and the number of others. */
function warningsOfPairs(measures: readonly MeasureComparison[]): string[] {
  const pairsBy = new Map<string, Set<string>>();
  for (const { arms, pairs } of measures) {
    const byName = new Map(arms.map((arm) => [arm.name, arm]));
    for (const pair of pairs) {
      const [mine, theirs] = [byName.get(pair.one), byName.get(pair.other)];
      const warning = warningOf(pair, mine && theirs ? sharedSeeds(mine, theirs).size : 0);
      if (warning === null) continue;
      const known = pairsBy.get(warning) ?? new Set();
      pairsBy.set(warning, known.add(`${pair.one} against ${pair.other}`));
    }
  }
  return [...pairsBy].map(([warning, pairs]) => {
    const [first = ''] = pairs;
    const more = pairs.size - 1;
    return `${warning}: ${first}${more === 0 ? '' : `, and ${more} more ${more === 1 ? 'pair' : 'pairs'}`}.`;
  });
}

function warningOf({ design, n, test }: PairResult, shared: number): string | null {
  if (test === null) return 'Too few seeds for a test';
  if (test.smallest > ALPHA) {
    const least = shortP(test.smallest);
    return `With ${n[0]} and ${n[1]} seeds no p-value can be below ${least}, whatever the difference`;
  }
  return design === 'unpaired' && shared > 0
    ? `Only ${shared} seeds are shared, so the arms are compared unpaired, over all their seeds`
    : null;
}

/** The comparison as Markdown: warnings first, then a table of arms and a table of pairs for each measure. */
export function renderComparison({ simulated, inputs, warnings, measures }: Comparison): string {
  return [
    `# Comparison of ${inputs.map(({ name }) => cell(name)).join(', ')}${simulated ? ' (simulated)' : ''}`,
    ...(warnings.length > 0 ? ['', ...warnings.map((warning) => `- **Warning:** ${cell(warning)}`)] : []),
    ...measures.flatMap(({ measure, arms, pairs }) => [
      '',
      `## Held-out accuracy of the ${MEASURES[measure]}${simulated ? ' (simulated)' : ''}`,
      '',
      ...markdownTable(
        ['arm', 'seeds', 'judged tasks', 'accuracy', '95 % interval'],
        arms.map(({ name, values, tasks, mean, interval }) => [
          cell(name),
          String(values.length),
          count(tasks),
          points(mean),
          shownInterval(interval),
        ]),
      ),
      ...(pairs.length > 0
        ? [
            '',
            ...markdownTable(
              [
                'one',
                'other',
                'design',
                'difference',
                '95 % interval',
                "Hedges' g",
                "Cliff's δ",
                'p',
                'p (Holm)',
              ],
              pairs.map((pair) => [
                cell(pair.one),
                cell(pair.other),
                pair.design === 'paired'
                  ? `paired, n = ${pair.n[0]}`
                  : `unpaired, n = ${pair.n[0]}, ${pair.n[1]}`,
                signed(points(pair.difference)),
                shownInterval(pair.interval, signed),
                pair.hedgesG === null ? '–' : signed(pair.hedgesG.toFixed(2)),
                signed(pair.cliffsDelta.toFixed(2)),
                pair.test === null ? '–' : shortP(pair.test.p),
                pair.pHolm === null ? '–' : shortP(pair.pHolm),
              ]),
            ),
          ]
        : []),
    ]),
    '',
    'Accuracies and differences are in percent and percentage points, intervals are bootstrap percentiles over seeds, p-values two-sided',
    'permutation tests of the mean difference, corrected by Holm over all pairs of a measure.',
    '',
  ].join('\n');
}

function markdownTable(titles: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)];
}

/** Makes a name safe for a table: one line of plain text. */
function cell(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\|`*_<>[\]]/g, '\\$&');
}

function points(share: number): string {
  return (100 * share).toFixed(1);
}

function signed(number: string): string {
  if (Number(number) === 0) return number.replace('-', '');
  return number.startsWith('-') ? `−${number.slice(1)}` : `+${number}`;
}

function shownInterval(
  interval: Interval | null,
  sign: (number: string) => string = (number) => number,
): string {
  return interval === null ? '–' : `${sign(points(interval.low))} to ${sign(points(interval.high))}`;
}

function shortP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function count(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}
