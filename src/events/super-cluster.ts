import { z } from 'zod';
import type { Member } from './cluster.ts';
import { Complexity, Id, Instant, Resource, type RoutingMode, Stakes, TaskType, Text } from './values.ts';

/** The Super Cluster that queries go to. There is one in a network as yet. */
export const MAIN_SUPER_CLUSTER = 'main';

/** Stream `superCluster-<id>`: where every subtask went, and why. */
export type SuperClusterEvent =
  | { readonly type: 'SuperClusterFormed'; readonly data: SuperClusterFormed }
  | { readonly type: 'SubtaskRouted'; readonly data: SubtaskRouted }
  | { readonly type: 'RoutingFailed'; readonly data: RoutingFailed }
  | { readonly type: 'SubtaskSettled'; readonly data: SubtaskSettled };

export interface SuperClusterFormed {
  readonly superCluster: string;
  readonly saga: string;
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
  prefer: z.enum(['node', 'cluster', 'mixed']),
  specialization: Id,
  /** Resources that have failed at this subtask already. */
  exclude: z.array(Resource).max(16),
  /** Whether a wrong answer would be found by computation alone. */
  checkable: z.boolean(),
  dueAt: Instant,
});
export type RoutingRequest = z.infer<typeof Request>;

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
  z.object({ type: z.literal('FormSuperCluster'), data: z.strictObject({ superCluster: Id, saga: Id }) }),
  z.object({ type: z.literal('RouteSubtask'), data: Request }),
  z.object({ type: z.literal('SettleSubtask'), data: z.strictObject({ queryId: Id, subtaskId: Id }) }),
]);
export type SuperClusterCommand = z.infer<typeof SuperClusterCommand>;
