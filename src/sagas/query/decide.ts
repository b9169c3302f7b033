import type { SnapshotFrom } from 'xstate';
import { CommandRefusedError, type Decided, type Given } from '../../actors/actor.ts';
import type { NetworkView } from '../../actors/network-view.ts';
import { decide as think } from '../../actors/super-llm/decide.ts';
import { fillPrompt } from '../../actors/super-llm/decomposition.ts';
import type { Part } from '../../actors/super-llm/planner.ts';
import { decide as verify } from '../../actors/verifier/decide.ts';
import type { CommandDataOf } from '../../events/kinds.ts';
import { later } from '../../events/later.ts';
import type { QueryCommand, QueryEvent, SubtaskFailed } from '../../events/query.ts';
import { Text } from '../../events/values.ts';
import type { QueryContext, queryMachine, SubtaskState } from './machine.ts';

type Snapshot = SnapshotFrom<typeof queryMachine>;
/** Yields events. Each `yield` returns the state after that event, and the generator returns the last state. */
type Steps<Result = Snapshot> = Generator<QueryEvent, Result, Snapshot>;
type CommandData<Type extends QueryCommand['type']> = CommandDataOf<'query', Type>;

/** Most resources that may try a subtask. */
const MAX_TRIES = 3;

/** After a resource has failed, a Cluster with at least this many Nodes tries. */
const RETRY_NODES = 3;

/** Share of the remaining time that one attempt may take, so that there is time for another. */
const ATTEMPT_SHARE = 0.5;

/** In milliseconds. With less time left, no other attempt is started. */
const LEAST_ATTEMPT_MS = 250;

/** Longest reason of an ending, in characters. */
const MAX_REASON = 500;

/** How long to wait before routing is tried again, if no resource was available. In milliseconds. */
const NOBODY_THERE_MS = 1000;

export function decide(
  command: QueryCommand,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): Decided<QueryEvent, Snapshot> {
  switch (command.type) {
    case 'AskQuestion':
      return ask(snapshot, command.data, given);
    case 'ConfirmEnding':
      return confirmEnding(snapshot, command.data, given);
    case 'RecordAnswer':
      return recordAnswer(snapshot, command.data, given);
    case 'RecordFailure':
      return recordFailure(snapshot, command.data, given);
    case 'PassDeadline':
      return passDeadline(snapshot, command.data, given);
  }
}

function* ask(
  snapshot: Snapshot,
  question: CommandData<'AskQuestion'>,
  given: Given<NetworkView>,
): Steps<void> {
  const at = given.at;
  const { context } = snapshot;
  if (!snapshot.matches({ lifecycle: 'unasked' })) {
    const { reservationId, account, replyTo } = question;
    // The query keeps the reservation of the first request. Those of later ones are released.
    if (context.reservationId === reservationId || context.askedAgainBy.includes(reservationId)) return;
    const sameQuestion = context.question === question.question;
    yield { type: 'QueryAskedAgain', data: { reservationId, account, replyTo, sameQuestion, at } };
    return;
  }
  if (context.askedAgainBy.includes(question.reservationId)) return;
  const asked = yield { type: 'QueryAsked', data: { ...question, at } };
  const { stakes } = question;
  const thoughts = think({ type: 'PlanQuery', data: { question: question.question, stakes } }, given);
  yield* goOn(yield* record(asked, thoughts), given);
}

/**
 * An account still holds credits for this query. They are settled by the ending, or released if the question
 * never came.
 */
function confirmEnding(
  snapshot: Snapshot,
  { reservationId, account }: CommandData<'ConfirmEnding'>,
  { at }: Given<NetworkView>,
): readonly QueryEvent[] {
  if (snapshot.context.ending) return [{ type: 'EndingConfirmed', data: { reservationId, account, at } }];
  if (!snapshot.matches({ lifecycle: 'unasked' })) return [];
  return [{ type: 'QueryForgone', data: { reservationId, account, at } }];
}

function* recordAnswer(
  snapshot: Snapshot,
  answer: CommandData<'RecordAnswer'>,
  given: Given<NetworkView>,
): Steps<void> {
  const subtask = currentAttempt(snapshot, answer);
  if (!subtask) return;
  const { subtaskId, attempt, resource, result } = answer;
  const answered = yield {
    type: 'SubtaskAnswered',
    data: { subtaskId, attempt, resource, result, at: given.at },
  };
  const verdict = verify(
    {
      subtaskId,
      attempt,
      prompt: subtask.asked,
      taskType: subtask.taskType,
      stakes: answered.context.stakes,
      dispatchedAt: subtask.dispatchedAt,
      resource,
      result,
      mayRecompute: subtask.tries + 1 < MAX_TRIES && timeLeft(answered.context, given) > LEAST_ATTEMPT_MS,
    },
    given,
  );
  yield* goOn(yield* record(answered, verdict), given);
}

