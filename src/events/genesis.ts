import { z } from 'zod';
import type { Deadlines, WaitOf } from './deadline.ts';
import { EvolutionSettings } from './evolution.ts';
import { Genome, Id, Instant, type Parsed } from './values.ts';

/** Stream `genesis-<network>`: how the first generation was formed. */
export type GenesisEvent =
  | { readonly type: 'GenesisBegun'; readonly data: GenesisBegun }
  | { readonly type: 'BirthConfirmed'; readonly data: BirthConfirmed }
  | { readonly type: 'GenesisRepeated'; readonly data: GenesisRepeated }
  | { readonly type: 'GenesisCompleted'; readonly data: { readonly at: string } };

const Seedling = z.strictObject({ node: Id, species: Id, genome: Genome, device: Id, owner: Id });

const Seed = z.strictObject({
  /** Ids of its generations and their offspring begin with this id, so it is shorter than other ids. */
  cluster: Id.max(40),
  name: z.string().min(1).max(80),
  specialization: Id,
  nodes: z.array(Seedling).min(1).max(50),
});

const Plan = z.strictObject({
  network: Id,
  /** Null if another genesis forms it: this genesis adds Clusters to a network. */
  superCluster: Id.nullable(),
  seeds: z.array(Seed).min(1).max(200),
  /** The rules of evolution. Null: no Node is culled or born. */
  evolution: EvolutionSettings.nullable(),
});

export type GenesisBegun = Parsed<typeof Plan> & { readonly dueAt: string; readonly at: string };

/** A Super Cluster, a Cluster or a Node that genesis started now exists. */
export interface BirthConfirmed {
  readonly what: 'superCluster' | 'cluster' | 'node';
  readonly id: string;
  readonly at: string;
}

/** What is not yet confirmed is started again. */
export interface GenesisRepeated {
  readonly awaited: readonly string[];
  readonly dueAt: string;
  readonly at: string;
}

export const GenesisCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('BeginGenesis'), data: Plan }),
  z.object({
    type: z.literal('ConfirmBirth'),
    data: z.strictObject({ what: z.enum(['superCluster', 'cluster', 'node']), id: Id }),
  }),
  z.object({ type: z.literal('PassDeadline'), data: z.strictObject({ dueAt: Instant }) }),
]);
export type GenesisCommand = Parsed<typeof GenesisCommand>;

/** Genesis has one wait for all births. */
export const GENESIS_DEADLINES: Deadlines<GenesisEvent, GenesisCommand> = {
  opens: { GenesisBegun: births, GenesisRepeated: births },
  meets: {},
  meetsAll: ['GenesisCompleted'],
};

function births({ dueAt }: GenesisBegun | GenesisRepeated): WaitOf<GenesisCommand> {
  return { key: 'births', dueAt, data: { dueAt } };
}
