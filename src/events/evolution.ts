import { z } from 'zod';
import { Fraction, Genome, Id, type Parsed, TaskType, Text } from './values.ts';

/**
 * Types about evolution that several aggregates use. Rules and numbers come from the founding document. What it
 * leaves open is decided in docs/adr/0009-evolution.md.
 */

/** The tiers of the founding document, by RAM: 4, 8, 16 and 32 GB. */
export const Tier = z.enum(['ultra-low', 'low', 'mid', 'high']);
export type Tier = Parsed<typeof Tier>;

/**
 * How the next generation is found. `evolution`: selection and inheritance. The others are controls with the
 * same budget. `random-search` culls in the same way and fills the slots with random genomes. `best-of-n`
 * replaces all Nodes by random genomes each time, and only remembers the best. `static` changes nothing.
 */
export const Strategy = z.enum(['evolution', 'random-search', 'best-of-n', 'static']);
export type Strategy = Parsed<typeof Strategy>;

export const MutationKind = z.enum(['specialization', 'parameters', 'prompt', 'model']);
export type MutationKind = Parsed<typeof MutationKind>;

/** One change of a genome. `field` is the path in the genome, such as `samplingParams.temperature`. */
export const Mutation = z.strictObject({
  kind: MutationKind,
  field: z.string().max(80),
  from: z.union([z.string().max(4096), z.number()]),
  to: z.union([z.string().max(4096), z.number()]),
});
export type Mutation = Parsed<typeof Mutation>;

/**
 * How hard evolution presses, by the network's fitness: at least 0.75, at least 0.65, at least 0.55, below
 * 0.55.
 */
export const EvolutionMode = z.enum(['normal', 'increased', 'aggressive', 'crisis']);
export type EvolutionMode = Parsed<typeof EvolutionMode>;

/** How offspring are bred in an evolution mode. */
export interface EvolutionRates {
  /** Share of the offspring that have two parents, 0–1. */
  readonly crossover: number;
  /** Least and most mutations of an offspring. An offspring of crossover may have none. */
  readonly mutations: readonly [number, number];
  /** Share of the offspring that are random genomes, 0–1. */
  readonly immigration: number;
}

/** A model that a genome may name, with the tiers of devices on which it may be part of a pair. */
export const GenePoolModel = z.strictObject({ id: Id, tiers: z.array(Tier).max(4) });
export type GenePoolModel = Parsed<typeof GenePoolModel>;

/** The values that mutations and random genomes draw from. */
export const GenePool = z.strictObject({
  models: z.array(GenePoolModel).min(2).max(64),
  specializations: z.array(Id).min(1).max(32),
  promptTemplates: z.array(Genome.shape.promptTemplates).min(1).max(32),
  /** Sizes of the context window, in tokens. */
  contextTokens: z.array(z.int().min(64).max(131_072)).min(1).max(8),
  maxTokens: z.int().min(1).max(8192),
});
export type GenePool = Parsed<typeof GenePool>;

/** The rules of evolution. They are recorded when they are set. A branch of a history can change them. */
export const EvolutionSettings = z.strictObject({
  strategy: Strategy,
  /** A generation ends after this many successful tasks of its Cluster (the founding document's M) … */
  tasksPerGeneration: z.int().min(1).max(1_000_000),
  /** … or this long after its first one (T), in milliseconds. */
  generationMs: z
    .int()
    .min(1_000)
    .max(31 * 86_400_000),
  /** A Node is on trial until this many of its tasks are judged on the basis `computed` or `gold`. */
  minTasks: z.int().min(1).max(1_000),
  /** Share that is culled, and share that has offspring, 0–0.5. The founding document has 0.2 for both. */
  cullShare: z.number().min(0).max(0.5),
  eliteShare: z.number().gt(0).max(0.5),
  /** Least and most offspring of each elite. The founding document has 2–3. */
  variants: z
    .tuple([z.int().min(1).max(10), z.int().min(1).max(10)])
    .refine(([least, most]) => least <= most, 'the least number of variants is above the most'),
  /** The enabled kinds of mutation. */
  mutations: z.array(MutationKind).max(4),
  crossover: z.boolean(),
  /** Whether rates follow the network's fitness. If not, the mode stays `normal`. */
  adaptiveModes: z.boolean(),
  /** Share of the distributed tasks that are accompanied by a gold task, 0–1. */
  goldShare: Fraction,
  genePool: GenePool,
});
export type EvolutionSettings = Parsed<typeof EvolutionSettings>;

/** The kind of a Cluster, by what most of its members share. Its name follows from it. */
export const ClusterKind = z.enum(['specialized', 'geographic', 'hybrid']);
export type ClusterKind = Parsed<typeof ClusterKind>;

/** A task with a known answer, or, if there is no single right answer, with a word that a right answer contains. */
export const GoldTask = z.strictObject({
  prompt: Text,
  taskType: TaskType,
  expected: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('answer'), value: z.string().max(4096) }),
    z.strictObject({ kind: z.literal('mentions'), value: z.string().min(1).max(200) }),
  ]),
});
export type GoldTask = Parsed<typeof GoldTask>;

/** The genesis that waits for something that it started. */
export const GenesisRef = z.strictObject({ kind: z.literal('genesis'), id: Id });
export type GenesisRef = Parsed<typeof GenesisRef>;

/** The generation that waits for a birth or a retirement. */
export const GenerationRef = z.strictObject({ kind: z.literal('generation'), id: Id });
export type GenerationRef = Parsed<typeof GenerationRef>;

/** A saga that waits for something that it started. */
export const SagaRef = z.discriminatedUnion('kind', [GenesisRef, GenerationRef]);
export type SagaRef = Parsed<typeof SagaRef>;

/** A place for a Node on a device. `replaces`: the culled Node that had the slot; null if the slot was free. */
export const Slot = z.strictObject({
  node: Id,
  device: Id,
  owner: Id,
  tier: Tier.nullable(),
  cluster: Id,
  replaces: Id.nullable(),
});
export type Slot = Parsed<typeof Slot>;

/** A Node's fitness, from answers judged by computation or gold, never from agreement. */
export interface NodeFitness {
  readonly node: string;
  readonly judged: number;
  readonly right: number;
  /** (correctness × speed) / (latency + compute cost), relative to par and weighted by demand; null on trial. */
  readonly fitness: number | null;
  /** 0–1; null on trial. */
  readonly score: number | null;
  readonly byType: readonly TypeFitness[];
}

export interface TypeFitness {
  readonly taskType: string;
  readonly judged: number;
  readonly right: number;
  /** Mean response time (at least the task type's target) and mean compute time of both models, in seconds. */
  readonly latencyS: number;
  readonly computeS: number;
  readonly fitness: number;
  readonly score: number;
}
