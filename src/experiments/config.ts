import { z } from 'zod';
import { EvolutionSettings, MutationKind, Strategy, Tier } from '../events/evolution.ts';

/** The parameters of an experiment are wrong. The message has one line for each wrong parameter. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * The rules of evolution that an arm may change. All others are the same for all arms, so that they can be compared.
 */
const { minTasks, cullShare, eliteShare, variants, mutations, crossover, adaptiveModes } =
  EvolutionSettings.shape;
export const EvolutionOverrides = z
  .strictObject({ minTasks, cullShare, eliteShare, variants, mutations, crossover, adaptiveModes })
  .partial();
export type EvolutionOverrides = z.infer<typeof EvolutionOverrides>;

/** One way to find the next generation, with a name. */
export interface Arm {
  readonly name: string;
  readonly strategy: Strategy;
  /** On top of those of the whole experiment. */
  readonly overrides: EvolutionOverrides;
}

const MOST_NODES = 10_000;
const MOST_SEEDS = 1_000;

const ALL_MUTATIONS = MutationKind.options;

/** Arms that are evolution without one part. */
const ABLATIONS: Readonly<Record<string, EvolutionOverrides>> = {
  'no-crossover': { crossover: false },
  'no-modes': { adaptiveModes: false },
  'no-mutation': { mutations: [] },
  ...Object.fromEntries(ALL_MUTATIONS.map((kind) => [`no-${kind}-mutation`, { mutations: without(kind) }])),
};

const ARM_NAMES = [...Strategy.options, ...Object.keys(ABLATIONS)];

const Ablation = EvolutionOverrides.refine(
  (overrides) => Object.keys(overrides).length > 0,
  'it changes nothing',
);

const Config = z
  .strictObject({
    /** The engine: the miniature models, a model of skill (`simulated.ts`), or recorded answers from a file. */
    engine: z.enum(['miniature', 'simulated', 'recorded']).default('miniature'),
    /** The file of answers, for `recorded`. */
    recordings: z.string().min(1).optional(),
    /** Number of the simulated world, for `simulated`. Its skills and tasks are the same for every seed. */
    world: whole(0, 1_000_000).default(1),
    nodes: whole(5, MOST_NODES).default(50),
    generations: whole(1, 10_000).default(40),
    /** One number, several, or a range such as `1-10`. Each seed is a whole experiment. */
    seed: z.unknown().transform(readSeeds).default([1]),
    arms: listOf(z.enum(ARM_NAMES)).default(['evolution', 'random-search', 'best-of-n', 'static']),
    /** More arms by name: evolution with other rules. */
    ablations: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a name has small letters, digits and "-"'),
        Ablation,
      )
      .default({}),
    /** Tasks with known answers for each Node in a generation. */
    tasksPerNode: whole(1, 1_000).default(10),
    /** Nodes in a Cluster, at most. */
    clusterSize: whole(5, 50).default(10),
    /** Tasks in each evaluation. No selection sees them. 0: no evaluation. */
    heldOut: whole(0, 2_000).default(100),
    /** Generations between evaluations. The first and the last generation are always evaluated. */
    heldOutEvery: whole(1, 10_000).default(1),
    /** Sampling seeds that a model sees. There are this many answers to one prompt, so that they can be recorded. */
    seedVariants: whole(1, 65_536).default(4),
    /** Device tiers, drawn evenly. With one tier, speed plays no part in the comparison of genomes. */
    tiers: listOf(Tier).default(['mid']),
    evolution: EvolutionOverrides.default({}),
  })
  .check(({ value, issues }) => {
    const issue = (path: string, message: string) =>
      issues.push({ code: 'custom', path: [path], input: value, message });
    const { engine, recordings, arms, ablations, evolution, tasksPerNode } = value;
    if (engine === 'recorded' && recordings === undefined) {
      issue('recordings', 'the recorded engine needs the file of answers');
    }
    if (engine !== 'recorded' && recordings !== undefined) {
      issue('recordings', `the ${engine} engine does not use a file of answers`);
    }
    for (const name of Object.keys(ablations)) {
      if (ARM_NAMES.includes(name)) issue(`ablations.${name}`, 'an arm already has this name');
    }
    if (new Set(arms).size < arms.length) issue('arms', 'an arm is listed twice');
    const rules = Object.entries(ablations).map(
      ([name, overrides]) => [`ablations.${name}`, overrides] as const,
    );
    for (const [path, { minTasks = 0 }] of [['evolution', evolution] as const, ...rules]) {
      if (minTasks > tasksPerNode * value.generations) {
        issue(`${path}.minTasks`, 'no Node gets this many tasks in this experiment');
      }
    }
  });

