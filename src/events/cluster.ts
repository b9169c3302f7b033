import { z } from 'zod';
import type { Deadlines, WaitOf } from './deadline.ts';
import { type ClusterKind, GenesisRef, GoldTask } from './evolution.ts';
import type { GenerationTrigger } from './generation.ts';
import { later } from './later.ts';
import {
  type AnswerKind,
  Complexity,
  Id,
  Instant,
  type Parsed,
  type ResourceAnswer,
  Stakes,
  TaskType,
  Text,
  Vote,
} from './values.ts';

/** Stream `cluster-<id>`: 5–50 Nodes that reach consensus. */
export type ClusterEvent =
  | { readonly type: 'ClusterFormed'; readonly data: ClusterFormed }
  | { readonly type: 'NodeAdmitted'; readonly data: NodeAdmitted }
  | { readonly type: 'TaskDistributed'; readonly data: TaskDistributed }
  | { readonly type: 'VoteCounted'; readonly data: VoteCounted }
  | { readonly type: 'VoteLost'; readonly data: VoteLost }
  | { readonly type: 'TiebreakCalled'; readonly data: TiebreakCalled }
  | { readonly type: 'ConsensusReached'; readonly data: ConsensusReached }
  | { readonly type: 'ConsensusFailed'; readonly data: ConsensusFailed }
  | { readonly type: 'GoldTaskIssued'; readonly data: GoldTaskIssued }
  | { readonly type: 'GoldTaskJudged'; readonly data: GoldTaskJudged }
  | { readonly type: 'PerformanceReported'; readonly data: PerformanceReported }
  | { readonly type: 'GenerationScheduled'; readonly data: GenerationScheduled }
  | { readonly type: 'GenerationOpened'; readonly data: GenerationOpened }
  | { readonly type: 'GenerationClosed'; readonly data: GenerationClosed }
  | { readonly type: 'NodeDismissed'; readonly data: NodeDismissed }
  | { readonly type: 'ClusterCharacterised'; readonly data: ClusterCharacterised }
  | { readonly type: 'ClusterSplit'; readonly data: ClusterSplit }
  | { readonly type: 'MergeProposed'; readonly data: MergeProposed }
  | { readonly type: 'ClusterMerged'; readonly data: ClusterMerged }
  | { readonly type: 'NodeRedirected'; readonly data: NodeRedirected }
  | { readonly type: 'GenerationDemanded'; readonly data: GenerationDemanded };

const Formation = z.strictObject({
  cluster: Id,
  name: z.string().min(1).max(80),
  specialization: Id,
  /** Generations that were completed before; after a split, those of the original Cluster. */
  generation: z.int().min(0),
  /** The genesis that waits for it; null if it was formed by a split. */
  saga: GenesisRef.nullable(),
});

export type ClusterFormed = Parsed<typeof Formation> & { readonly at: string };

/** `pair` names the two models. Nodes with the same pair make the same mistakes, so consensus depends on it. */
const Member = z.strictObject({
  node: Id,
  device: Id,
  owner: Id,
  specialization: Id,
  pair: z.string().max(140),
});

export type Member = Parsed<typeof Member>;

export type NodeAdmitted = Parsed<typeof Member> & { readonly at: string };

