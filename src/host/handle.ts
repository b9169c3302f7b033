import type { ActorDefinition, Address, Command } from '../actors/actor.ts';
import { AppendTooLargeError, type EventStore, StreamDeletedError } from '../eventstore/port.ts';
import type { ActorInstance } from './actor-instance.ts';
import type { Clock } from './clock.ts';
import { givenFor } from './given.ts';
import { type OnLog, reasonOf } from './log.ts';
import { type FollowUp, type Head, type Message, type Plan, planMessage, type Timer } from './plan.ts';
import type { RevisionRange } from './recent.ts';
import { isCurrent, recordedEffects, rehydrate } from './rehydrate.ts';
import { type Outgoing, type Transport, UnpublishableError } from './transport.ts';

/** Gives the read-model rows that `decide` may use, with the position that they are from. */
export type ReadsProvider = (kind: string, command: Command, to: Address) => unknown;

/** What actors are handled with. */
export interface Workplace {
  readonly store: EventStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly reads: ReadsProvider;
  readonly onLog: OnLog;
  startTimer(timer: Timer): void;
}

/** The place of one actor in memory; empty until a message needs it. */
export interface Slot {
  readonly definition: ActorDefinition;
  readonly id: string;
  actor: ActorInstance | null;
}

/** What becomes of a message. `later`: try again; a `bounded` fault is one that nobody foresaw and may never pass. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'later'; readonly reason: string; readonly bounded: boolean }
  | { readonly kind: 'poison'; readonly reason: string };

/** How often messages are decided again when somebody else wrote first. */
const REFOLDS = 3;
/** Most bytes of events that one append takes: below the 1 MiB of EventStoreDB 23.10, with room for its own overhead. */
const APPEND_BYTES = 768 * 1024;

const DONE: Outcome = { kind: 'done' };

/**
 * The host's order for messages of one actor: find or rehydrate it → decide → append once at the exact expected
 * revision → apply → publish what follows. The caller acknowledges by the outcomes, which are by message id.
 * Throws where nothing is known any more (the store gave no answer): then the slot must be emptied.
 */
export async function handleMessages(
  slot: Slot,
  messages: readonly Message[],
  workplace: Workplace,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const readable = await readFor(messages, workplace, outcomes);
  for (let attempt = 0; attempt <= REFOLDS; attempt += 1) {
    const justFolded = slot.actor === null;
    const actor =
      slot.actor ?? (await rehydrate(slot.definition, slot.id, workplace.store, workplace.clock.now()));
    slot.actor = actor;
    const batch = planBatch(actor, readable, workplace.clock.now());
    const stored = await store(actor, batch, justFolded, workplace);
    if (stored === 'conflict') {
      actor.stop();
      slot.actor = null;
      continue;
    }
    if (stored !== 'stored') return merge(outcomes, await refuse(slot, messages, stored, workplace));

    apply(actor, batch, workplace.clock.now());
    for (const [messageId, reason] of batch.refused) outcomes.set(messageId, { kind: 'poison', reason });
    await followAll(slot, batch, workplace, outcomes);
    if (batch.left.length === 0) return outcomes;
    return merge(outcomes, await handleMessages(slot, batch.left, workplace));
  }
  const reason = `${slot.definition.kind} ${slot.id}: somebody else wrote first, ${REFOLDS + 1} times in a row`;
  for (const { message } of readable)
    outcomes.set(message.messageId, { kind: 'later', reason, bounded: false });
  return outcomes;
}

interface Readable {
  readonly message: Message;
  readonly reads: unknown;
}

interface Batch {
  /** By message id, in the order of deciding. */
  readonly plans: Map<string, Plan>;
  /** Messages whose events are recorded already. */
  readonly seen: Map<string, RevisionRange>;
  readonly refused: Map<string, string>;
  /** What does not fit into this append. */
  readonly left: Message[];
}

async function readFor(
  messages: readonly Message[],
  { reads }: Workplace,
  outcomes: Map<string, Outcome>,
): Promise<Readable[]> {
  const readable: Readable[] = [];
  for (const message of messages) {
    try {
      readable.push({ message, reads: await reads(message.to.kind, message.command, message.to) });
    } catch (error) {
      const reason = `no read-model rows for ${message.command.type}: ${reasonOf(error)}`;
      outcomes.set(message.messageId, { kind: 'later', reason, bounded: true });
    }
  }
  return readable;
}

