import { z } from 'zod';
import { Genome, Id, Instant } from './values.ts';

/** Stream `genesis-<network>`: how the first generation came to be. */
export type GenesisEvent =
  | { readonly type: 'GenesisBegun'; readonly data: GenesisBegun }
  | { readonly type: 'BirthConfirmed'; readonly data: BirthConfirmed }
  | { readonly type: 'GenesisRepeated'; readonly data: GenesisRepeated }
  | { readonly type: 'GenesisCompleted'; readonly data: { readonly at: string } };

const Seed = z.strictObject({
  cluster: Id,
  name: z.string().min(1).max(80),
  species: Id,
  genome: Genome,
  nodes: z.int().min(1).max(50),
});

const Plan = z.strictObject({
  network: Id,
  superCluster: Id,
  device: Id,
  /** Account of the device's owner: it is opened with the welcome grant and earns what the Nodes earn. */
  owner: Id,
  seeds: z.array(Seed).min(1).max(200),
});

export type GenesisBegun = z.infer<typeof Plan> & { readonly dueAt: string; readonly at: string };

/** Something that genesis called into being is there: a Super Cluster, a Cluster or a Node. */
export interface BirthConfirmed {
  readonly what: 'superCluster' | 'cluster' | 'node';
  readonly id: string;
  readonly at: string;
}

/** What was not confirmed in time is called again. */
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
export type GenesisCommand = z.infer<typeof GenesisCommand>;
