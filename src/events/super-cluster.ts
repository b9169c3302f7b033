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

/** The Super Cluster that queries go to. There is one in a network as yet. */
export const MAIN_SUPER_CLUSTER = 'main';

/** Stream `superCluster-<id>`: where every subtask went, and why. */
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

/** Where the offspring of a Cluster's generation may live, in the Cluster itself or in another one that has room. */
export interface SlotsGranted {
  /** The generation saga's id. */
  readonly claim: string;
  readonly cluster: string;
  readonly wanted: number;
  readonly slots: readonly Slot[];
  /** Nodes of earlier grants that the read model shows by now. */
  readonly arrived: readonly string[];
  readonly readPosition: number;
  readonly at: string;
}

/** How well the network does, 0–1: see docs/adr/0009-evolution.md. */
export interface NetworkFitnessMeasured {
  /** The generation saga after which it was measured. */
  readonly generation: string;
  readonly cluster: string;
  readonly score: number;
  /** Nodes that have been judged, and how many answers that is. */
  readonly nodes: number;
  readonly judged: number;
  /** The mode that this score belongs to; the network's mode follows when it has come twice in a row. */
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

/** One Cluster may join another; from now on nobody joins it any more. */
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
  /** Resources that have failed at this subtask already. */
  exclude: z.array(Resource).max(16),
  /** Whether a wrong answer would be found by computation alone. */
  checkable: z.boolean(),
  dueAt: Instant,
});
export type RoutingRequest = Parsed<typeof Request>;

/** A candidate with the factors of its score, each 0–1. */
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
  /** The best first, then in the order of fail-over. */
  readonly chosen: readonly Resource[];
  /** The Nodes from outside the Cluster that vote with it, in mode `mixed`. */
  readonly guests: readonly Member[];
  /** The top three that it was chosen from. */
  readonly ranking: readonly Ranked[];
  readonly policy: 'exploit' | 'explore' | 'forced-diversity';
  /** Why more Nodes than planned look at it: a Node that must first prove itself, or a random spot check. */
  readonly replicatedFor: 'new-node' | 'spot-check' | null;
  readonly why: string;
  readonly draws: readonly number[];
  /** Natural key of the task, when it goes straight to a Node. */
  readonly taskId: string;
  /** Position of the read model that the matrix, trust and load rows are from. */
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
      /** Only where nothing was configured before. */
      onlyIfNone: z.boolean(),
    }),
  }),
  z.object({
    type: z.literal('ClaimSlots'),
    data: z.strictObject({
      claim: Id,
      cluster: Id,
      wanted: z.int().min(0).max(256),
      /** Culled Nodes, whose slots go to the offspring first. */
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

/** A subtask in flight is its query's to wait for. */
export const SUPER_CLUSTER_DEADLINES: Deadlines<SuperClusterEvent, SuperClusterCommand> = {
  opens: {},
  meets: {},
  meetsAll: [],
};
