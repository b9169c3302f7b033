import { assertEvent, assign, setup } from 'xstate';
import { type RecentKeys, remember } from '../../actors/recent.ts';
import { changed } from '../../actors/records.ts';
import { superLlmStates } from '../../actors/super-llm/machine.ts';
import { verifierStates } from '../../actors/verifier/machine.ts';
import type { Judgement, PlannedSubtask, QueryEvent } from '../../events/query.ts';
import type { Complexity, Resource, ResourceAnswer, Stakes } from '../../events/values.ts';
import type { Ending } from './ending.ts';

/** Most askers of one query that get its ending directly. Others read it from the service. */
const MAX_REPLIES = 16;

/** How many later requests a query remembers, by their reservation. */
const REMEMBERED_ASKINGS = 64;

export interface SubtaskState extends PlannedSubtask {
  readonly status: 'waiting' | 'dispatched' | 'postponed' | 'accepted' | 'abandoned';
  readonly attempt: number;
  /** Attempts of resources. Waiting for an available resource does not count. */
  readonly tries: number;
  /** The prompt of the last dispatch. */
  readonly asked: string;
  readonly exclude: readonly Resource[];
  readonly dispatchedAt: string;
  /** Deadline of the attempt, or the time of the next one. */
  readonly dueAt: string;
  readonly answer: string | null;
  readonly confidence: number;
  /** The best answer that was not accepted; null if none. */
  readonly candidate: { readonly answer: string; readonly confidence: number } | null;
  /** Why the last attempt failed; null if it gave an answer. */
  readonly failure: string | null;
}

export interface QueryContext {
  readonly queryId: string;
  readonly account: string;
  readonly question: string;
  readonly stakes: Stakes;
  readonly reservationId: string;
  readonly reserved: number;
  readonly replyTo: readonly string[];
  /** Reservations of later requests. Each is released once. */
  readonly askedAgainBy: RecentKeys;
  readonly askedAt: string;
  readonly dueAt: string;
  readonly complexity: Complexity;
  /** By subtaskId, in the plan's order. */
  readonly subtasks: Readonly<Record<string, SubtaskState>>;
  readonly judgements: readonly Judgement[];
  readonly ending: Ending | null;
}

/**
 * The life of one query: the lifecycle of the saga, in parallel with the Super LLM's and the Verifier's parts.
 * Every waiting state has a `dueAt` in the context, and every path leads to one ending.
 */
