import { z } from 'zod';
import type { Member } from './cluster.ts';
import type { Deadlines } from './deadline.ts';
import { type EvolutionMode, EvolutionSettings, GenesisRef, type Slot } from './evolution.ts';
import {
  Complexity,
  Id,
  Instant,
  type Parsed,
  Resource,
  RoutingMode,
  Stakes,
  TaskType,
  Text,
} from './values.ts';

/** The Super Cluster that queries go to. So far a network has one. */
export const MAIN_SUPER_CLUSTER = 'main';

/** Stream `superCluster-<id>`: where every subtask was routed, and why. */
export type SuperClusterEvent =
  | { readonly type: 'SuperClusterFormed'; readonly data: SuperClusterFormed }
  | { readonly type: 'SubtaskRouted'; readonly data: SubtaskRouted }
  | { readonly type: 'RoutingFailed'; readonly data: RoutingFailed }
  | { readonly type: 'SubtaskSettled'; readonly data: SubtaskSettled }
  | { readonly type: 'EvolutionConfigured'; readonly data: EvolutionConfigured }
  | { readonly type: 'SlotsGranted'; readonly data: SlotsGranted }
  | { readonly type: 'NetworkFitnessMeasured'; readonly data: NetworkFitnessMeasured }
  | { readonly type: 'EvolutionModeChanged'; readonly data: EvolutionModeChanged }
  | { readonly type: 'MergeApproved'; readonly data: MergeApproved };

export interface SuperClusterFormed {
  readonly superCluster: string;
  readonly saga: GenesisRef;
  readonly at: string;
}

export interface EvolutionConfigured {
  readonly settings: EvolutionSettings;
  readonly at: string;
}

/** Slots for the offspring of a Cluster's generation, in the Cluster itself or in another one that has room. */
export interface SlotsGranted {
  /** The generation saga's id. */
  readonly claim: string;
  readonly cluster: string;
  readonly wanted: number;
  readonly slots: readonly Slot[];
  /** Nodes of earlier grants that the read model now contains. */
  readonly arrived: readonly string[];
  readonly readPosition: number;
  readonly at: string;
}

/** The network's fitness, 0–1: see docs/adr/0009-evolution.md. */
export interface NetworkFitnessMeasured {
  /** The generation saga after which it was measured. */
  readonly generation: string;
  readonly cluster: string;
  readonly score: number;
  /** The number of judged Nodes, and of their judged answers. */
  readonly nodes: number;
  readonly judged: number;
  /** The mode that this score belongs to. The network changes to it when it occurs twice in a row. */
  readonly band: EvolutionMode;
  readonly readPosition: number;
  readonly at: string;
}

export interface EvolutionModeChanged {
  readonly from: EvolutionMode;
  readonly to: EvolutionMode;
  readonly score: number;
  readonly rule: string;
  readonly at: string;
}

/** A Cluster may join another one. From now on no other Cluster may join it. */
export interface MergeApproved {
  readonly cluster: string;
  readonly into: string;
  readonly cause: string;
  readonly at: string;
}

const Request = z.strictObject({
  queryId: Id,
  subtaskId: Id,
  attempt: z.int().min(1),
  prompt: Text,
  taskType: TaskType,
  complexity: Complexity,
  stakes: Stakes,
  /** How many Nodes the planner wants to vote: 1 for simple, 3 for medium, more for high stakes. */
  nodes: z.int().min(1).max(50),
  prefer: RoutingMode,
  specialization: Id,
  /** Resources that have already failed at this subtask. */
  exclude: z.array(Resource).max(16),
  /** Whether computation alone would find a wrong answer. */
  checkable: z.boolean(),
  dueAt: Instant,
});
export type RoutingRequest = Parsed<typeof Request>;

/** A candidate resource with its routing score and the factors of it, each 0–1. */
export interface Ranked extends Resource {
  readonly score: number;
  readonly parts: {
    readonly matrix: number;
    readonly load: number;
    readonly proximity: number;
    readonly trend: number;
    readonly trust: number;
  };
}

export interface SubtaskRouted extends RoutingRequest {
  readonly mode: RoutingMode;
  /** The best first, then in the order of failover. */
  readonly chosen: readonly Resource[];
  /** The Nodes from other Clusters that vote, in mode `mixed`. */
  readonly guests: readonly Member[];
  /** The three best candidates. */
  readonly ranking: readonly Ranked[];
  readonly policy: 'exploit' | 'explore' | 'forced-diversity';
  /** Why more Nodes than planned vote: the Node is not proven yet, or it is a random spot check. */
  readonly replicatedFor: 'new-node' | 'spot-check' | null;
  readonly why: string;
  readonly draws: readonly number[];
  /** Id of the task, if the subtask goes directly to a Node. */
  readonly taskId: string;
  /** Position of the read model that matrix, trust and load are from. */
  readonly readPosition: number;
  readonly at: string;
}

export interface RoutingFailed {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly reason: string;
  readonly dueAt: string;
  readonly at: string;
}

export interface SubtaskSettled {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly at: string;
}

export const SuperClusterCommand = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('FormSuperCluster'),
    data: z.strictObject({ superCluster: Id, saga: GenesisRef }),
  }),
  z.object({ type: z.literal('RouteSubtask'), data: Request }),
  z.object({ type: z.literal('SettleSubtask'), data: z.strictObject({ queryId: Id, subtaskId: Id }) }),
  z.object({
    type: z.literal('ConfigureEvolution'),
    data: z.strictObject({
      settings: EvolutionSettings,
      /** Set them only if none were set before. */
      onlyIfNone: z.boolean(),
    }),
  }),
  z.object({
    type: z.literal('ClaimSlots'),
    data: z.strictObject({
      claim: Id,
      cluster: Id,
      wanted: z.int().min(0).max(256),
      /** Culled Nodes. Their slots go to the offspring first. */
      culled: z.array(z.strictObject({ node: Id, device: Id })).max(64),
    }),
  }),
  z.object({ type: z.literal('MeasureFitness'), data: z.strictObject({ generation: Id, cluster: Id }) }),
  z.object({
    type: z.literal('ApproveMerge'),
    data: z.strictObject({ cluster: Id, into: Id, cause: z.string().max(300) }),
  }),
]);
export type SuperClusterCommand = Parsed<typeof SuperClusterCommand>;

/** The Super Cluster waits for nothing: a subtask in flight has a deadline in its query. */
export const SUPER_CLUSTER_DEADLINES: Deadlines<SuperClusterEvent, SuperClusterCommand> = {
  opens: {},
  meets: {},
  meetsAll: [],
};
