import type { Actor, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { createActor } from 'xstate';
import type { ActorDefinition, DomainEvent } from '../actors/actor.ts';
import { eventMetadataSchema, GENESIS_HASH, hashOf } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { StoredEvent } from '../eventstore/port.ts';
import { RecentMessages } from './recent.ts';

/** The machine does not handle an event in the state that it is in. Ignoring it would make history a lie. */
export class UnhandledEventError extends Error {
  override readonly name = 'UnhandledEventError';
}

/** An actor in memory: the live machine, and where in its stream it stands. */
export class ActorInstance {
  readonly definition: ActorDefinition;
  readonly id: string;
  readonly stream: string;
  readonly recent = new RecentMessages();
  /** Revision of the last event that was applied; -1 before the first. */
  revision = -1;
  /** Hash of the last event: the `prevHash` of the next one. */
  lastHash = GENESIS_HASH;
  /** Id of the last event, or null before the first. */
  lastEventId: string | null = null;
  /** Revision of the last snapshot that was read or written, -1 for none. */
  snapshotRevision = -1;
  readonly #actor: Actor<AnyStateMachine>;

  constructor(definition: ActorDefinition, id: string, persisted?: AnyMachineSnapshot) {
    this.definition = definition;
    this.id = id;
    this.stream = streamOf(definition, id);
    this.#actor = createActor(definition.machine, {
      input: { id },
      ...(persisted && { snapshot: persisted }),
    });
    // Without an observer XState throws an action's error on a later tick, where nobody can catch it.
    this.#actor.subscribe({ error: () => {} });
    this.#actor.start();
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#actor.getSnapshot();
  }

  get persisted(): unknown {
    return this.#actor.getPersistedSnapshot();
  }

  /** Takes one recorded event: the same way for live events and for history. */
  apply(event: DomainEvent, place: { revision: number; id: string; messageId: string }, now: number): void {
    assertHandled(this.stream, place.revision, event, this.snapshot);
    this.#actor.send({ type: event.type, data: event.data });
    const after: AnyMachineSnapshot = this.snapshot;
    if (after.status === 'error') throw after.error;
    this.revision = place.revision;
    this.lastEventId = place.id;
    this.recent.add(place.messageId, place.revision, now);
  }

  /** Takes an event as the store gives it. `lastHash` is left to the caller: only the last one of many matters. */
  applyStored(event: StoredEvent, now: number): void {
    if (event.revision !== this.revision + 1) {
      throw new UnhandledEventError(
        `${this.stream} continues at revision ${event.revision} after ${this.revision}: events are missing.`,
      );
    }
    const { messageId } = eventMetadataSchema.parse(event.metadata);
    const lifted = { type: event.type, data: upcast(event) };
    this.apply(lifted, { revision: event.revision, id: event.id, messageId }, now);
  }

  headAt(event: StoredEvent): void {
    this.lastHash = hashOf(event);
  }

  stop(): void {
    this.#actor.stop();
  }
}

export function streamOf(definition: ActorDefinition, id: string): string {
  return `${definition.category}-${id}`;
}

/** Throws `UnhandledEventError` unless the machine takes the event in this state. */
export function assertHandled(
  stream: string,
  revision: number,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
): void {
  if (snapshot.can({ type: event.type, data: event.data })) return;
  throw new UnhandledEventError(
    `${stream} cannot take ${event.type} as revision ${revision} in state ${JSON.stringify(snapshot.value)}.`,
  );
}