export const queryMachine = setup({
  types: {
    context: {} as QueryContext,
    events: {} as QueryEvent,
    input: {} as { id: string },
  },
  actions: {
    ask: assign(({ event }) => {
      assertEvent(event, 'QueryAsked');
      const { account, question, stakes, reservationId, reserved, replyTo, dueAt, at } = event.data;
      return {
        account,
        question,
        stakes,
        reservationId,
        reserved,
        replyTo: replyTo === null ? [] : [replyTo],
        askedAt: at,
        dueAt,
      };
    }),
    askAgain: assign(({ context, event }) => {
      assertEvent(event, 'QueryAskedAgain');
      const { replyTo, reservationId, sameQuestion } = event.data;
      const askedAgainBy = remember(context.askedAgainBy, reservationId, REMEMBERED_ASKINGS);
      if (replyTo === null || !sameQuestion) return { askedAgainBy };
      return { askedAgainBy, replyTo: [...context.replyTo, replyTo].slice(0, MAX_REPLIES) };
    }),
    /** Changes nothing. The host treats an event without an action as unhandled. */
    note: () => {},
    forgo: assign(({ context, event }) => {
      assertEvent(event, 'QueryForgone');
      return { askedAgainBy: remember(context.askedAgainBy, event.data.reservationId, REMEMBERED_ASKINGS) };
    }),
    analyse: assign(({ event }) => {
      assertEvent(event, 'QueryAnalysed');
      return { complexity: event.data.complexity, stakes: event.data.stakes };
    }),
    plan: assign(({ event }) => {
      assertEvent(event, 'QueryPlanned');
      const planned = event.data.subtasks.map((subtask): [string, SubtaskState] => [
        subtask.subtaskId,
        {
          ...subtask,
          status: 'waiting',
          attempt: 0,
          tries: 0,
          asked: subtask.prompt,
          exclude: [],
          dispatchedAt: '',
          dueAt: '',
          answer: null,
          confidence: 0,
          candidate: null,
          failure: null,
        },
      ]);
      return { subtasks: Object.fromEntries(planned) };
    }),
    dispatch: assign(({ context, event }) => {
      assertEvent(event, 'SubtaskDispatched');
      const { attempt, prompt, exclude, dueAt, at } = event.data;
      return {
        subtasks: changed(context.subtasks, event.data.subtaskId, () => ({
          status: 'dispatched',
          attempt,
          asked: prompt,
          exclude,
          dispatchedAt: at,
          dueAt,
        })),
      };
    }),
    fail: assign(({ context, event }) => {
      assertEvent(event, 'SubtaskFailed');
      const { resource, best, next, retryAt, reason, at } = event.data;
      return {
        subtasks: changed(context.subtasks, event.data.subtaskId, (subtask) => ({
          status: next === 'give-up' ? 'abandoned' : 'postponed',
          tries: subtask.tries + (next === 'wait' ? 0 : 1),
          exclude: resource === null ? subtask.exclude : [...subtask.exclude, resource],
          candidate: better(subtask.candidate, best),
          failure: reason,
          dueAt: retryAt ?? at,
        })),
      };
    }),
    hear: assign(({ context, event }) => {
      assertEvent(event, 'SubtaskAnswered');
      const { result, resource } = event.data;
      return {
        subtasks: changed(context.subtasks, event.data.subtaskId, (subtask) => ({
          tries: subtask.tries + 1,
          exclude: [...subtask.exclude, resource],
          candidate: better(subtask.candidate, result),
          answer: result.answer,
          failure: null,
        })),
      };
    }),
    judge: assign(({ context, event }) => {
      assertEvent(event, 'VerdictReached');
      const { outcome, confidence, judgements, at } = event.data;
      const accepted = outcome === 'accepted';
      const counted = judgements.filter((judgement) => accepted || judgement.correct !== null);
      return {
        judgements: [...context.judgements, ...counted],
        subtasks: changed(context.subtasks, event.data.subtaskId, (subtask) => ({
          status: accepted ? 'accepted' : outcome === 'abandoned' ? 'abandoned' : 'postponed',
          answer: accepted ? subtask.answer : null,
          confidence,
          dueAt: at,
        })),
      };
    }),
    end: assign(({ event }) => {
      assertEvent(event, ['QueryAnswered', 'QueryDeclined', 'QueryExpired']);
      return { ending: event };
    }),
  },
}).createMachine({
  id: 'query',
  context: ({ input }) => ({
    queryId: input?.id ?? '',
    account: '',
    question: '',
    stakes: 'normal',
    reservationId: '',
    reserved: 0,
    replyTo: [],
    askedAgainBy: [],
    askedAt: '',
    dueAt: '',
    complexity: 'simple',
    subtasks: {},
    judgements: [],
    ending: null,
  }),
  type: 'parallel',
  states: {
    lifecycle: {
      initial: 'unasked',
      states: {
        unasked: {
          on: {
            QueryAsked: { target: 'planning', actions: 'ask' },
            QueryForgone: { actions: 'forgo' },
          },
        },
        planning: {
          on: {
            QueryAnalysed: { actions: 'analyse' },
            QueryPlanned: { target: 'working', actions: 'plan' },
          },
        },
        working: {
          on: {
            QueryAskedAgain: { actions: 'askAgain' },
            SubtaskDispatched: { actions: 'dispatch' },
            SubtaskAnswered: { actions: 'hear' },
            SubtaskFailed: { actions: 'fail' },
            VerdictReached: { actions: 'judge' },
            AnswerSynthesised: 'concluding',
            QueryExpired: { target: 'expired', actions: 'end' },
          },
        },
        concluding: {
          on: {
            AnswerValidated: {},
            QueryAnswered: { target: 'answered', actions: 'end' },
            QueryDeclined: { target: 'declined', actions: 'end' },
          },
        },
        answered: { on: { QueryAskedAgain: { actions: 'askAgain' }, EndingConfirmed: { actions: 'note' } } },
        declined: { on: { QueryAskedAgain: { actions: 'askAgain' }, EndingConfirmed: { actions: 'note' } } },
        expired: { on: { QueryAskedAgain: { actions: 'askAgain' }, EndingConfirmed: { actions: 'note' } } },
      },
    },
    superLlm: superLlmStates,
    verifier: verifierStates,
  },
});

function better(
  candidate: SubtaskState['candidate'],
  result: ResourceAnswer | null,
): SubtaskState['candidate'] {
  if (!result || result.kind === 'none' || (candidate && candidate.confidence >= result.confidence))
    return candidate;
  return { answer: result.answer, confidence: result.confidence };
}
