import type { ActorDefinition, DomainEvent } from '../actors/actor.ts';
import { eventMetadataSchema } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { ActorInstance, streamOf } from './actor-instance.ts';
import type { FollowUp } from './plan.ts';
import { effectsOf } from './plan.ts';
import { RECENT_COUNT, RECENT_MS } from './recent.ts';
import { type CachedState, readSnapshot, SNAPSHOT_EVERY } from './snapshots.ts';

/**
 * Brings an actor back from its stream. Short streams are folded from their first event; longer ones from their
 * snapshot, if it fits: same code, and the event that it names stands where it says.
 */
export async function rehydrate(
  definition: ActorDefinition,
  id: string,
  store: EventStore,
  now: number,
): Promise<ActorInstance> {
  const stream = streamOf(definition, id);
  const beginning = await collect(store.readStream(stream, { limit: SNAPSHOT_EVERY }));
  if (beginning.length === SNAPSHOT_EVERY) {
    const cached = await readSnapshot(store, stream, definition.machine);
    const actor = cached && (await foldFrom(cached, definition, id, store, now));
    if (actor) return actor;
  }
  const actor = new ActorInstance(definition, id);
  let last: StoredEvent | null = null;
  for (const event of beginning) {
    actor.applyStored(event, now);
    last = event;
  }
  if (beginning.length === SNAPSHOT_EVERY) {
    for await (const event of store.readStream(stream, { from: SNAPSHOT_EVERY })) {
      actor.applyStored(event, now);
      last = event;
    }
  }
  if (last) actor.headAt(last);
  return actor;
}

/** Whether nobody has written to the stream since this instance saw its end. */
export async function isCurrent(actor: ActorInstance, store: EventStore): Promise<boolean> {
  const newer = await collect(store.readStream(actor.stream, { from: actor.revision + 1, limit: 1 }));
  return newer.length === 0;
}

/**
 * What follows from events that are recorded already, by the message that recorded them. The states right after each
 * of them are folded again beside the live actor.
 */
export async function recordedEffects(
  definition: ActorDefinition,
  id: string,
  store: EventStore,
  messages: ReadonlyMap<string, { readonly first: number; readonly last: number }>,
): Promise<Map<string, FollowUp[]>> {
  const ranges = [...messages.values()];
  const first = Math.min(...ranges.map((range) => range.first));
  const last = Math.max(...ranges.map((range) => range.last));
  const stream = streamOf(definition, id);
  const cached = first > SNAPSHOT_EVERY ? await readSnapshot(store, stream, definition.machine) : null;
  const usable = cached !== null && cached.revision < first ? cached : null;
  const actor = new ActorInstance(definition, id, usable?.snapshot);
  actor.revision = usable?.revision ?? -1;

  const effects = new Map<string, FollowUp[]>();
  for await (const event of store.readStream(stream, {
    from: actor.revision + 1,
    limit: last - actor.revision,
  })) {
    actor.applyStored(event, 0);
    const metadata = eventMetadataSchema.parse(event.metadata);
    if (!messages.has(metadata.messageId)) continue;
    const known = effects.get(metadata.messageId) ?? [];
    const domainEvent: DomainEvent = { type: event.type, data: upcast(event) };
    known.push(
      ...effectsOf(definition, id, domainEvent, actor.snapshot, {
        eventId: event.id,
        correlationId: metadata.correlationId,
      }),
    );
    effects.set(metadata.messageId, known);
  }
  actor.stop();
  return effects;
}

async function foldFrom(
  cached: CachedState,
  definition: ActorDefinition,
  id: string,
  store: EventStore,
  now: number,
): Promise<ActorInstance | null> {
  const stream = streamOf(definition, id);
  let actor: ActorInstance | null = null;
  let last: StoredEvent | null = null;
  for await (const event of store.readStream(stream, { from: cached.revision })) {
    if (actor === null) {
      if (event.id !== cached.eventId) return null;
      actor = restore(cached, definition, id);
      if (actor === null) return null;
      await recallBefore(event, actor, store, now);
    } else actor.applyStored(event, now);
    last = event;
  }
  if (actor && last) actor.headAt(last);
  return actor;
}

/** A snapshot that XState cannot take is as good as none. */
function restore(cached: CachedState, definition: ActorDefinition, id: string): ActorInstance | null {
  try {
    const actor = new ActorInstance(definition, id, cached.snapshot);
    if (actor.snapshot.status !== 'active') return null;
    actor.revision = cached.revision;
    actor.lastEventId = cached.eventId;
    actor.snapshotRevision = cached.revision;
    return actor;
  } catch {
    return null;
  }
}

/** The messages whose events the snapshot covers may come back as well. */
async function recallBefore(
  end: StoredEvent,
  actor: ActorInstance,
  store: EventStore,
  now: number,
): Promise<void> {
  let count = 0;
  for await (const event of store.readStream(actor.stream, { from: end.revision, direction: 'backwards' })) {
    const age = Date.parse(end.created) - Date.parse(event.created);
    if (count >= RECENT_COUNT && age > RECENT_MS) return;
    actor.recent.add(eventMetadataSchema.parse(event.metadata).messageId, event.revision, now);
    count += 1;
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
