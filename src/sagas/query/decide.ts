import { type SnapshotFrom, transition } from 'xstate';
import { CommandRefusedError, type Given } from '../../actors/actor.ts';
import type { NetworkView } from '../../actors/network-view.ts';
import { decide as think } from '../../actors/super-llm/decide.ts';
import { fillPrompt } from '../../actors/super-llm/decomposition.ts';
import type { Part } from '../../actors/super-llm/planner.ts';
import { decide as verify } from '../../actors/verifier/decide.ts';
import { later } from '../../events/later.ts';
import type { QueryCommand, QueryEvent, SubtaskFailed } from '../../events/query.ts';
import { Text } from '../../events/values.ts';
import { queryMachine, type SubtaskState } from './machine.ts';

type Snapshot = SnapshotFrom<typeof queryMachine>;
type CommandData<T extends QueryCommand['type']> = Extract<QueryCommand, { type: T }>['data'];

/** Resources that may try a subtask before it is given up. */
const MAX_TRIES = 3;

/** After a resource has failed, a Cluster of this many Nodes looks at it. */
const RETRY_NODES = 3;

/** Share of the time left that one attempt may take, so that there is time for another. */
const ATTEMPT_SHARE = 0.5;

/** With less time left than this, another attempt is not worth starting. */
const LEAST_ATTEMPT_MS = 250;

/** Longest reason of an ending, in characters. */
const MAX_REASON = 500;

/** How long to wait for somebody to be there before routing is tried again. */
const NOBODY_THERE_MS = 1000;

/** The events so far, and the state that they lead to. */
class Draft {
  readonly events: QueryEvent[] = [];
  snapshot: Snapshot;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  add(...events: readonly QueryEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      [this.snapshot] = transition(queryMachine, this.snapshot, event);
    }
  }

  get context(): Snapshot['context'] {
    return this.snapshot.context;
  }

  get subtasks(): readonly SubtaskState[] {
    return Object.values(this.context.subtasks);
  }
}

export function decide(
  command: QueryCommand,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): readonly QueryEvent[] {
  const draft = new Draft(snapshot);
  switch (command.type) {
    case 'AskQuestion':
      return ask(draft, command.data, given);
    case 'ConfirmEnding':
      return confirmEnding(draft, command.data, given);
    case 'RecordAnswer':
      return recordAnswer(draft, command.data, given);
    case 'RecordFailure': {
      if (!currentAttempt(draft, command.data)) return [];
      const { subtaskId, attempt, resource, reason, best } = command.data;
      if (given.at >= draft.context.dueAt && !best) return expire(draft, given);
      // Votes that stayed apart have an answer too: computation may settle it, and its confidence is told with it.
      if (resource && best && best.kind !== 'none') {
        return recordAnswer(draft, { subtaskId, attempt, resource, result: best }, given);
      }
      fail(draft, { subtaskId, attempt, resource, reason, best }, given);
      return goOn(draft, given);
    }
    case 'PassDeadline':
      return passDeadline(draft, command.data, given);
  }
}

function ask(
  draft: Draft,
  question: CommandData<'AskQuestion'>,
  given: Given<NetworkView>,
): readonly QueryEvent[] {
  const at = given.at;
  if (!draft.snapshot.matches({ lifecycle: 'unasked' })) {
    const { reservationId, account, replyTo } = question;
    // The reservation of the first asking is the query's own; every later one is given back.
    const { context } = draft;
    const known = context.reservationId === reservationId || context.askedAgainBy.includes(reservationId);
    const sameQuestion = context.question === question.question;
    return known
      ? []
      : [{ type: 'QueryAskedAgain', data: { reservationId, account, replyTo, sameQuestion, at } }];
  }
  if (draft.context.askedAgainBy.includes(question.reservationId)) return [];
  draft.add({ type: 'QueryAsked', data: { ...question, at } });
  draft.add(
    ...think({ type: 'PlanQuery', data: { question: question.question, stakes: question.stakes } }, given),
  );
  return goOn(draft, given);
}

/** An account still holds credits for this query: they follow the ending, or go back if the question never came. */
function confirmEnding(
  draft: Draft,
  { reservationId, account }: CommandData<'ConfirmEnding'>,
  { at }: Given<NetworkView>,
): readonly QueryEvent[] {
  if (draft.context.ending) return [{ type: 'EndingConfirmed', data: { reservationId, account, at } }];
  if (!draft.snapshot.matches({ lifecycle: 'unasked' })) return [];
  return [{ type: 'QueryForgone', data: { reservationId, account, at } }];
}

