import {
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
} from 'xstate';
import type { ActorDefinition, DomainEvent } from '../actors/actor.ts';
import { GENESIS_HASH } from '../events/envelope.ts';

/** An actor's last event and its state after all of its events. Plain data. */
export interface Head {
  /** Revision of the last event; -1 before the first. */
  readonly revision: number;
  /** Id of the last event; null before the first. */
  readonly eventId: string | null;
  /** Hash of the last event: the `prevHash` of the next one. */
  readonly hash: string;
  readonly snapshot: AnyMachineSnapshot;
}

/**
 * The machine does not handle an event in its current state. If the event were ignored, the history would be
 * false.
 */
export class UnhandledEventError extends Error {
  override readonly name = 'UnhandledEventError';
}

/**
 * One scope for each machine: XState's `transition` creates an actor per call, which costs several times the
 * fold itself.
 */
const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

export function streamOf(definition: ActorDefinition, id: string): string {
  return `${definition.category}-${id}`;
}

/** The head before the first event. */
export function firstHead({ machine }: ActorDefinition, id: string): Head {
  const snapshot = machine.getInitialSnapshot(scopeOf(machine), { id });
  return { revision: -1, eventId: null, hash: GENESIS_HASH, snapshot };
}

/** The state after an event. Throws `UnhandledEventError` if the machine does not handle the event. */
export function takeEvent(
  { machine }: ActorDefinition,
  stream: string,
  revision: number,
  event: DomainEvent,
  snapshot: AnyMachineSnapshot,
): AnyMachineSnapshot {
  const next = foldEvent(machine, snapshot, event);
  // An unhandled event changes nothing, but an event that changes nothing may still be handled.
  if (next === snapshot && !snapshot.can(event as EventObject)) {
    throw new UnhandledEventError(
      `${stream} cannot take ${event.type} as revision ${revision} in state ${JSON.stringify(snapshot.value)}.`,
    );
  }
  return next;
}

/**
 * The state after an event: the same as XState's pure `transition`, without actions. (Machines in this project
 * have no actions except `assign`.) Throws what an `assign` throws.
 */
export function foldEvent(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): AnyMachineSnapshot {
  return machine.transition(snapshot, event, scopeOf(machine));
}

/** A state as JSON. */
export function persistedState(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): unknown {
  return machine.getPersistedSnapshot(snapshot);
}

/** The state from its JSON. Throws if the machine has no such state. */
export function restoredState(machine: AnyStateMachine, persisted: unknown): AnyMachineSnapshot {
  return machine.restoreSnapshot(persisted as AnyMachineSnapshot, scopeOf(machine));
}

/** The actor scope that a machine sees. It starts, stops, sends and logs nothing. */
function scopeOf(machine: AnyStateMachine): AnyActorScope {
  const known = scopes.get(machine);
  if (known) return known;
  const self = createActor(machine);
  const scope: AnyActorScope = {
    self,
    system: self.system,
    id: '',
    sessionId: '',
    logger: () => {},
    defer: () => {},
    emit: () => {},
    stopChild: () => {},
    actionExecutor: () => {},
  };
  scopes.set(machine, scope);
  return scope;
}
