import { z } from 'zod';
import { EvolutionMode } from '../events/evolution.ts';
import { Fraction, Instant } from '../events/values.ts';

/**
 * `SUMMARY_FILE`: what an experiment found, generation by generation, for all arms and all seeds. Figures and
 * comparisons are made from it alone, so it holds everything that they show.
 */

export const SUMMARY_FILE = 'summary.json';

export const SUMMARY_SCHEMA = 'dellm-experiment-summary/1';

const Count = z.int().min(0);
/** Sums of logarithms that should be 0 may come out a little below it. */
const Bits = z.number().min(-1e-9);

/** Normalised scores (0–1) of the Nodes that were judged. Mean, sd and best are 0 where nobody was. */
const FitnessSummary = z.strictObject({
  mean: Fraction,
  /** Standard deviation, with divisor n − 1; 0 where fewer than two were judged. */
  sd: z.number().min(0),
  n: Count,
  best: Fraction,
});

/**
 * Answers to tasks that no selection ever saw. `right` of `of`: each by one Node drawn from the Clusters of the task's field,
 * which is what the population as a whole is worth. `championRight` of `championOf`: by the three Nodes with the best
 * record for the type of task, voting, which is what a network that routes makes of it.
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
  /** Mutual information that as many answers show where there is none, in bits. */
  expectedByChance: Bits,
});

export const Generation = z.strictObject({
  /** 0 for the seeds, before any selection. */
  generation: Count,
  /** When it ended, in the experiment's virtual time. */
  at: Instant,
  nodes: Count,
  born: Count,
  culled: Count,
  fitness: FitnessSummary,
  /** Share of the judged training tasks that were answered right; null where none was judged. */
  trainAccuracy: Fraction.nullable(),
  /** Null for generations after which nobody was examined. */
  heldOut: HeldOut.nullable(),
  diversity: Diversity,
  specialization: Specialization,
  mode: EvolutionMode,
  /** Clusters by what they turned out to be. */
  clusters: z.strictObject({ specialized: Count, geographic: Count, hybrid: Count }),
});
export type Generation = z.infer<typeof Generation>;

/** One arm at one seed. */
export const Arm = z.strictObject({
  /** Such as `evolution` or `random-search`; several seeds of an arm have the same name. */
  arm: z.string().min(1).max(80),
  /** How figures and tables name it, if not by `arm`. */
  label: z.string().min(1).max(80).optional(),
  seed: z.int(),
  /** The budget that it used: judged tasks. */
  tasks: Count,
  /** Model calls, those of the held-out examinations not among them. */
  inferences: Count,
  /** Tasks that each examination asks. */
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

/** The last examination of an arm: what it came to. Null where it was never examined. */
export function finalHeldOut({ generations }: Arm): HeldOut | null {
  return generations.findLast(({ heldOut }) => heldOut !== null && heldOut.of > 0)?.heldOut ?? null;
}
