import type { AnyMachineSnapshot } from 'xstate';
import { transition } from 'xstate';
import type { ActorDefinition, Address, Command, DomainEvent, Effect, Given } from '../actors/actor.ts';
import {
  canonicalJson,
  type EventMetadata,
  effectId,
  encodeJson,
  eventId,
  hashOf,
  type MessageIds,
  SCHEMA_VERSION,
} from '../events/envelope.ts';
import type { JsonObject, NewEvent } from '../eventstore/port.ts';
import { assertHandled, streamOf } from './actor-instance.ts';
import type { Outgoing } from './transport.ts';

/** A command that has been read and validated. */
export interface Message extends MessageIds {
  readonly to: Address;
  readonly device: string | null;
  readonly command: Command;
}

/** Where the stream stands, in the mind of who decides: after all events that are decided but not yet stored. */
export interface Head {
  readonly revision: number;
  readonly hash: string;
  readonly snapshot: AnyMachineSnapshot;
}

export interface Timer extends Pick<MessageIds, 'correlationId' | 'causationId'> {
  readonly to: Address;
  /** ISO 8601. */
  readonly dueAt: string;
  readonly command: Command;
}

/** An effect of a recorded event, ready to be carried out. */
export type FollowUp =
  | { readonly kind: 'message'; readonly message: Outgoing }
  | { readonly kind: 'timer'; readonly timer: Timer };

/** What one message makes happen, before anything of it is stored. */
export interface Plan {
  readonly events: readonly NewEvent[];
  /** Size of the events as stored, in bytes, without the store's own overhead. */
  readonly bytes: number;
  readonly followUps: readonly FollowUp[];
  readonly head: Head;
}

/**
 * Decides one message: pure, so that whatever throws here (a refusal, a bug, data that is no JSON, an event that the
 * machine cannot take) leaves nothing behind.
 */
export function planMessage(definition: ActorDefinition, head: Head, message: Message, given: Given): Plan {
  const stream = streamOf(definition, message.to.id);
  const events: NewEvent[] = [];
  const followUps: FollowUp[] = [];
  let bytes = 0;
  let { revision, hash, snapshot } = head;
  for (const decided of definition.decide(message.command, snapshot, given)) {
    revision += 1;
    const text = canonicalJson(decided.data);
    // The machine gets what the store will give back later: live state and replayed state cannot differ.
    const data: JsonObject = JSON.parse(text);
    const event: DomainEvent = { type: decided.type, data };
    assertHandled(stream, revision, event, snapshot);
    [snapshot] = transition(definition.machine, snapshot, event);
    const id = eventId(stream, revision, event.type, data, message.messageId);
    const metadata: EventMetadata = {
      schemaVersion: SCHEMA_VERSION,
      messageId: message.messageId,
      causationId: message.causationId,
      correlationId: message.correlationId,
      prevHash: hash,
    };
    hash = hashOf({ stream, revision, id, type: event.type, data, metadata });
    events.push({ id, type: event.type, data, metadata });
    bytes += Buffer.byteLength(text) + Buffer.byteLength(JSON.stringify(metadata)) + event.type.length;
    const ids = { eventId: id, correlationId: message.correlationId };
    followUps.push(...effectsOf(definition, message.to.id, event, snapshot, ids));
  }
  return { events, bytes, followUps, head: { revision, hash, snapshot } };
}

/** What follows from one recorded event, with `snapshot` as it was right after it. */
export function effectsOf(
  definition: ActorDefinition,
  id: string,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
  ids: { readonly eventId: string; readonly correlationId: string },
): FollowUp[] {
  return definition.react(event, snapshot).map((effect, index) => {
    if (effect.kind === 'timer') {
      const { dueAt, command } = effect;
      if (Number.isNaN(Date.parse(dueAt))) throw new RangeError(`"${dueAt}" is no time to wait for.`);
      const to = { kind: definition.kind, id };
      const timer = { to, dueAt, command, correlationId: ids.correlationId, causationId: ids.eventId };
      return { kind: 'timer', timer };
    }
    const message: Outgoing = {
      messageId: effectId(ids.eventId, index),
      correlationId: ids.correlationId,
      causationId: ids.eventId,
      ...addressed(effect),
    };
    return { kind: 'message', message };
  });
}

function addressed(effect: Exclude<Effect, { kind: 'timer' }>): Pick<Outgoing, 'target' | 'body'> {
  switch (effect.kind) {
    case 'command':
      return { target: { kind: 'command', to: effect.to }, body: encodeJson(effect.command) };
    case 'work':
      return { target: { kind: 'work', device: effect.device }, body: encodeJson(effect.body) };
    case 'reply':
      return { target: { kind: 'reply', subject: effect.subject }, body: encodeJson(effect.body) };
  }
}
