import { z } from 'zod';
import type { Deadlines, WaitOf } from './deadline.ts';
import {
  type EvolutionMode,
  type EvolutionRates,
  type EvolutionSettings,
  type Mutation,
  type NodeFitness,
  Slot,
  type Strategy,
} from './evolution.ts';
import { type Genome, Id, Instant, type Parsed } from './values.ts';

/** Id of the saga for one generation of a Cluster. */
export function generationId(cluster: string, generation: number): string {
  return `${cluster}-${generation}`;
}

/** Stream `generation-<cluster>-<n>`: which Nodes were judged, culled and born, and why. */
export type GenerationEvent =
  | { readonly type: 'GenerationBegun'; readonly data: GenerationBegun }
  | { readonly type: 'FitnessEvaluated'; readonly data: FitnessEvaluated }
  | { readonly type: 'SelectionMade'; readonly data: SelectionMade }
  | { readonly type: 'SlotsReceived'; readonly data: SlotsReceived }
  | { readonly type: 'OffspringBred'; readonly data: OffspringBred }
  | { readonly type: 'RetirementConfirmed'; readonly data: { readonly node: string; readonly at: string } }
  | { readonly type: 'OffspringBorn'; readonly data: { readonly node: string; readonly at: string } }
  | { readonly type: 'GenerationRepeated'; readonly data: GenerationRepeated }
  | { readonly type: 'GenerationCompleted'; readonly data: GenerationCompleted }
  | { readonly type: 'CompletionAffirmed'; readonly data: { readonly at: string } };

/** Why a generation ended: enough successful tasks, enough time, or a command. */
export const GenerationTrigger = z.enum(['tasks', 'time', 'command']);
export type GenerationTrigger = Parsed<typeof GenerationTrigger>;

const Beginning = z.strictObject({
  cluster: Id,
  /** 1 for the first selection. Its offspring have generation 1. */
  generation: z.int().min(1),
  trigger: GenerationTrigger,
  /** The Cluster's members. */
  members: z.array(Id).max(64),
});

export interface GenerationBegun extends Parsed<typeof Beginning> {
  readonly strategy: Strategy;
  readonly mode: EvolutionMode;
  readonly rates: EvolutionRates;
  readonly settings: EvolutionSettings;
  /** Position of the read model that fitness and mode are from. */
  readonly readPosition: number;
  readonly dueAt: string;
  readonly at: string;
}

/** Ordered by rank, best first. Nodes on trial come last. */
export interface FitnessEvaluated {
  readonly cluster: string;
  readonly generation: number;
  readonly ranking: readonly NodeFitness[];
  readonly at: string;
}

export interface Culled {
  readonly node: string;
  readonly device: string;
  /** 1 for the best of `of` judged Nodes. */
  readonly rank: number;
  readonly of: number;
  readonly fitness: number;
}

export interface SelectionMade {
  readonly cluster: string;
  readonly generation: number;
  readonly elites: readonly string[];
  readonly culled: readonly Culled[];
  readonly kept: readonly string[];
  readonly onTrial: readonly string[];
  /** How many offspring the elites would have if there were slots for all. */
  readonly wanted: number;
  readonly rule: string;
  readonly draws: readonly number[];
  readonly at: string;
}

const Grant = z.strictObject({ slots: z.array(Slot).max(256) });

export type SlotsReceived = Parsed<typeof Grant> & { readonly at: string };

export interface OffspringBred {
  readonly slot: Parsed<typeof Slot>;
  readonly generation: number;
  readonly genome: Genome;
  readonly species: string;
  readonly parents: readonly string[];
  readonly cause: 'mutation' | 'crossover' | 'immigration';
  readonly mutations: readonly Mutation[];
  readonly draws: readonly number[];
  readonly at: string;
}

/** What is not yet confirmed is asked for again: `retirement/<node>`, `birth/<node>` or `slots`. */
export interface GenerationRepeated {
  readonly awaited: readonly string[];
  readonly dueAt: string;
  readonly at: string;
}

export interface GenerationCompleted {
  readonly cluster: string;
  readonly generation: number;
  readonly culled: number;
  readonly born: number;
  readonly at: string;
}

export const GenerationCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('BeginGeneration'), data: Beginning }),
  z.object({ type: z.literal('ReceiveSlots'), data: Grant }),
  z.object({ type: z.literal('ConfirmRetirement'), data: z.strictObject({ node: Id }) }),
  z.object({
    type: z.literal('ConfirmBirth'),
    data: z.strictObject({ what: z.literal('node'), id: Id }),
  }),
  z.object({ type: z.literal('PassDeadline'), data: z.strictObject({ dueAt: Instant }) }),
]);
export type GenerationCommand = Parsed<typeof GenerationCommand>;

/** A generation has one wait for all retirements, slots and births. */
export const GENERATION_DEADLINES: Deadlines<GenerationEvent, GenerationCommand> = {
  opens: { GenerationBegun: succession, GenerationRepeated: succession },
  meets: {},
  meetsAll: ['GenerationCompleted'],
};

function succession({ dueAt }: GenerationBegun | GenerationRepeated): WaitOf<GenerationCommand> {
  return { key: 'succession', dueAt, data: { dueAt } };
}
