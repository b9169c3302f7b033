import type { AnyMachineSnapshot } from 'xstate';
import type { ActorDefinition, Address, Command, DomainEvent, Effect, Given } from '../actors/actor.ts';
import { canonicalJson, effectId, encodeJson, type MessageIds, sealEvent } from '../events/envelope.ts';
import type { JsonObject, NewEvent } from '../eventstore/port.ts';
import { assertHandled, streamOf } from './actor-instance.ts';
import { foldEvent } from './fold.ts';
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
export interface Plan extends Omit<Decision, 'sealed' | 'effects'> {
  readonly events: readonly NewEvent[];
  readonly followUps: readonly FollowUp[];
}

/** A plan whose effects are still data, as `react` gave them. */
export interface Decision {
  readonly sealed: readonly SealedEvent[];
  /** Size of the events as stored, in bytes, without the store's own overhead. */
  readonly bytes: number;
  readonly effects: readonly CausedEffect[];
  readonly head: Head;
}

export interface SealedEvent {
  readonly event: NewEvent;
  /** Canonical JSON of the event and its place: what is hashed, and a line of a history. */
  readonly content: string;
}

/** An effect with the event that it follows from. */
export interface CausedEffect {
  readonly effect: Effect;
  /** Its place among the effects of that event. */
  readonly index: number;
  readonly eventId: string;
  readonly correlationId: string;
}

/**
 * Decides one message: pure, so that whatever throws here (a refusal, a bug, data that is no JSON, an event that the
 * machine cannot take) leaves nothing behind.
 */
export function planMessage(definition: ActorDefinition, head: Head, message: Message, given: Given): Plan {
  const { sealed, effects, ...decision } = decideMessage(definition, head, message, given);
  return {
    ...decision,
    events: sealed.map(({ event }) => event),
    followUps: effects.map((caused) => followUpOf(message.to, caused)),
  };
}

/** As `planMessage`, for a host in one process, whose effects need no bytes to travel as. */
export function decideMessage(
  definition: ActorDefinition,
  head: Head,
  message: Message,
  given: Given,
): Decision {
  const stream = streamOf(definition, message.to.id);
  const sealed: SealedEvent[] = [];
  const effects: CausedEffect[] = [];
  let bytes = 0;
  let { revision, hash, snapshot } = head;
  const decided = definition.decide(message.command, snapshot, given)[Symbol.iterator]();
  for (let step = decided.next(snapshot); !step.done; step = decided.next(snapshot)) {
    const { value } = step;
    revision += 1;
    const dataText = canonicalJson(value.data);
    // The machine gets what the store will give back later: live state and replayed state cannot differ.
    const data: JsonObject = JSON.parse(dataText);
    const event: DomainEvent = { type: value.type, data };
    snapshot = takeEvent(definition, stream, revision, event, snapshot);
    const seal = sealEvent({ stream, revision, type: event.type, dataText, ids: message, prevHash: hash });
    const { id, metadata, metadataText, content } = seal;
    hash = seal.hash;
    sealed.push({ event: { id, type: event.type, data, metadata }, content });
    bytes += Buffer.byteLength(dataText) + Buffer.byteLength(metadataText) + event.type.length;
    effects.push(
      ...causedEffects(definition, event, snapshot, { eventId: id, correlationId: message.correlationId }),
    );
  }
  return { sealed, bytes, effects, head: { revision, hash, snapshot } };
}

/** The state after an event. Throws `UnhandledEventError` where the machine does not take it. */
export function takeEvent(
  { machine }: ActorDefinition,
  stream: string,
  revision: number,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
): AnyMachineSnapshot {
  const next = foldEvent(machine, snapshot, event);
  // An event that is not handled changes nothing; one that changes nothing may still be handled.
  if (next === snapshot) assertHandled(stream, revision, event, snapshot);
  return next;
}

/** What follows from one recorded event, with `snapshot` as it was right after it. */
export function effectsOf(
  definition: ActorDefinition,
  id: string,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
  ids: { readonly eventId: string; readonly correlationId: string },
): FollowUp[] {
  const to = { kind: definition.kind, id };
  return causedEffects(definition, event, snapshot, ids).map((caused) => followUpOf(to, caused));
}

/** The same, as data. Throws where an effect can never be carried out. */
export function causedEffects(
  definition: ActorDefinition,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
  ids: { readonly eventId: string; readonly correlationId: string },
): CausedEffect[] {
  return definition.react(event, snapshot).map((effect, index) => {
    if (effect.kind === 'timer' && Number.isNaN(Date.parse(effect.dueAt))) {
      throw new RangeError(`"${effect.dueAt}" is no time to wait for.`);
    }
    return { effect, index, ...ids };
  });
}

function followUpOf(to: Address, { effect, index, eventId, correlationId }: CausedEffect): FollowUp {
  if (effect.kind === 'timer') {
    const { dueAt, command } = effect;
    return { kind: 'timer', timer: { to, dueAt, command, correlationId, causationId: eventId } };
  }
  const message: Outgoing = {
    messageId: effectId(eventId, index),
    correlationId,
    causationId: eventId,
    ...addressed(effect),
  };
  return { kind: 'message', message };
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
