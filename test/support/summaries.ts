import { drawsFrom } from '../../src/experiments/draws.ts';
import type { Arm, Generation, Summary } from '../../src/experiments/summary.ts';
import { minutes } from './lives.ts';

export interface Shape {
  readonly arm: string;
  readonly label?: string;
  /** Accuracy of the population at the start, and its gain until the end. */
  readonly from: number;
  readonly gain: number;
}

/** A summary with the shape that experiments write, from made-up numbers: rising accuracies with noise. */
export function madeUpSummary(
  shapes: readonly Shape[],
  seeds: readonly number[],
  generations: number,
  given: Partial<Summary> = {},
): Summary {
  return {
    schema: 'dellm-experiment-summary/1',
    simulated: false,
    engine: 'miniature',
    config: { nodes: 50, generations },
    arms: seeds.flatMap((seed) => shapes.map((shape) => madeUpArm(shape, seed, generations))),
    ...given,
  };
}

function madeUpArm({ arm, label, from, gain }: Shape, seed: number, generations: number): Arm {
  const draws = drawsFrom('made up', arm, seed);
  return {
    arm,
    ...(label !== undefined && { label }),
    seed,
    tasks: 8000,
    inferences: 16_000,
    heldOutSize: 200,
    generations: Array.from({ length: generations + 1 }, (_, generation): Generation => {
      const wobble = (index: number): number => 0.06 * (draws(10 * generation + index) - 0.5);
      const done = 1 - Math.exp((-3 * generation) / Math.max(1, generations));
      const accuracy = Math.min(1, Math.max(0, from + gain * done + wobble(0)));
      const best = Math.min(1, accuracy + 0.1 + wobble(1));
      const drift = generation / Math.max(1, generations);
      return {
        generation,
        at: minutes(60 * generation),
        nodes: 50,
        born: generation === 0 ? 50 : 10,
        culled: generation === 0 ? 0 : 10,
        fitness: { mean: 0.8 * accuracy, sd: 0.1, n: generation === 0 ? 0 : 50, best: 0.9 * best },
        trainAccuracy: accuracy,
        heldOut:
          generation % 5 === 0 || generation === generations
            ? {
                right: Math.round(accuracy * 10_000),
                of: 10_000,
                championRight: Math.round(best * 200),
                championOf: 200,
              }
            : null,
        diversity: {
          genomes: Math.round(50 - 40 * gain * drift),
          models: 6 - Math.round(4 * gain * drift),
          modelEntropyBits: Math.max(0, 2.5 - 3 * gain * drift + wobble(2)),
          specializations: 7 - Math.round(3 * gain * drift),
        },
        specialization: {
          mutualInformation: 0.1 + gain * drift + wobble(3),
          normalised: Math.max(0, (0.1 + gain * drift + wobble(3)) / 2),
          expectedByChance: 0.05 + wobble(4) / 4,
        },
        mode:
          accuracy >= 0.75
            ? 'normal'
            : accuracy >= 0.65
              ? 'increased'
              : accuracy >= 0.55
                ? 'aggressive'
                : 'crisis',
        clusters: { specialized: 2, geographic: 1, hybrid: 3 },
      };
    }),
  };
}

export const FOUR_ARMS: readonly Shape[] = [
  { arm: 'evolution', from: 0.5, gain: 0.35 },
  { arm: 'random-search', from: 0.5, gain: 0.15 },
  { arm: 'best-of-n', from: 0.5, gain: 0.02 },
  { arm: 'static', from: 0.5, gain: 0 },
];