/** An experiment's parameters, including all defaults. */
export interface ExperimentConfig extends Omit<z.infer<typeof Config>, 'seed' | 'arms' | 'ablations'> {
  readonly seeds: readonly number[];
  readonly arms: readonly Arm[];
}

/**
 * Parses the parameters of an experiment from a JSON file, or from command-line options, whose numbers and lists are
 * text. Throws `ConfigError`, which names every wrong field.
 */
export function parseExperiment(input: unknown): ExperimentConfig {
  const parsed = Config.safeParse(input, { reportInput: true });
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap(lineOf);
    throw new ConfigError(['This experiment cannot be run:', ...new Set(lines)].join('\n'), {
      cause: parsed.error,
    });
  }
  const { seed, arms, ablations, ...config } = parsed.data;
  const named = arms.map((name) => armOf(name));
  const further = Object.entries(ablations).map(([name, overrides]) => ({
    name,
    strategy: 'evolution' as const,
    overrides,
  }));
  return { ...config, seeds: seed, arms: [...named, ...further] };
}

function armOf(name: string): Arm {
  const strategy = Strategy.safeParse(name);
  if (strategy.success) return { name, strategy: strategy.data, overrides: {} };
  return { name, strategy: 'evolution', overrides: ABLATIONS[name] ?? {} };
}

/** The lines of the message for one issue. Each unknown key has its own line. */
function lineOf(issue: z.core.$ZodIssue): readonly string[] {
  const place = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = place === '' ? `; the parameters are ${Object.keys(Config.shape).join(', ')}` : '';
    return issue.keys.map((key) => `- ${[place, key].filter(Boolean).join('.')}: no such parameter${known}`);
  }
  if (issue.code === 'invalid_value') {
    return [`- ${place}: ${shown(issue.input)} is not one of ${issue.values.join(', ')}`];
  }
  return [`- ${place === '' ? 'the parameters' : place}: ${issue.message}`];
}

/** A whole number; may be given as text. */
function whole(least: number, most: number) {
  return z.unknown().transform((input, context) => {
    const number = numberIn(input);
    if (number === null || !Number.isInteger(number)) {
      context.issues.push({ code: 'custom', input, message: `${shown(input)} is not a whole number` });
      return z.NEVER;
    }
    if (number < least || number > most) {
      const message = `${number} is not from ${least} to ${most}`;
      context.issues.push({ code: 'custom', input, message });
      return z.NEVER;
    }
    return number;
  });
}

/** A list with at least one item; may be given as text with commas. */
function listOf<Item extends z.ZodType>(item: Item) {
  return z.preprocess((input) => (typeof input === 'string' ? partsOf(input) : input), z.array(item).min(1));
}

function readSeeds(input: unknown, context: z.core.$RefinementCtx): number[] {
  const parts = Array.isArray(input) ? input : typeof input === 'string' ? partsOf(input) : [input];
  const seeds: number[] = [];
  const fail = (message: string) => {
    context.issues.push({ code: 'custom', input, message });
    return z.NEVER;
  };
  for (const part of parts) {
    const range = typeof part === 'string' ? /^(\d{1,15})-(\d{1,15})$/.exec(part) : null;
    const [first, last] = range ? [Number(range[1]), Number(range[2])] : [numberIn(part), numberIn(part)];
    if (first === null || last === null || !Number.isSafeInteger(first) || !Number.isSafeInteger(last)) {
      return fail(`${shown(part)} is not a whole number, a list of numbers, or a range such as 1-10`);
    }
    if (last < first || last - first >= MOST_SEEDS) {
      return fail(`${shown(part)} is not a range of 1 to ${MOST_SEEDS} seeds`);
    }
    for (let seed = first; seed <= last; seed += 1) seeds.push(seed);
  }
  if (seeds.length === 0 || seeds.length > MOST_SEEDS) return fail(`give 1 to ${MOST_SEEDS} seeds`);
  if (new Set(seeds).size < seeds.length) return fail('a seed is listed twice');
  return seeds;
}

function numberIn(input: unknown): number | null {
  if (typeof input === 'number') return input;
  return typeof input === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(input) ? Number(input) : null;
}

function partsOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function shown(input: unknown): string {
  return JSON.stringify(input)?.slice(0, 60) ?? 'nothing';
}

function without(kind: MutationKind): MutationKind[] {
  return ALL_MUTATIONS.filter((one) => one !== kind);
}
