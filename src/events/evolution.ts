import { z } from 'zod';
import { Fraction, Genome, Id, type Parsed, TaskType, Text } from './values.ts';

/**
 * Words that several aggregates use of evolution. Rules and numbers are the founding document's; what it leaves open is
 * decided in docs/adr/0009-evolution.md.
 */

/** The founding document's classes of devices, by RAM: 4, 8, 16 and 32 GB. */
export const Tier = z.enum(['ultra-low', 'low', 'mid', 'high']);
export type Tier = Parsed<typeof Tier>;

/**
 * How the next generation is found. `evolution`: selection and heredity. The others are controls at the same budget:
 * `random-search` culls alike and fills the slots with random genomes; `best-of-n` replaces everybody by random genomes
 * each time, and only remembers the best; `static` changes nobody.
 */
export const Strategy = z.enum(['evolution', 'random-search', 'best-of-n', 'static']);
export type Strategy = Parsed<typeof Strategy>;

export const MutationKind = z.enum(['specialization', 'parameters', 'prompt', 'model']);
export type MutationKind = Parsed<typeof MutationKind>;

/** One change of a genome: `field` is its path in the genome, such as `samplingParams.temperature`. */
export const Mutation = z.strictObject({
  kind: MutationKind,
  field: z.string().max(80),
  from: z.union([z.string().max(4096), z.number()]),
  to: z.union([z.string().max(4096), z.number()]),
});
export type Mutation = Parsed<typeof Mutation>;

/** How hard evolution presses, by the network's fitness: from 0.75, from 0.65, from 0.55, below. */
export const EvolutionMode = z.enum(['normal', 'increased', 'aggressive', 'crisis']);
export type EvolutionMode = Parsed<typeof EvolutionMode>;

/** What offspring are made of in a mode. */
export interface EvolutionRates {
  /** Share of the offspring that have two parents, 0–1. */
  readonly crossover: number;
  /** Mutations of an offspring, at least and at most. A crossover's offspring may have none. */
  readonly mutations: readonly [number, number];
  /** Share of the offspring that are random genomes, 0–1. */
  readonly immigration: number;
}

/** A model that a genome may name, with the tiers of device on which it can be half of a pair. */
export const GenePoolModel = z.strictObject({ id: Id, tiers: z.array(Tier).max(4) });
export type GenePoolModel = Parsed<typeof GenePoolModel>;

/** The alleles that mutations and random genomes draw from. */
export const GenePool = z.strictObject({
  models: z.array(GenePoolModel).min(2).max(64),
  specializations: z.array(Id).min(1).max(32),
  promptTemplates: z.array(Genome.shape.promptTemplates).min(1).max(32),
  /** Sizes of the context window, in tokens. */
  contextTokens: z.array(z.int().min(64).max(131_072)).min(1).max(8),
  maxTokens: z.int().min(1).max(8192),
});
export type GenePool = Parsed<typeof GenePool>;

/** What evolution goes by. It is recorded when it is set, and a branch of a history changes it. */
export const EvolutionSettings = z.strictObject({
  strategy: Strategy,
  /** A generation ends after this many successful tasks of its Cluster (the founding document's M) … */
  tasksPerGeneration: z.int().min(1).max(1_000_000),
  /** … or this long after its first one (T), in milliseconds. */
  generationMs: z
    .int()
    .min(1_000)
    .max(31 * 86_400_000),
  /** A Node is on trial until so many of its tasks were judged by computation or a gold answer. */
  minTasks: z.int().min(1).max(1_000),
  /** Share that is culled, and share that has offspring. The founding document has 0.2 for both. */
  cullShare: z.number().min(0).max(0.5),
  eliteShare: z.number().gt(0).max(0.5),
  /** Offspring of each of the best, at least and at most. The founding document has 2–3. */
  variants: z
    .tuple([z.int().min(1).max(10), z.int().min(1).max(10)])
    .refine(([least, most]) => least <= most, 'the least number of variants is above the most'),
  /** The kinds of mutation that happen. */
  mutations: z.array(MutationKind).max(4),
  crossover: z.boolean(),
  /** Whether rates follow the network's fitness; if not, the mode stays `normal`. */
  adaptiveModes: z.boolean(),
  /** Share of the distributed tasks beside which a gold task is asked, 0–1. */
  goldShare: Fraction,
  genePool: GenePool,
});
export type EvolutionSettings = Parsed<typeof EvolutionSettings>;

/** What a Cluster turns out to be made of; it is named by that. */
export const ClusterKind = z.enum(['specialized', 'geographic', 'hybrid']);
export type ClusterKind = Parsed<typeof ClusterKind>;

/** A task with a known answer, or with a word that a right answer holds where there is no single one. */
export const GoldTask = z.strictObject({
  prompt: Text,
  taskType: TaskType,
  expected: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('answer'), value: z.string().max(4096) }),
    z.strictObject({ kind: z.literal('mentions'), value: z.string().min(1).max(200) }),
  ]),
});
export type GoldTask = Parsed<typeof GoldTask>;

/** The genesis that waits for something that it called into being. */
export const GenesisRef = z.strictObject({ kind: z.literal('genesis'), id: Id });
export type GenesisRef = Parsed<typeof GenesisRef>;

/** The generation that waits for a birth or a retirement. */
export const GenerationRef = z.strictObject({ kind: z.literal('generation'), id: Id });
export type GenerationRef = Parsed<typeof GenerationRef>;

/** A saga that called something into being and waits to hear that it is there. */
export const SagaRef = z.discriminatedUnion('kind', [GenesisRef, GenerationRef]);
export type SagaRef = Parsed<typeof SagaRef>;

/** A place for a Node on a device. `replaces` is the culled Node whose slot it is, null for one that was free. */
export const Slot = z.strictObject({
  node: Id,
  device: Id,
  owner: Id,
  tier: Tier.nullable(),
  cluster: Id,
  replaces: Id.nullable(),
});
export type Slot = Parsed<typeof Slot>;

/** How fit a Node is, from answers judged by computation or gold, never from agreement. */
export interface NodeFitness {
  readonly node: string;
  readonly judged: number;
  readonly right: number;
  /** (correctness × speed) / (latency + compute cost) as a share of par, weighted by demand; null on trial. */
  readonly fitness: number | null;
  /** 0–1; null on trial. */
  readonly score: number | null;
  readonly byType: readonly TypeFitness[];
}

export interface TypeFitness {
  readonly taskType: string;
  readonly judged: number;
  readonly right: number;
  /** Mean response time as it counts (never less than the type's target), and mean compute time of both models, in seconds. */
  readonly latencyS: number;
  readonly computeS: number;
  readonly fitness: number;
  readonly score: number;
}