const Distribution = z.strictObject({
  queryId: Id,
  subtaskId: Id,
  attempt: z.int().min(1),
  prompt: Text,
  taskType: TaskType,
  complexity: Complexity,
  stakes: Stakes,
  /** How many Nodes vote. */
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
 * The subtask is given to k Nodes. `readPosition`: the position that the trust rows are from. `voteBy` is
 * before the subtask's `dueAt`, so that there is time to count the ballots.
 */
export type TaskDistributed = Parsed<typeof Distribution> & {
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

/** Nobody answered, or the Nodes did not agree. `best` is the leading answer, with its low confidence. */
export interface ConsensusFailed {
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly reason: string;
  readonly best: ResourceAnswer | null;
  readonly at: string;
}

/**
 * A gold task for one Node. Its device cannot distinguish it from other tasks. Until it is due, clients see it
 * without the answer.
 */
export type GoldTaskIssued = Parsed<typeof Examination> & {
  /** Mixed in at random beside a query's task, or ordered by an examination. */
  readonly reason: 'mixed-in' | 'examination';
  readonly draws: readonly number[];
  readonly at: string;
};

export interface GoldTaskJudged {
  readonly taskId: string;
  readonly node: string;
  readonly taskType: TaskType;
  readonly correct: boolean;
  /** What the Node answered; null if there was no vote, which counts as wrong. */
  readonly answer: string | null;
  readonly answerKind: AnswerKind;
  readonly responseMs: number;
  readonly at: string;
}

/** A Node's successes so far. `generationDueAt` is set if they are the first in generation `generation`. */
export interface PerformanceReported {
  readonly generation: number;
  readonly node: string;
  readonly successes: number;
  /** The successes that the Cluster did not know of before. */
  readonly gained: number;
  readonly generationDueAt: string | null;
  readonly at: string;
}

/**
 * Recorded with the first task of a generation, whatever its outcome: the generation ends at `dueAt` at the
 * latest.
 */
export interface GenerationScheduled {
  readonly generation: number;
  readonly dueAt: string;
  readonly at: string;
}

/** The selection of generation `generation` begins. Its saga is `<cluster>-<generation>`. */
export interface GenerationOpened {
  readonly generation: number;
  readonly trigger: GenerationTrigger;
  /** Successful tasks of the members since the previous generation was opened. */
  readonly successes: number;
  readonly members: readonly string[];
  /** When the saga is asked again, unless it has closed the generation by then. */
  readonly dueAt: string;
  readonly at: string;
}

export interface GenerationDemanded {
  readonly generation: number;
  readonly trigger: GenerationTrigger;
  readonly members: readonly string[];
  readonly dueAt: string;
  readonly at: string;
}

export interface GenerationClosed {
  readonly generation: number;
  readonly culled: number;
  readonly born: number;
  readonly at: string;
}

export type NodeDismissed = Parsed<typeof Dismissal> & { readonly at: string };

/** The kind of the Cluster, by what most of its members share. Its name follows from it. */
export interface ClusterCharacterised {
  readonly kind: ClusterKind;
  readonly name: string;
  readonly specialization: string;
  /** Share of the members that have what the name says, 0–1. */
  readonly share: number;
  readonly generation: number;
  readonly at: string;
}

/** Members leave together for a new Cluster. */
export interface ClusterSplit {
  readonly into: string;
  readonly name: string;
  readonly specialization: string;
  readonly movers: readonly string[];
  readonly cause: string;
  /** Generations that were completed before. The new Cluster continues counting from there. */
  readonly generation: number;
  readonly at: string;
}

/** The Cluster proposes to join another one. The Super Cluster prevents two Clusters from joining each other. */
export interface MergeProposed {
  readonly into: string;
  readonly cause: string;
  readonly at: string;
}

/** All members move to another Cluster. This one is dissolved and accepts nothing more. */
export interface ClusterMerged {
  readonly into: string;
  readonly movers: readonly string[];
  readonly cause: string;
  readonly at: string;
}

/** A Node was born into a dissolved Cluster: it moves to the Cluster that the other members joined. */
export interface NodeRedirected {
  readonly node: string;
  readonly into: string;
  readonly at: string;
}

const Examination = z.strictObject({
  taskId: Id,
  node: Id,
  task: GoldTask,
  dueAt: Instant,
});

const Dismissal = z.strictObject({ node: Id, reason: z.enum(['culled', 'moved']) });

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
  z.object({ type: z.literal('ExamineNode'), data: Examination }),
  z.object({
    type: z.literal('ReportPerformance'),
    data: z.strictObject({ node: Id, successes: z.int().min(0) }),
  }),
  z.object({ type: z.literal('OpenGeneration'), data: z.strictObject({ generation: z.int().min(1) }) }),
  z.object({
    type: z.literal('CloseGeneration'),
    data: z.strictObject({
      generation: z.int().min(1),
      culled: z.int().min(0),
      born: z.int().min(0),
    }),
  }),
  z.object({ type: z.literal('DismissNode'), data: Dismissal }),
  z.object({ type: z.literal('MergeInto'), data: z.strictObject({ into: Id, cause: z.string().max(300) }) }),
  z.object({
    type: z.literal('PassDeadline'),
    data: z.union([
      z.strictObject({ subtaskId: Id, attempt: z.int().min(1) }),
      z.strictObject({ taskId: Id }),
      z.strictObject({ generation: z.int().min(1) }),
    ]),
  }),
]);
export type ClusterCommand = Parsed<typeof ClusterCommand>;

/** In milliseconds. Longer than a Node waits for its own deadline, so that the Node's report comes first. */
const GOLD_GRACE_MS = 5_000;

/** Waits for the votes on each subtask, for the vote on each gold task, and for the end of the generation. */
export const CLUSTER_DEADLINES: Deadlines<ClusterEvent, ClusterCommand> = {
  opens: {
    TaskDistributed: ({ subtaskId, attempt, voteBy }) => ({
      key: attemptKey({ subtaskId, attempt }),
      dueAt: voteBy,
      data: { subtaskId, attempt },
    }),
    GoldTaskIssued: (issued) => ({
      key: issued.taskId,
      dueAt: waitsUntil(issued),
      data: { taskId: issued.taskId },
    }),
    PerformanceReported: ({ generation, generationDueAt: dueAt }) =>
      dueAt === null ? null : generationEnd({ generation, dueAt }),
    GenerationScheduled: generationEnd,
    GenerationOpened: generationEnd,
    GenerationDemanded: generationEnd,
  },
  meets: {
    ConsensusReached: attemptKey,
    ConsensusFailed: attemptKey,
    GoldTaskJudged: ({ taskId }) => taskId,
    GenerationClosed: () => GENERATION,
  },
  meetsAll: [],
};

/** Key of the wait for the end of a generation. There is only one. */
const GENERATION = 'generation';

/** The key of the votes on one attempt at a subtask. */
export function attemptKey({ subtaskId, attempt }: { subtaskId: string; attempt: number }): string {
  return `${subtaskId}#${attempt}`;
}

/** When the Cluster stops waiting for a vote on a gold task. */
export function waitsUntil({ dueAt }: Pick<GoldTaskIssued, 'dueAt'>): string {
  return later(dueAt, GOLD_GRACE_MS);
}

function generationEnd({ generation, dueAt }: { generation: number; dueAt: string }): WaitOf<ClusterCommand> {
  return { key: GENERATION, dueAt, data: { generation } };
}