function recordAnswer(
  draft: Draft,
  answer: CommandData<'RecordAnswer'>,
  given: Given<NetworkView>,
): readonly QueryEvent[] {
  const subtask = currentAttempt(draft, answer);
  if (!subtask) return [];
  const { subtaskId, attempt, resource, result } = answer;
  draft.add({ type: 'SubtaskAnswered', data: { subtaskId, attempt, resource, result, at: given.at } });
  const mayRecompute = subtask.tries + 1 < MAX_TRIES && timeLeft(draft, given) > LEAST_ATTEMPT_MS;
  draft.add(
    ...verify(
      {
        subtaskId,
        attempt,
        prompt: subtask.asked,
        taskType: subtask.taskType,
        stakes: draft.context.stakes,
        dispatchedAt: subtask.dispatchedAt,
        resource,
        result,
        mayRecompute,
      },
      given,
    ),
  );
  return goOn(draft, given);
}

function passDeadline(
  draft: Draft,
  deadline: CommandData<'PassDeadline'>,
  given: Given<NetworkView>,
): readonly QueryEvent[] {
  if (draft.snapshot.matches({ lifecycle: 'unasked' })) {
    throw new CommandRefusedError(`There is no query "${draft.context.queryId}".`);
  }
  if (!draft.snapshot.matches({ lifecycle: 'working' })) return [];
  if (given.at >= draft.context.dueAt) return expire(draft, given);
  if (deadline.subtaskId === null) return [];
  const subtask = draft.context.subtasks[deadline.subtaskId];
  if (!subtask || subtask.attempt !== deadline.attempt || given.at < subtask.dueAt) return [];
  if (subtask.status === 'dispatched') {
    const { subtaskId, attempt } = subtask;
    const reason = 'No answer came before the deadline of the attempt.';
    fail(draft, { subtaskId, attempt, resource: null, reason, best: null }, given, 'somebody');
  }
  return goOn(draft, given);
}

/** Records a failed attempt, and what becomes of it. When `nobody` was there to take it, it waits instead of counting. */
function fail(
  draft: Draft,
  failure: Pick<SubtaskFailed, 'subtaskId' | 'attempt' | 'resource' | 'reason' | 'best'>,
  given: Given<NetworkView>,
  taken: 'somebody' | 'nobody' = failure.resource === null ? 'nobody' : 'somebody',
): void {
  const tries = (draft.context.subtasks[failure.subtaskId]?.tries ?? 0) + (taken === 'somebody' ? 1 : 0);
  const left = timeLeft(draft, given);
  const hopeless = tries >= MAX_TRIES || left < LEAST_ATTEMPT_MS;
  const wait = !hopeless && taken === 'nobody';
  const retryAt = wait ? later(given.at, Math.min(NOBODY_THERE_MS, left / 2)) : null;
  const next = hopeless ? 'give-up' : wait ? 'wait' : 'retry';
  draft.add({ type: 'SubtaskFailed', data: { ...failure, next, retryAt, at: given.at } });
}

/** Dispatches whatever is ready, gives up what depends on nothing known, and ends the query when all is said. */
function goOn(draft: Draft, given: Given<NetworkView>): readonly QueryEvent[] {
  for (const subtask of draft.subtasks) {
    if (subtask.status === 'postponed' && subtask.dueAt <= given.at) redispatch(draft, subtask, given);
    else if (subtask.status === 'waiting') dispatchIfReady(draft, subtask, given);
  }
  const open = draft.subtasks.some(({ status }) => status !== 'accepted' && status !== 'abandoned');
  if (!open) conclude(draft, given);
  return draft.events;
}

function dispatchIfReady(draft: Draft, subtask: SubtaskState, given: Given<NetworkView>): void {
  const needed = draft.subtasks.filter((other) => subtask.dependsOn.includes(other.key));
  const unknown = needed.find((other) => other.status === 'abandoned');
  if (unknown) {
    giveUp(
      draft,
      subtask,
      `It needs the answer to "${unknown.prompt.slice(0, 120)}", which nobody knew.`,
      given,
    );
    return;
  }
  if (needed.some((other) => other.status !== 'accepted')) return;
  const answers = Object.fromEntries(needed.map((other) => [other.key, other.answer ?? '']));
  const prompt = fillPrompt(subtask.prompt, answers);
  if (!Text.safeParse(prompt).success) {
    giveUp(draft, subtask, 'With the answers that it needs, it is too long to be asked.', given);
    return;
  }
  const { nodes, prefer } = subtask;
  dispatch(draft, subtask, { prompt, nodes, prefer }, given);
}