function* recordFailure(
  snapshot: Snapshot,
  failure: CommandData<'RecordFailure'>,
  given: Given<NetworkView>,
): Steps<void> {
  if (!currentAttempt(snapshot, failure)) return;
  const { subtaskId, attempt, resource, reason, best } = failure;
  if (given.at >= snapshot.context.dueAt && !best) yield* expire(snapshot, given);
  // Without consensus there may still be a leading answer. Computation may confirm it, and its confidence is
  // reported.
  else if (resource && best && best.kind !== 'none') {
    yield* recordAnswer(snapshot, { subtaskId, attempt, resource, result: best }, given);
  } else {
    yield* goOn(yield* fail(snapshot, { subtaskId, attempt, resource, reason, best }, given), given);
  }
}

function* passDeadline(
  snapshot: Snapshot,
  deadline: CommandData<'PassDeadline'>,
  given: Given<NetworkView>,
): Steps<void> {
  const { context } = snapshot;
  if (snapshot.matches({ lifecycle: 'unasked' })) {
    throw new CommandRefusedError(`There is no query "${context.queryId}".`);
  }
  if (!snapshot.matches({ lifecycle: 'working' })) return;
  if (given.at >= context.dueAt) {
    yield* expire(snapshot, given);
    return;
  }
  if (deadline.subtaskId === null) return;
  const subtask = context.subtasks[deadline.subtaskId];
  if (!subtask || subtask.attempt !== deadline.attempt || given.at < subtask.dueAt) return;
  if (subtask.status !== 'dispatched') {
    yield* goOn(snapshot, given);
    return;
  }
  const { subtaskId, attempt } = subtask;
  const reason = 'No answer came before the deadline of the attempt.';
  const failure = { subtaskId, attempt, resource: null, reason, best: null };
  yield* goOn(yield* fail(snapshot, failure, given, 'somebody'), given);
}

/**
 * Records a failed attempt and what happens next. If `nobody` was available to take it, the subtask waits and
 * the attempt does not count.
 */
function* fail(
  { context }: Snapshot,
  failure: Pick<SubtaskFailed, 'subtaskId' | 'attempt' | 'resource' | 'reason' | 'best'>,
  given: Given<NetworkView>,
  taken: 'somebody' | 'nobody' = failure.resource === null ? 'nobody' : 'somebody',
): Steps {
  const tries = (context.subtasks[failure.subtaskId]?.tries ?? 0) + (taken === 'somebody' ? 1 : 0);
  const left = timeLeft(context, given);
  const hopeless = tries >= MAX_TRIES || left < LEAST_ATTEMPT_MS;
  const wait = !hopeless && taken === 'nobody';
  const retryAt = wait ? later(given.at, Math.min(NOBODY_THERE_MS, left / 2)) : null;
  const next = hopeless ? 'give-up' : wait ? 'wait' : 'retry';
  return yield { type: 'SubtaskFailed', data: { ...failure, next, retryAt, at: given.at } };
}

/**
 * Dispatches all ready subtasks, gives up those that need an unknown answer, and concludes the query if none is
 * open.
 */
function* goOn(before: Snapshot, given: Given<NetworkView>): Steps<void> {
  let after = before;
  for (const subtask of subtasksOf(before)) {
    if (subtask.status === 'postponed' && subtask.dueAt <= given.at) {
      after = yield redispatched(after.context, subtask, given);
    } else if (subtask.status === 'waiting') {
      const event = dispatchedIfReady(after, subtask, given);
      if (event) after = yield event;
    }
  }
  const isOpen = subtasksOf(after).some(({ status }) => status !== 'accepted' && status !== 'abandoned');
  if (!isOpen) yield* conclude(after, given);
}

function dispatchedIfReady(
  snapshot: Snapshot,
  subtask: SubtaskState,
  given: Given<NetworkView>,
): QueryEvent | null {
  const needed = subtasksOf(snapshot).filter((other) => subtask.dependsOn.includes(other.key));
  const unknown = needed.find((other) => other.status === 'abandoned');
  if (unknown) {
    const what = unknown.prompt.slice(0, 120);
    return givenUp(subtask, `It needs the answer to "${what}", which nobody knew.`, given);
  }
  if (needed.some((other) => other.status !== 'accepted')) return null;
  const answers = Object.fromEntries(needed.map((other) => [other.key, other.answer ?? '']));
  const prompt = fillPrompt(subtask.prompt, answers);
  if (!Text.safeParse(prompt).success) {
    return givenUp(subtask, 'With the answers that it needs, it is too long to be asked.', given);
  }
  const { nodes, prefer } = subtask;
  return dispatched(snapshot.context, subtask, { prompt, nodes, prefer }, given);
}

