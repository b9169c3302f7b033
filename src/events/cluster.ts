import { z } from 'zod';
import { Complexity, Id, Instant, type ResourceAnswer, Stakes, TaskType, Text, Vote } from './values.ts';

/** Stream `cluster-<id>`: 5–50 Nodes that answer together. */
export type ClusterEvent =
  | { readonly type: 'ClusterFormed'; readonly data: ClusterFormed }
  | { readonly type: 'NodeAdmitted'; readonly data: NodeAdmitted }
  | { readonly type: 'TaskDistributed'; readonly data: TaskDistributed }
  | { readonly type: 'VoteCounted'; readonly data: VoteCounted }
  | { readonly type: 'VoteLost'; readonly data: VoteLost }
  | { readonly type: 'TiebreakCalled'; readonly data: TiebreakCalled }
  | { readonly type: 'ConsensusReached'; readonly data: ConsensusReached }
  | { readonly type: 'ConsensusFailed'; readonly data: ConsensusFailed };

const Formation = z.strictObject({
  cluster: Id,
  name: z.string().min(1).max(80),
  specialization: Id,
  saga: Id,
});

export type ClusterFormed = z.infer<typeof Formation> & { readonly at: string };

/** `pair` names the two models: Nodes of one pair make the same mistakes, and consensus must know it. */
const Member = z.strictObject({
  node: Id,
  device: Id,
  owner: Id,
  specialization: Id,
  pair: z.string().max(140),
});

export type Member = z.infer<typeof Member>;

export type NodeAdmitted = z.infer<typeof Member> & { readonly at: string };

const Distribution = z.strictObject({
  queryId: Id,
  subtaskId: Id,
  attempt: z.int().min(1),
  prompt: Text,
  taskType: TaskType,
  complexity: Complexity,
  stakes: Stakes,
  /** How many Nodes shall vote. */
  nodes: z.int().min(1).max(50),
  /** Nodes of other Clusters that vote too (routing mode `mixed`). */
  guests: z.array(Member).max(5),
  dueAt: Instant,
});

export interface Share {
  readonly taskId: string;
  readonly node: string;
  readonly device: string;
  readonly owner: string;
  readonly pair: string;
  /** Measured accuracy of the Node for this task type when the task was handed out, 0–1. */
  readonly trust: number;
}

/**
 * The subtask in the hands of k Nodes. `readPosition` is where the trust rows are from; `voteBy` leaves time to count
 * what has come before the subtask itself is due.
 */
export type TaskDistributed = z.infer<typeof Distribution> & {
  readonly voteBy: string;
  readonly shares: readonly Share[];
  readonly readPosition: number;
  readonly at: string;
};

export interface VoteCounted {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly taskId: string;
  readonly node: string;
  readonly vote: Vote;
  readonly responseMs: number;
  readonly at: string;
}

export interface VoteLost {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly taskId: string;
  readonly node: string;
  readonly reason: string;
  readonly at: string;
}

export interface TiebreakCalled {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly share: Share;
  readonly prompt: string;
  readonly taskType: TaskType;
  readonly voteBy: string;
  readonly reason: string;
  readonly at: string;
}

export interface ConsensusReached {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly result: ResourceAnswer;
  readonly support: readonly string[];
  readonly dissent: readonly string[];
  readonly at: string;
}

/** Nobody answered, or the votes stayed apart: `best` is the answer that stood highest, with its low confidence. */
export interface ConsensusFailed {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly reason: string;
  readonly best: ResourceAnswer | null;
  readonly at: string;
}

const Ballot = z.strictObject({
  subtaskId: Id,
  attempt: z.int().min(1),
  taskId: Id,
  node: Id,
  vote: Vote,
  responseMs: z.number().min(0),
});

const LostBallot = z.strictObject({
  subtaskId: Id,
  attempt: z.int().min(1),
  taskId: Id,
  node: Id,
  reason: z.string().max(500),
});

export const ClusterCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('FormCluster'), data: Formation }),
  z.object({ type: z.literal('AdmitNode'), data: Member }),
  z.object({ type: z.literal('DistributeTask'), data: Distribution }),
  z.object({ type: z.literal('CountVote'), data: Ballot }),
  z.object({ type: z.literal('LoseVote'), data: LostBallot }),
  z.object({
    type: z.literal('PassDeadline'),
    data: z.strictObject({ subtaskId: Id, attempt: z.int().min(1) }),
  }),
]);
export type ClusterCommand = z.infer<typeof ClusterCommand>;
