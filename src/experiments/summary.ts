import { z } from 'zod';
import { EvolutionMode } from '../events/evolution.ts';
import { Fraction, Instant } from '../events/values.ts';

/**
 * `SUMMARY_FILE`: the results of an experiment, generation by generation, for all arms and seeds. Figures and
 * comparisons need nothing else.
 */

export const SUMMARY_FILE = 'summary.json';

export const SUMMARY_SCHEMA = 'dellm-experiment-summary/1';

const Count = z.int().min(0);
/** Sums of logarithms that should be 0 may come out a little below it. */
const Bits = z.number().min(-1e-9);

/** Normalised scores (0–1) of the Nodes that were judged. Mean, sd and best are 0 if none was. */
const FitnessSummary = z.strictObject({
  mean: Fraction,
  /** Standard deviation, with divisor n − 1; 0 if fewer than two were judged. */
  sd: z.number().min(0),
  n: Count,
  best: Fraction,
});

/**
 * An evaluation: answers to tasks that no selection saw. `right` of `of`: each task by one Node drawn from the Clusters
 * of its field, which measures the population as a whole. `championRight` of `championOf`: by the three Nodes with the
 * best record for the task type, voting, which measures what a network with routing makes of the population.
 */
const HeldOut = z
  .strictObject({ right: Count, of: Count, championRight: Count, championOf: Count })
  .refine(({ right, of, championRight, championOf }) => right <= of && championRight <= championOf, {
    error: 'more answers are right than were given',
  });
export type HeldOut = z.infer<typeof HeldOut>;

const Diversity = z.strictObject({
  /** Distinct genomes, models and specializations among the living. */
  genomes: Count,
  models: Count,
  /** Shannon entropy of the models' shares, in bits. */
  modelEntropyBits: Bits,
  specializations: Count,
});

/** Mutual information between lineage and task type, from answers. */
const Specialization = z.strictObject({
  /** In bits. */
  mutualInformation: Bits,
  /** Share of the task types' entropy that the lineage explains, 0–1 but for rounding. */
  normalised: z
    .number()
    .min(-1e-9)
    .max(1 + 1e-9),
  /** Mutual information that this many answers would show by chance, in bits. */
  expectedByChance: Bits,
});

export const Generation = z.strictObject({
  /** 0 is the first generation, before any selection. */
  generation: Count,
  /** When it ended, in the experiment's virtual time. */
  at: Instant,
  nodes: Count,
  born: Count,
  culled: Count,
  fitness: FitnessSummary,
  /** Share of right answers among the judged training tasks; null if none was judged. */
  trainAccuracy: Fraction.nullable(),
  /** Null for generations without an evaluation. */
  heldOut: HeldOut.nullable(),
  diversity: Diversity,
  specialization: Specialization,
  mode: EvolutionMode,
  /** Number of Clusters of each kind. */
  clusters: z.strictObject({ specialized: Count, geographic: Count, hybrid: Count }),
});
export type Generation = z.infer<typeof Generation>;

/** One arm at one seed. */
export const Arm = z.strictObject({
  /** Such as `evolution` or `random-search`. All seeds of an arm have the same name. */
  arm: z.string().min(1).max(80),
  /** Name in figures and tables, if it is not `arm`. */
  label: z.string().min(1).max(80).optional(),
  seed: z.int(),
  /** The budget that it used: judged tasks. */
  tasks: Count,
  /** Model calls, without those of evaluations. */
  inferences: Count,
  /** Tasks in each evaluation. */
  heldOutSize: Count,
  /** Oldest first. */
  generations: z.array(Generation),
});
export type Arm = z.infer<typeof Arm>;

export const Summary = z
  .strictObject({
    schema: z.literal(SUMMARY_SCHEMA),
    /** Whether any answer came from a skill model instead of a language model. */
    simulated: z.boolean(),
    engine: z.enum(['miniature', 'simulated', 'recorded']),
    /** The experiment's parameters, defaults resolved. */
    config: z.record(z.string(), z.unknown()),
    arms: z.array(Arm).min(1),
  })
  .refine(({ engine, simulated }) => simulated || engine !== 'simulated', {
    path: ['simulated'],
    error: 'answers of the simulated engine are simulated',
  })
  .check(({ value: { arms }, issues }) => {
    const fault = (index: number, message: string): void => {
      issues.push({ code: 'custom', path: ['arms', index], input: arms[index]?.arm, message });
    };
    const runs = new Set<string>();
    const arm = new Map<string, string>();
    const shown = new Map<string, string>();
    for (const [index, run] of arms.entries()) {
      const name = `${run.arm} at seed ${run.seed}`;
      const label = run.label ?? run.arm;
      if (runs.has(name)) fault(index, `${name} stands there twice`);
      if ((shown.get(run.arm) ?? label) !== label) fault(index, `${run.arm} has two labels`);
      if ((arm.get(label) ?? run.arm) !== run.arm) fault(index, `two arms are shown as ${label}`);
      runs.add(name);
      shown.set(run.arm, label);
      arm.set(label, run.arm);
      const numbers = run.generations.map(({ generation }) => generation);
      if (numbers.some((number, at) => number <= (numbers[at - 1] ?? -1))) {
        fault(index, `the generations of ${name} are not in order`);
      }
    }
  });
export type Summary = z.infer<typeof Summary>;

/** The result of an arm's last evaluation; null if there was none. */
export function finalHeldOut({ generations }: Arm): HeldOut | null {
  return generations.findLast(({ heldOut }) => heldOut !== null && heldOut.of > 0)?.heldOut ?? null;
}
