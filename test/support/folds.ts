import { vi } from 'vitest';
import type { ActorDefinition } from '../../src/actors/actor.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';

/** Counts, for each kind of actor, how often an event is folded from now on. All folds call `transition`. */
export function countFolds(definitions: readonly ActorDefinition[]): () => Record<string, number> {
  const spies = definitions.map(({ kind, machine }) => [kind, vi.spyOn(machine, 'transition')] as const);
  return () => Object.fromEntries(spies.map(([kind, spy]) => [kind, spy.mock.calls.length]));
}

/** Number of recorded events for each kind of actor. */
export function countEvents(
  definitions: readonly ActorDefinition[],
  events: readonly StoredEvent[],
): Record<string, number> {
  const recorded = (category: string) => events.filter(({ stream }) => stream.startsWith(`${category}-`));
  return Object.fromEntries(definitions.map(({ kind, category }) => [kind, recorded(category).length]));
}
