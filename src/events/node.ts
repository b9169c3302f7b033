import { z } from 'zod';
import type { Deadlines } from './deadline.ts';
import { GenerationRef, Mutation, SagaRef } from './evolution.ts';
import {
  AnswerKind,
  Genome,
  Id,
  Instant,
  ModelAnswer,
  type Parsed,
  TaskType,
  Text,
  type Vote,
} from './values.ts';

/** Stream `node-<id>`: the life of one genome in one slot of a device. */
export type NodeEvent =
  | { readonly type: 'NodeBorn'; readonly data: NodeBorn }
  | { readonly type: 'TaskAccepted'; readonly data: TaskAccepted }
  | { readonly type: 'TaskRefused'; readonly data: TaskRefused }
  | { readonly type: 'ModelAnswered'; readonly data: ModelAnswered }
  | { readonly type: 'VoteCast'; readonly data: VoteCast }
  | { readonly type: 'TaskFailed'; readonly data: TaskFailed }
  | { readonly type: 'PerformanceRecorded'; readonly data: PerformanceRecorded }
  | { readonly type: 'NodeMoved'; readonly data: NodeMoved }
  | { readonly type: 'NodeCulled'; readonly data: NodeCulled }
  | { readonly type: 'NodeRetired'; readonly data: NodeRetired }
  | { readonly type: 'LifeAffirmed'; readonly data: LifeAffirmed };

const Birth = z.strictObject({
  node: Id,
  genome: Genome,
  species: Id,
  device: Id,
  /** The account that earns what this Node earns. */
  owner: Id,
  cluster: Id,
  generation: z.int().min(0),
  /** None for a first Node, one for a mutation, two for a crossover. */
  parents: z.array(Id).max(2),
  cause: z.enum(['genesis', 'mutation', 'crossover', 'immigration', 'admission']),
  /** How its genome differs from the inherited one. */
  mutations: z.array(Mutation).max(16),
  /** The saga that waits for the birth. */
  saga: SagaRef,
});

export type NodeBorn = Parsed<typeof Birth> & { readonly at: string };

/** Who gets the vote: the Cluster that distributed the task, or the query if the task went directly to the Node. */
export const TaskOrigin = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('cluster'), id: Id }),
  z.strictObject({ kind: z.literal('query'), id: Id }),
]);
export type TaskOrigin = Parsed<typeof TaskOrigin>;

const Assignment = z.strictObject({
  taskId: Id,
  queryId: Id,
  subtaskId: Id,
  attempt: z.int().min(1),
  prompt: Text,
  taskType: TaskType,
  origin: TaskOrigin,
  dueAt: Instant,
});
export type Assignment = Parsed<typeof Assignment>;

/** Contains everything that the device needs, so that the work order can be made again from the event alone. */
export interface TaskAccepted extends Assignment {
  readonly seed: number;
  readonly at: string;
}

export interface TaskRefused extends Assignment {
  readonly reason: 'full' | 'culled';
  readonly at: string;
}

export interface ModelAnswered {
  readonly taskId: string;
  readonly slot: 'A' | 'B';
  readonly answer: ModelAnswer;
  readonly at: string;
}

export interface VoteCast {
  readonly taskId: string;
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly taskType: TaskType;
  readonly origin: TaskOrigin;
  readonly vote: Vote;
  /** Why a model gave no answer; null if both answered. */
  readonly failure: string | null;
  /** From acceptance to vote, in milliseconds. */
  readonly responseMs: number;
  readonly at: string;
}

export interface TaskFailed {
  readonly taskId: string;
  readonly queryId: string;
  readonly subtaskId: string;
  readonly attempt: number;
  readonly origin: TaskOrigin;
  readonly reason: string;
  readonly at: string;
}

/**
 * Whether an answer was right, and on which basis: `computed` by a programmatic check, `gold` by an answer
 * known in advance, `consensus` by the trust-weighted agreement of several Nodes. Only the first two count for
 * fitness.
 */