function givenUp(subtask: SubtaskState, reason: string, { at }: Given<NetworkView>): QueryEvent {
  const { subtaskId, attempt } = subtask;
  const nothing = { resource: null, best: null, next: 'give-up', retryAt: null } as const;
  return { type: 'SubtaskFailed', data: { subtaskId, attempt, ...nothing, reason, at } };
}

function redispatched(context: QueryContext, subtask: SubtaskState, given: Given<NetworkView>): QueryEvent {
  const { nodes, prefer, asked } = subtask;
  const harder = { prompt: asked, nodes: Math.max(RETRY_NODES, nodes), prefer: 'cluster' } as const;
  const how = subtask.tries === 0 ? { prompt: asked, nodes, prefer } : harder;
  return dispatched(context, subtask, how, given);
}

function dispatched(
  context: QueryContext,
  subtask: SubtaskState,
  how: Pick<SubtaskState, 'prompt' | 'nodes' | 'prefer'>,
  given: Given<NetworkView>,
): QueryEvent {
  const { subtaskId, attempt, exclude, tries } = subtask;
  const share = tries >= MAX_TRIES - 1 ? 1 : ATTEMPT_SHARE;
  const dueAt = later(given.at, timeLeft(context, given) * share);
  return {
    type: 'SubtaskDispatched',
    data: { subtaskId, attempt: attempt + 1, ...how, exclude, dueAt, at: given.at },
  };
}

/** Synthesises the answers, and ends the query with the result or with an honest "I don't know". */
function* conclude(snapshot: Snapshot, given: Given<NetworkView>): Steps<void> {
  const at = given.at;
  const { question, reserved } = snapshot.context;
  const subtasks = subtasksOf(snapshot);
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
  yield* thoughts;
  const synthesis = thoughts.find((event) => event.type === 'AnswerSynthesised')?.data;
  const validation = thoughts.find((event) => event.type === 'AnswerValidated')?.data;
  const answered = subtasks.filter(({ status }) => status === 'accepted').length;
  const confidence = synthesis?.confidence ?? 0;
  // Each part has passed its own quality gate. Their product falls with the number of parts, so it is not
  // checked again.
  if (synthesis?.answer != null && validation?.ok) {
    const spent = Math.round((reserved * answered) / subtasks.length);
    yield { type: 'QueryAnswered', data: { answer: synthesis.answer, confidence, spent, at } };
    return;
  }
  const best = subtasks.length === 1 ? (subtasks[0]?.candidate ?? null) : null;
  const reason = answered === 0 ? unansweredReason(subtasks) : (validation?.reasons ?? []).join('; ');
  yield {
    type: 'QueryDeclined',
    data: {
      reason,
      candidate: best?.answer ?? synthesis?.answer ?? null,
      confidence: best?.confidence ?? confidence,
      at,
    },
  };
}

/** The reason for an ending without an answer, with the reasons of all failed attempts. */
function unansweredReason(subtasks: readonly SubtaskState[]): string {
  const failures = new Set(subtasks.flatMap(({ failure }) => (failure === null ? [] : [failure])));
  return ['No Node gave an answer that could be trusted.', ...failures].join(' ').slice(0, MAX_REASON);
}

/** At the deadline, the query gives the answers that it has. Without any, it expires. */
function* expire(snapshot: Snapshot, given: Given<NetworkView>): Steps<void> {
  const subtasks = subtasksOf(snapshot);
  if (subtasks.some(({ status }) => status === 'accepted')) {
    yield* conclude(snapshot, given);
    return;
  }
  const reason = subtasks.some(({ status }) => status === 'postponed')
    ? 'No Node was there to answer before the deadline.'
    : 'The Nodes gave no answer before the deadline.';
  yield { type: 'QueryExpired', data: { reason, at: given.at } };
}

function* record(before: Snapshot, events: readonly QueryEvent[]): Steps {
  let after = before;
  for (const event of events) after = yield event;
  return after;
}

function currentAttempt(
  snapshot: Snapshot,
  { subtaskId, attempt }: { subtaskId: string; attempt: number },
): SubtaskState | undefined {
  if (!snapshot.matches({ lifecycle: 'working' })) return undefined;
  const subtask = snapshot.context.subtasks[subtaskId];
  return subtask?.status === 'dispatched' && subtask.attempt === attempt ? subtask : undefined;
}

function subtasksOf({ context }: Snapshot): readonly SubtaskState[] {
  return Object.values(context.subtasks);
}

function timeLeft({ dueAt }: QueryContext, given: Given<NetworkView>): number {
  return Math.max(0, Date.parse(dueAt) - Date.parse(given.at));
}
