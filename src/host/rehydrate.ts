import type { ActorDefinition, DomainEvent } from '../actors/actor.ts';
import { type EventMetadata, eventMetadataSchema, GENESIS_HASH, hashOf } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { type CausedEffect, causedEffects } from './decide.ts';
import { firstHead, type Head, restoredState, streamOf, takeEvent, UnhandledEventError } from './fold.ts';
import { RECENT_COUNT, RECENT_MS, RecentMessages, type RevisionRange } from './recent.ts';
import { type CachedState, readSnapshot, SNAPSHOT_EVERY } from './snapshots.ts';

/** How far the clocks of the store and of the broker may differ. */
const CLOCK_SKEW_MS = 60_000;

/** An actor in memory. Plain data: an idle actor costs its state and nothing else. */
export interface ActorState {
  head: Head;
  readonly recent: RecentMessages;
  /** Revision of the last snapshot that was read or written; -1 if none. */
  snapshotRevision: number;
}

/**
 * Rehydrates an actor from its stream. Short streams are folded from their first event. Longer streams are
 * folded from their actor snapshot, if the same code wrote it and the event that it names is at its revision.
 */
export async function rehydrate(
  definition: ActorDefinition,
  id: string,
  store: EventStore,
  now: number,
): Promise<ActorState> {
  const stream = streamOf(definition, id);
  const beginning = await collect(store.readStream(stream, { limit: SNAPSHOT_EVERY }));
  if (beginning.length === SNAPSHOT_EVERY) {
    const cached = await readSnapshot(store, stream, definition.machine);
    const actor = cached && (await foldFrom(cached, definition, stream, store, now));
    if (actor) return actor;
  }
  const actor = { head: firstHead(definition, id), recent: new RecentMessages(), snapshotRevision: -1 };
  let last: StoredEvent | null = null;
  for (const event of beginning) {
    take(actor, definition, event, now);
    last = event;
  }
  if (beginning.length === SNAPSHOT_EVERY) {
    for await (const event of store.readStream(stream, { from: SNAPSHOT_EVERY })) {
      take(actor, definition, event, now);
      last = event;
    }
  }
  return hashed(actor, last);
}

/** Whether nobody has written to the stream since `revision`. */
export async function isCurrent(stream: string, { revision }: Head, store: EventStore): Promise<boolean> {
  const newer = await collect(store.readStream(stream, { from: revision + 1, limit: 1 }));
  return newer.length === 0;
}

/**
 * Looks messages up in the stream, in case that `recent` has forgotten them or has never known them. `since`: when the
 * first of them was sent, by the broker's clock, in milliseconds since 1970. Their events cannot be older.
 */
export async function recall(
  messageIds: ReadonlySet<string>,
  since: number,
  { head, recent }: ActorState,
  stream: string,
  store: EventStore,
  now: number,
): Promise<void> {
  for await (const event of store.readStream(stream, { from: head.revision, direction: 'backwards' })) {
    if (Date.parse(event.created) < since - CLOCK_SKEW_MS) return;
    const { messageId } = eventMetadataSchema.parse(event.metadata);
    if (messageIds.has(messageId)) recent.add(messageId, event.revision, event.revision, now);
  }
}

/**
 * The effects of events that are already recorded, by the message that recorded them. The actor has newer
 * events by now, so the states right after these events are folded again.
 */
export async function recordedEffects(
  definition: ActorDefinition,
  id: string,
  store: EventStore,
  messages: ReadonlyMap<string, RevisionRange>,
): Promise<Map<string, CausedEffect[]>> {
  const ranges = [...messages.values()];
  const first = Math.min(...ranges.map((range) => range.first));
  const last = Math.max(...ranges.map((range) => range.last));
  const stream = streamOf(definition, id);
  let head = (await headBefore(first, definition, stream, store)) ?? firstHead(definition, id);

  const effects = new Map<string, CausedEffect[]>();
  const from = head.revision + 1;
  for await (const event of store.readStream(stream, { from, limit: last - head.revision })) {
    const taken = takeStored(head, definition, event);
    head = taken.head;
    const { messageId, correlationId } = taken.metadata;
    if (!messages.has(messageId)) continue;
    const ids = { eventId: event.id, correlationId };
    const caused = causedEffects(definition, taken.event, head.snapshot, ids);
    effects.set(messageId, [...(effects.get(messageId) ?? []), ...caused]);
  }
  return effects;
}

