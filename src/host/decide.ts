import type { ActorDefinition, Address, DomainEvent, Effect, Given } from '../actors/actor.ts';
import { canonicalJson, effectId, encodeJson, sealEvent } from '../events/envelope.ts';
import type { JsonObject, NewEvent } from '../eventstore/port.ts';
import { type Head, streamOf, takeEvent } from './fold.ts';
import type { Message } from './message.ts';
import type { Timer } from './timers.ts';
import type { Outgoing } from './transport.ts';

/** What one message leads to, before anything is stored. Effects are data, as `react` returned them. */
export interface Decision {
  readonly sealed: readonly SealedEvent[];
  /** Size of the events as stored, in bytes, without the store's overhead. */
  readonly bytes: number;
  readonly effects: readonly CausedEffect[];
  /** The actor's head once all events are stored. */
  readonly head: Head;
}

export interface SealedEvent {
  readonly event: NewEvent;
  /** Canonical JSON of the event with its stream and revision. It is hashed, and it is a line of a history. */
  readonly content: string;
}

/** An effect with the event that it follows from. */
export interface CausedEffect {
  readonly effect: Effect;
  /** Index among the effects of that event. */
  readonly index: number;
  readonly eventId: string;
  readonly correlationId: string;
}

/** An effect of a recorded event, ready to be carried out. */
export type FollowUp =
  | { readonly kind: 'message'; readonly message: Outgoing }
  | { readonly kind: 'timer'; readonly timer: Timer };

/**
 * Decides one message. It is pure: if anything here throws (a refusal, a bug, data that is not JSON, an event
 * that the machine cannot take), nothing has changed. Each event is folded once. `decide` and `react` see the
 * same state that the actor has once the event is stored.
 */
export function decideMessage(
  definition: ActorDefinition,
  head: Head,
  message: Message,
  given: Given,
): Decision {
  const stream = streamOf(definition, message.to.id);
  const { correlationId } = message;
  const sealed: SealedEvent[] = [];
  const effects: CausedEffect[] = [];
  let bytes = 0;
  let { revision, eventId, hash, snapshot } = head;
  const decided = definition.decide(message.command, snapshot, given)[Symbol.iterator]();
  for (let step = decided.next(snapshot); !step.done; step = decided.next(snapshot)) {
    const { type } = step.value;
    const dataText = canonicalJson(step.value.data);
    // The machine gets exactly what the store returns later, so live state and replayed state cannot differ.
    const data: JsonObject = JSON.parse(dataText);
    const event: DomainEvent = { type, data };
    revision += 1;
    snapshot = takeEvent(definition, stream, revision, event, snapshot);
    const seal = sealEvent({ stream, revision, type, dataText, ids: message, prevHash: hash });
    const { id, metadata, metadataText, content } = seal;
    hash = seal.hash;
    eventId = id;
    sealed.push({ event: { id, type, data, metadata }, content });
    bytes += Buffer.byteLength(dataText) + Buffer.byteLength(metadataText) + type.length;
    effects.push(...causedEffects(definition, event, snapshot, { eventId, correlationId }));
  }
  return { sealed, bytes, effects, head: { revision, eventId, hash, snapshot } };
}

/**
 * The effects of one recorded event. `snapshot` is the state right after it. Throws if an effect can never be
 * carried out.
 */
export function causedEffects(
  definition: ActorDefinition,
  event: DomainEvent,
  snapshot: Head['snapshot'],
  ids: { readonly eventId: string; readonly correlationId: string },
): CausedEffect[] {
  return definition.react(event, snapshot).map((effect, index) => {
    if (effect.kind === 'timer' && Number.isNaN(Date.parse(effect.dueAt))) {
      throw new RangeError(`"${effect.dueAt}" is not a time that a timer can wait for.`);
    }
    return { effect, index, ...ids };
  });
}

/** Converts an actor's effect to what the transport carries. Throws `NotJsonError`. */
export function followUpOf(from: Address, { effect, index, eventId, correlationId }: CausedEffect): FollowUp {
  if (effect.kind === 'timer') {
    const { dueAt, command } = effect;
    return { kind: 'timer', timer: { to: from, dueAt, command, correlationId, causationId: eventId } };
  }
  const ids = { messageId: effectId(eventId, index), correlationId, causationId: eventId };
  switch (effect.kind) {
    case 'command': {
      const { to, command } = effect;
      return {
        kind: 'message',
        message: { ...ids, target: { kind: 'command', to }, body: encodeJson(command) },
      };
    }
    case 'work': {
      const { device, body } = effect;
      return {
        kind: 'message',
        message: { ...ids, target: { kind: 'work', device }, body: encodeJson(body) },
      };
    }
    case 'reply': {
      const { subject, body } = effect;
      return {
        kind: 'message',
        message: { ...ids, target: { kind: 'reply', subject }, body: encodeJson(body) },
      };
    }
  }
}
