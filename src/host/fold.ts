import {
  type AnyActorScope,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
} from 'xstate';

/** One for each machine: XState's `transition` builds an actor per call, which costs several times the fold itself. */
const scopes = new WeakMap<AnyStateMachine, AnyActorScope>();

/**
 * The state after an event: what XState's pure `transition` gives, without its actions (machines of this project have
 * none but `assign`). Throws what an `assign` throws.
 */
export function foldEvent(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): AnyMachineSnapshot {
  return machine.transition(snapshot, event, scopeOf(machine));
}

/** What a machine sees of the actor around it, where there is none: nothing is started, stopped, sent or logged. */
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