/** Decides message after message, each on the state that the ones before it lead to. One that throws changes nothing. */
function planBatch(actor: ActorInstance, readable: readonly Readable[], now: number): Batch {
  const batch: Batch = { plans: new Map(), seen: new Map(), refused: new Map(), left: [] };
  const at = new Date(now).toISOString();
  let head: Head = { revision: actor.revision, hash: actor.lastHash, snapshot: actor.snapshot };
  let bytes = 0;
  for (const { message, reads } of readable) {
    const { messageId } = message;
    const range = actor.recent.get(messageId);
    if (range) {
      batch.seen.set(messageId, range);
      continue;
    }
    try {
      const given = givenFor(message, at, () => reads);
      const plan = planMessage(actor.definition, head, message, given);
      if (bytes > 0 && bytes + plan.bytes > APPEND_BYTES) {
        batch.left.push(message);
        continue;
      }
      batch.plans.set(messageId, plan);
      head = plan.head;
      bytes += plan.bytes;
    } catch (error) {
      batch.refused.set(messageId, describe(error));
    }
  }
  return batch;
}

/**
 * Appends the batch. Where it records nothing, a state that was not just read is checked against the stream: a second
 * owner may have gone on, and refusing or passing over a message is a decision like any other.
 */
async function store(
  actor: ActorInstance,
  { plans, refused }: Batch,
  justFolded: boolean,
  workplace: Workplace,
): Promise<'stored' | 'conflict' | AppendTooLargeError | StreamDeletedError> {
  const events = [...plans.values()].flatMap((plan) => plan.events);
  if (events.length === 0) {
    const nothingDecided = plans.size === 0 && refused.size === 0;
    return justFolded || nothingDecided || (await isCurrent(actor, workplace.store)) ? 'stored' : 'conflict';
  }
  try {
    const expected = actor.revision < 0 ? 'no-stream' : actor.revision;
    const result = await workplace.store.append(actor.stream, events, expected);
    return result.outcome === 'appended' ? 'stored' : 'conflict';
  } catch (error) {
    if (error instanceof AppendTooLargeError || error instanceof StreamDeletedError) return error;
    throw error;
  }
}

/** The store will never take this append. If several messages share it, each is tried alone: only one may be bad. */
async function refuse(
  slot: Slot,
  messages: readonly Message[],
  error: Error,
  workplace: Workplace,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const message of messages) {
    if (messages.length === 1) outcomes.set(message.messageId, { kind: 'poison', reason: describe(error) });
    else merge(outcomes, await handleMessages(slot, [message], workplace));
  }
  return outcomes;
}

function apply(actor: ActorInstance, { plans }: Batch, now: number): void {
  for (const [messageId, { events, head }] of plans) {
    for (const event of events) {
      actor.apply(event, { revision: actor.revision + 1, id: event.id, messageId }, now);
    }
    actor.lastHash = head.hash;
  }
}

async function followAll(
  { definition, id }: Slot,
  { plans, seen }: Batch,
  workplace: Workplace,
  outcomes: Map<string, Outcome>,
): Promise<void> {
  const due = new Map<string, readonly FollowUp[]>();
  for (const [messageId, plan] of plans) due.set(messageId, plan.followUps);
  if (seen.size > 0) merge(due, await recordedEffects(definition, id, workplace.store, seen));
  const all = [...due].map(async ([messageId, followUps]) => {
    outcomes.set(messageId, await follow(followUps, workplace));
  });
  await Promise.all(all);
}

async function follow(followUps: readonly FollowUp[], workplace: Workplace): Promise<Outcome> {
  try {
    await Promise.all(
      followUps.map(async (followUp) => {
        if (followUp.kind === 'timer') workplace.startTimer(followUp.timer);
        else await publish(followUp.message, workplace);
      }),
    );
    return DONE;
  } catch (error) {
    return { kind: 'later', reason: `what follows was not published: ${reasonOf(error)}`, bounded: false };
  }
}

/** An effect that the broker can never take must not hold up the rest for ever: it is kept for people to look at. */
async function publish(message: Outgoing, { transport, onLog }: Workplace): Promise<void> {
  try {
    await transport.publish(message);
  } catch (error) {
    if (!(error instanceof UnpublishableError)) throw error;
    const { target, messageId, causationId, correlationId, body } = message;
    onLog('error', `an effect was given up: ${error.message}`, { messageId, causationId });
    const to = target.kind === 'command' ? target.to : { kind: target.kind, id: messageId };
    await transport.recordDead({
      kind: to.kind,
      id: to.id,
      reason: error.message,
      details: { messageId, causationId, correlationId, bytes: body.length },
    });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function merge<Value>(into: Map<string, Value>, from: ReadonlyMap<string, Value>): Map<string, Value> {
  for (const [key, value] of from) into.set(key, value);
  return into;
}
