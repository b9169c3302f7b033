import { drawsFrom } from './draws.ts';
import { bootstrapInterval, type Interval, mean, wilsonInterval } from './statistics.ts';
import type { Arm, Generation, HeldOut, Summary } from './summary.ts';

/** A measure of an arm in one generation, over its seeds. */
export interface Point {
  readonly arm: string;
  readonly generation: number;
  readonly value: number;
  /** 95 % interval over the seeds; null for a single seed. */
  readonly interval: Interval | null;
  readonly seeds: number;
}

/** Most points of a line. A longer experiment shows this many of its generations. */
const DRAWN_POINTS = 150;
/** Enough for 95 % (Efron & Tibshirani 1993, chapter 12), and there are hundreds of intervals in a figure. */
const RESAMPLES = 1000;

/** The arms' names in figures, in the order of the summary. */
export function armsOf(summary: Summary): string[] {
  return [...new Set(summary.arms.map(shownArm))];
}

export function shownArm({ arm, label }: Arm): string {
  return label ?? arm;
}

/**
 * A measure of every arm by generation: its mean over the seeds that have it (`of` returns null for those that do not),
 * and the bootstrap interval of the mean.
 */
export function seriesOf(
  summary: Summary,
  measure: string,
  of: (generation: Generation) => number | null,
): Point[] {
  return armsOf(summary).flatMap((arm) => {
    const found = new Map<number, number[]>();
    for (const one of summary.arms) {
      if (shownArm(one) !== arm) continue;
      for (const generation of one.generations) {
        const value = of(generation);
        if (value === null) continue;
        found.set(generation.generation, [...(found.get(generation.generation) ?? []), value]);
      }
    }
    return thinned([...found].sort(([one], [other]) => one - other)).map(([generation, values]) => ({
      arm,
      generation,
      value: mean(values),
      interval: bootstrapInterval([values], mean, drawsFrom('series', measure, arm, generation), {
        resamples: RESAMPLES,
      }),
      seeds: values.length,
    }));
  });
}

export function accuracyOf(heldOut: HeldOut | null): number | null {
  return heldOut === null || heldOut.of === 0 ? null : heldOut.right / heldOut.of;
}

export function championAccuracyOf(heldOut: HeldOut | null): number | null {
  return heldOut === null || heldOut.championOf === 0 ? null : heldOut.championRight / heldOut.championOf;
}

/**
 * Held-out accuracy of the best Nodes, voting. If an arm has one seed, the interval is over the tasks of its evaluation
 * (Wilson's), because each task was answered once, by the same Nodes. There is no such interval for a population, whose
 * answers share tasks and Nodes.
 */
export function championSeries(summary: Summary): Point[] {
  const points = seriesOf(summary, 'champion', ({ heldOut }) => championAccuracyOf(heldOut));
  return points.map((point) => {
    if (point.seeds > 1) return point;
    const heldOut = summary.arms
      .find((arm) => shownArm(arm) === point.arm && arm.generations.some((one) => isAt(one, point)))
      ?.generations.find((one) => isAt(one, point))?.heldOut;
    if (!heldOut) return point;
    return { ...point, interval: wilsonInterval(heldOut.championRight, heldOut.championOf) };
  });
}

/** Evenly spread items, including the first and the last. */
function thinned<Item>(items: readonly Item[]): readonly Item[] {
  const step = (items.length - 1) / (DRAWN_POINTS - 1);
  if (step <= 1) return items;
  const drawn = new Set(Array.from({ length: DRAWN_POINTS }, (_, at) => Math.round(at * step)));
  return items.filter((_, at) => drawn.has(at));
}

function isAt({ generation, heldOut }: Generation, point: Point): boolean {
  return generation === point.generation && championAccuracyOf(heldOut) !== null;
}