function giveUp(draft: Draft, subtask: SubtaskState, reason: string, { at }: Given<NetworkView>): void {
  const { subtaskId, attempt } = subtask;
  const nothing = { resource: null, best: null, next: 'give-up', retryAt: null } as const;
  draft.add({ type: 'SubtaskFailed', data: { subtaskId, attempt, ...nothing, reason, at } });
}

function redispatch(draft: Draft, subtask: SubtaskState, given: Given<NetworkView>): void {
  const { nodes, prefer, asked } = subtask;
  const harder = { prompt: asked, nodes: Math.max(RETRY_NODES, nodes), prefer: 'cluster' } as const;
  dispatch(draft, subtask, subtask.tries === 0 ? { prompt: asked, nodes, prefer } : harder, given);
}

function dispatch(
  draft: Draft,
  subtask: SubtaskState,
  how: Pick<SubtaskState, 'prompt' | 'nodes' | 'prefer'>,
  given: Given<NetworkView>,
): void {
  const { subtaskId, attempt, exclude, tries } = subtask;
  const share = tries >= MAX_TRIES - 1 ? 1 : ATTEMPT_SHARE;
  const dueAt = later(given.at, timeLeft(draft, given) * share);
  draft.add({
    type: 'SubtaskDispatched',
    data: { subtaskId, attempt: attempt + 1, ...how, exclude, dueAt, at: given.at },
  });
}

/** Puts together what was answered, and ends the query with it or with an honest "I don't know". */
function conclude(draft: Draft, given: Given<NetworkView>): void {
  const at = given.at;
  const { question, reserved } = draft.context;
  const subtasks = draft.subtasks;
  const parts = subtasks.map(
    ({ key, asked, taskType, answer, confidence }): Part => ({
      key,
      prompt: asked,
      taskType,
      answer,
      confidence,
    }),
  );
  const thoughts = think({ type: 'SynthesiseAnswer', data: { question, parts } }, given);
  draft.add(...thoughts);
  const synthesis = thoughts.find((event) => event.type === 'AnswerSynthesised')?.data;
  const validation = thoughts.find((event) => event.type === 'AnswerValidated')?.data;
  const answered = subtasks.filter(({ status }) => status === 'accepted').length;
  const confidence = synthesis?.confidence ?? 0;
  // Each part has passed its own gate; their product falls with their number and is no gate of its own.
  if (synthesis?.answer != null && validation?.ok) {
    const spent = Math.round((reserved * answered) / subtasks.length);
    draft.add({ type: 'QueryAnswered', data: { answer: synthesis.answer, confidence, spent, at } });
    return;
  }
  const best = subtasks.length === 1 ? (subtasks[0]?.candidate ?? null) : null;
  const reason = answered === 0 ? unansweredReason(subtasks) : (validation?.reasons ?? []).join('; ');
  draft.add({
    type: 'QueryDeclined',
    data: {
      reason,
      candidate: best?.answer ?? synthesis?.answer ?? null,
      confidence: best?.confidence ?? confidence,
      at,
    },
  });
}

/** Whether nobody knew, or something stood in the way. */
function unansweredReason(subtasks: readonly SubtaskState[]): string {
  const failures = new Set(subtasks.flatMap(({ failure }) => (failure === null ? [] : [failure])));
  return ['No Node gave an answer that could be trusted.', ...failures].join(' ').slice(0, MAX_REASON);
}

/** At the deadline, what is there is given; nothing at all is an expiry. */
function expire(draft: Draft, given: Given<NetworkView>): readonly QueryEvent[] {
  if (draft.subtasks.some(({ status }) => status === 'accepted')) conclude(draft, given);
  else {
    const reason = draft.subtasks.some(({ status }) => status === 'postponed')
      ? 'No Node was there to answer before the deadline.'
      : 'The Nodes gave no answer before the deadline.';
    draft.add({ type: 'QueryExpired', data: { reason, at: given.at } });
  }
  return draft.events;
}

function currentAttempt(
  draft: Draft,
  { subtaskId, attempt }: { subtaskId: string; attempt: number },
): SubtaskState | undefined {
  if (!draft.snapshot.matches({ lifecycle: 'working' })) return undefined;
  const subtask = draft.context.subtasks[subtaskId];
  return subtask?.status === 'dispatched' && subtask.attempt === attempt ? subtask : undefined;
}

function timeLeft(draft: Draft, given: Given<NetworkView>): number {
  return Math.max(0, Date.parse(draft.context.dueAt) - Date.parse(given.at));
}