/** The head from the snapshot, if that is older than `revision` and the event that it names is there. */
async function headBefore(
  revision: number,
  definition: ActorDefinition,
  stream: string,
  store: EventStore,
): Promise<Head | null> {
  if (revision <= SNAPSHOT_EVERY) return null;
  const cached = await readSnapshot(store, stream, definition.machine);
  if (!cached || cached.revision >= revision) return null;
  const [named] = await collect(store.readStream(stream, { from: cached.revision, limit: 1 }));
  return named?.id === cached.eventId ? restore(cached, definition) : null;
}

async function foldFrom(
  cached: CachedState,
  definition: ActorDefinition,
  stream: string,
  store: EventStore,
  now: number,
): Promise<ActorState | null> {
  let actor: ActorState | null = null;
  let last: StoredEvent | null = null;
  for await (const event of store.readStream(stream, { from: cached.revision })) {
    if (actor === null) {
      const head = event.id === cached.eventId ? restore(cached, definition) : null;
      if (head === null) return null;
      actor = { head, recent: new RecentMessages(), snapshotRevision: cached.revision };
      await recallBefore(event, actor.recent, store, now);
    } else take(actor, definition, event, now);
    last = event;
  }
  return actor && hashed(actor, last);
}

/** The head from a snapshot; null if XState cannot restore it. */
function restore({ revision, eventId, snapshot }: CachedState, { machine }: ActorDefinition): Head | null {
  try {
    const restored = restoredState(machine, snapshot);
    if (restored.status !== 'active') return null;
    return { revision, eventId, hash: GENESIS_HASH, snapshot: restored };
  } catch {
    return null;
  }
}

function take(actor: ActorState, definition: ActorDefinition, event: StoredEvent, now: number): void {
  const { head, metadata } = takeStored(actor.head, definition, event);
  actor.head = head;
  actor.recent.add(metadata.messageId, event.revision, event.revision, now);
}

/** The head after a stored event, with an outdated hash: only the hash of the last event is needed (`hashed`). */
function takeStored(
  { revision, hash, snapshot }: Head,
  definition: ActorDefinition,
  stored: StoredEvent,
): { head: Head; event: DomainEvent; metadata: EventMetadata } {
  const { stream } = stored;
  if (stored.revision !== revision + 1) {
    throw new UnhandledEventError(
      `${stream} continues at revision ${stored.revision} after ${revision}: events are missing.`,
    );
  }
  const metadata = eventMetadataSchema.parse(stored.metadata);
  const event: DomainEvent = { type: stored.type, data: upcast(stored) };
  const after = takeEvent(definition, stream, stored.revision, event, snapshot);
  return { head: { revision: stored.revision, eventId: stored.id, hash, snapshot: after }, event, metadata };
}

function hashed(actor: ActorState, last: StoredEvent | null): ActorState {
  if (last) actor.head = { ...actor.head, hash: hashOf(last) };
  return actor;
}

/** Remembers the recent messages whose events the snapshot covers: they may come back, too. */
async function recallBefore(
  end: StoredEvent,
  recent: RecentMessages,
  store: EventStore,
  now: number,
): Promise<void> {
  const recalled: StoredEvent[] = [];
  for await (const event of store.readStream(end.stream, { from: end.revision, direction: 'backwards' })) {
    const age = Date.parse(end.created) - Date.parse(event.created);
    if (recalled.length >= RECENT_COUNT && age > RECENT_MS) {
      recent.cutOff();
      break;
    }
    recalled.push(event);
  }
  for (const { metadata, revision } of recalled.reverse()) {
    recent.add(eventMetadataSchema.parse(metadata).messageId, revision, revision, now);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