export interface PerformanceRecorded {
  readonly taskId: string;
  readonly queryId: string;
  readonly taskType: TaskType;
  readonly correct: boolean;
  readonly basis: Basis;
  readonly answerKind: AnswerKind;
  readonly responseMs: number;
  /** Compute time of both models as the device reports it; null if the Node no longer has it. */
  readonly computeMs: number | null;
  readonly at: string;
}

export const Basis = z.enum(['computed', 'gold', 'consensus']);
export type Basis = Parsed<typeof Basis>;

/**
 * The Node moves to another Cluster with its open tasks. The Cluster that distributed a task still gets its
 * vote.
 */
export type NodeMoved = Parsed<typeof Move> & { readonly at: string };

/** Ended by selection. The Node finishes its open tasks, accepts no more, and is then retired. */
export type NodeCulled = Parsed<typeof Cull> & {
  /** Open tasks, which it still finishes. */
  readonly inHand: number;
  readonly at: string;
};

/** No tasks are left; the slot is free. */
export interface NodeRetired {
  readonly node: string;
  readonly saga: GenerationRef;
  readonly at: string;
}

/** A saga missed the birth or the retirement that it waits for, so it is sent again. Changes no state. */
export type LifeAffirmed = { readonly node: string; readonly at: string } & (
  | { readonly what: 'birth'; readonly saga: SagaRef }
  | { readonly what: 'retirement'; readonly saga: GenerationRef }
);

const Move = z.strictObject({
  from: Id,
  to: Id,
  cause: z.enum(['split', 'merge']),
});

const Cull = z.strictObject({
  cluster: Id,
  generation: z.int().min(1),
  rule: z.string().max(300),
  rank: z.int().min(1),
  of: z.int().min(1),
  fitness: z.number().min(0),
  saga: GenerationRef,
});

/** A work order for a device: one task for both models of a Node. It is sent on `dellm.work.<device>`. */
export const WorkOrder = z.strictObject({
  node: Id,
  taskId: Id,
  prompt: Text,
  system: Text,
  models: z.tuple([Id, Id]),
  params: Genome.shape.samplingParams,
  seed: z.int().min(0).max(0xffff_ffff),
  dueAt: Instant,
});
export type WorkOrder = Parsed<typeof WorkOrder>;

const BearNode = Birth;

const SubmitAnswers = z.strictObject({
  taskId: Id,
  /** What each model answered; null if it gave no answer, and then `failure` says why. */
  answers: z.tuple([ModelAnswer.nullable(), ModelAnswer.nullable()]),
  failure: z.string().max(500).nullable(),
});

const RecordPerformance = z.strictObject({
  taskId: Id,
  queryId: Id,
  taskType: TaskType,
  correct: z.boolean(),
  basis: Basis,
  answerKind: AnswerKind,
  responseMs: z.number().min(0),
});

export const NodeCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('BearNode'), data: BearNode }),
  z.object({ type: z.literal('AssignTask'), data: Assignment }),
  z.object({ type: z.literal('SubmitAnswers'), data: SubmitAnswers }),
  z.object({ type: z.literal('RecordPerformance'), data: RecordPerformance }),
  z.object({ type: z.literal('MoveNode'), data: Move }),
  z.object({ type: z.literal('CullNode'), data: Cull }),
  z.object({ type: z.literal('PassDeadline'), data: z.strictObject({ taskId: Id }) }),
]);
export type NodeCommand = Parsed<typeof NodeCommand>;

/** Each open task waits for the device's answers. */
export const NODE_DEADLINES: Deadlines<NodeEvent, NodeCommand> = {
  opens: { TaskAccepted: ({ taskId, dueAt }) => ({ key: taskId, dueAt, data: { taskId } }) },
  meets: { VoteCast: ({ taskId }) => taskId, TaskFailed: ({ taskId }) => taskId },
  meetsAll: [],
};
