import { z } from 'zod';
import { AskRequest } from './account.ts';
import type { Deadlines } from './deadline.ts';
import {
  type AnswerKind,
  type Complexity,
  Id,
  Instant,
  type Parsed,
  Resource,
  ResourceAnswer,
  type RoutingMode,
  type Stakes,
  type TaskType,
  Units,
} from './values.ts';

/** Stream `query-<id>`: one question from asking to its one ending. */
export type QueryEvent =
  | { readonly type: 'QueryAsked'; readonly data: QueryAsked }
  | { readonly type: 'QueryAskedAgain'; readonly data: QueryAskedAgain }
  | { readonly type: 'QueryForgone'; readonly data: QueryForgone }
  | { readonly type: 'EndingConfirmed'; readonly data: EndingConfirmed }
  | { readonly type: 'QueryAnalysed'; readonly data: QueryAnalysed }
  | { readonly type: 'QueryPlanned'; readonly data: QueryPlanned }
  | { readonly type: 'SubtaskDispatched'; readonly data: SubtaskDispatched }
  | { readonly type: 'SubtaskAnswered'; readonly data: SubtaskAnswered }
  | { readonly type: 'SubtaskFailed'; readonly data: SubtaskFailed }
  | { readonly type: 'VerdictReached'; readonly data: VerdictReached }
  | { readonly type: 'AnswerSynthesised'; readonly data: AnswerSynthesised }
  | { readonly type: 'AnswerValidated'; readonly data: AnswerValidated }
  | { readonly type: 'QueryAnswered'; readonly data: QueryAnswered }
  | { readonly type: 'QueryDeclined'; readonly data: QueryDeclined }
  | { readonly type: 'QueryExpired'; readonly data: QueryExpired };

/** The three ways a query ends. Its stream contains exactly one of them. */
export const QUERY_ENDINGS = ['QueryAnswered', 'QueryDeclined', 'QueryExpired'] as const;

const Question = z.strictObject({
  ...AskRequest.shape,
  account: Id,
  reservationId: Id,
  reserved: Units,
});

export type QueryAsked = Parsed<typeof Question> & { readonly at: string };

/** The same id was asked again with another reservation, which is released. */
export interface QueryAskedAgain {
  readonly reservationId: string;
  readonly account: string;
  readonly replyTo: string | null;
  /** False if the id belongs to another question. The reply says so. */
  readonly sameQuestion: boolean;
  readonly at: string;
}

/** The question of this reservation never arrived and will not be accepted any more. Its credits are released. */
export interface QueryForgone {
  readonly reservationId: string;
  readonly account: string;
  readonly at: string;
}

/** The account missed the ending, so the effects for this reservation are sent again. */
export interface EndingConfirmed {
  readonly reservationId: string;
  readonly account: string;
  readonly at: string;
}

export interface QueryAnalysed {
  readonly intent: string;
  readonly complexity: Complexity;
  readonly taskTypes: readonly TaskType[];
  readonly stakes: Stakes;
  readonly reasons: readonly string[];
  readonly at: string;
}

export interface PlannedSubtask {
  readonly subtaskId: string;
  /** The key within the plan: `s1`, `s2` … */
  readonly key: string;
  readonly prompt: string;
  readonly taskType: TaskType;
  /** Keys of the subtasks whose answers its prompt needs (`{s1}`). */
  readonly dependsOn: readonly string[];
  readonly nodes: number;
  readonly prefer: RoutingMode;
  readonly specialization: string;
}

export interface QueryPlanned {
  readonly planner: string;
  readonly strategy: string;
  readonly subtasks: readonly PlannedSubtask[];
  readonly at: string;
}

export interface SubtaskDispatched {
  readonly subtaskId: string;
  /**
   * Counts all dispatches of the subtask. It is part of the natural keys of all that follows from this
   * dispatch.
   */
  readonly attempt: number;
  readonly nodes: number;
  readonly prefer: RoutingMode;
  /** The planned prompt, with the answers that it depends on filled in. */
  readonly prompt: string;
  readonly exclude: readonly Resource[];
  readonly dueAt: string;
  readonly at: string;
}

export interface SubtaskAnswered {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly resource: Resource;
  readonly result: ResourceAnswer;
  readonly at: string;
}

export interface SubtaskFailed {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly resource: Resource | null;
  readonly reason: string;
  /** The leading answer, if there was no consensus. */
  readonly best: ResourceAnswer | null;
  readonly next: 'retry' | 'wait' | 'give-up';
  /** When to try again, after `wait`. */
  readonly retryAt: string | null;
  readonly at: string;
}

/** How one Node's answer was judged, with what its earnings depend on. */
export interface Judgement {
  readonly node: string;
  readonly owner: string;
  readonly taskId: string;
  readonly taskType: TaskType;
  readonly answerKind: AnswerKind;
  readonly responseMs: number;
  readonly confidence: number;
  /** Null: only the Node itself supports the answer. */
  readonly correct: boolean | null;
  readonly basis: 'computed' | 'consensus' | null;
  readonly accuracy: number | null;
  readonly uptime: number;
}

export interface Check {
  readonly check: string;
  readonly verdict: 'pass' | 'fail' | 'not-applicable';
  readonly reason: string;
}

export interface VerdictReached {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly resource: Resource;
  readonly taskType: TaskType;
  /** From dispatch to verdict, in milliseconds. */
  readonly responseMs: number;
  /** Whether the resource's answer was right, as far as computation or several Nodes can tell; null if unknown. */
  readonly correct: boolean | null;
  readonly level: 'node' | 'cluster' | 'super-cluster';
  readonly checks: readonly Check[];
  readonly outcome: 'accepted' | 'recompute' | 'abandoned';
  /** Confidence after the checks, 0–1. */
  readonly confidence: number;
  readonly judgements: readonly Judgement[];
  readonly readPosition: number;
  readonly at: string;
}

export interface AnswerSynthesised {
  readonly answer: string | null;
  readonly confidence: number;
  /** Keys of the subtasks without an answer. */
  readonly missing: readonly string[];
  readonly at: string;
}

/** The verdict of the Super LLM on the whole answer. */
export interface AnswerValidated {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly at: string;
}

export interface QueryAnswered {
  readonly answer: string;
  readonly confidence: number;
  readonly spent: number;
  readonly at: string;
}

/** An honest "I don't know". The whole reservation is released. */
export interface QueryDeclined {
  readonly reason: string;
  /** The best answer that was not good enough to be given; null if none. */
  readonly candidate: string | null;
  readonly confidence: number;
  readonly at: string;
}

export interface QueryExpired {
  readonly reason: string;
  readonly at: string;
}

const Attempt = z.strictObject({ subtaskId: Id, attempt: z.int().min(1) });

export const QueryCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('AskQuestion'), data: Question }),
  z.object({
    type: z.literal('ConfirmEnding'),
    data: z.strictObject({ reservationId: Id, account: Id }),
  }),
  z.object({
    type: z.literal('RecordAnswer'),
    data: z.strictObject({ ...Attempt.shape, resource: Resource, result: ResourceAnswer }),
  }),
  z.object({
    type: z.literal('RecordFailure'),
    data: z.strictObject({
      ...Attempt.shape,
      resource: Resource.nullable(),
      reason: z.string().max(500),
      /** The leading answer, if there was no consensus. */
      best: ResourceAnswer.nullable(),
    }),
  }),
  z.object({
    type: z.literal('PassDeadline'),
    data: z.strictObject({ subtaskId: Id.nullable(), attempt: z.int().min(0), dueAt: Instant }),
  }),
]);
export type QueryCommand = Parsed<typeof QueryCommand>;

/**
 * The query waits for its ending. Each subtask waits for the answer to an attempt, or for the time of the next
 * attempt.
 */
export const QUERY_DEADLINES: Deadlines<QueryEvent, QueryCommand> = {
  opens: {
    QueryAsked: ({ dueAt }) => ({ key: 'query', dueAt, data: { subtaskId: null, attempt: 0, dueAt } }),
    SubtaskDispatched: ({ subtaskId, attempt, dueAt }) => ({
      key: subtaskId,
      dueAt,
      data: { subtaskId, attempt, dueAt },
    }),
    SubtaskFailed: ({ subtaskId, attempt, retryAt: dueAt }) =>
      dueAt === null ? null : { key: subtaskId, dueAt, data: { subtaskId, attempt, dueAt } },
  },
  meets: {
    SubtaskAnswered: ({ subtaskId }) => subtaskId,
    SubtaskFailed: ({ subtaskId }) => subtaskId,
  },
  meetsAll: QUERY_ENDINGS,
};
