import { assign, setup } from 'xstate';
import type { SuperClusterEvent } from '../../events/super-cluster.ts';
import type { Resource } from '../../events/values.ts';
import { type RecentKeys, remember } from '../recent.ts';

/** At 300 subtasks a second this is a quarter of a minute: more than a message is on its way. */
const REMEMBERED_SUBTASKS = 4096;

/**
 * How long a subtask stays in flight after its deadline. Its query settles it; this is for one that never does. Whoever
 * kept silent must still be known when the next attempt comes.
 */
const OVERDUE_MS = 60_000;

export interface RoutedSubtask {
  readonly queryId: string;
  readonly attempt: number;
  readonly resource: Resource | null;
  readonly dueAt: string;
}

export interface SuperClusterContext {
  readonly superCluster: string;
  /** Subtasks on their way, by subtaskId; a settled or long overdue one is dropped. */
  readonly inFlight: Readonly<Record<string, RoutedSubtask>>;
  /** Subtasks settled lately: a repeated request for one of them comes to nothing. */
  readonly settled: RecentKeys;
}

/**
 * The Super Cluster: unformed, then resting or routing, with as many subtasks in flight as there are. What is asked
 * before it is formed fails and may be asked again.
 */
export const superClusterMachine = setup({
  types: {
    context: {} as SuperClusterContext,
    events: {} as SuperClusterEvent,
    input: {} as { id: string },
  },
  guards: {
    hasInFlight: ({ context }) => Object.keys(context.inFlight).length > 0,
    isLastInFlight: ({ context, event }) =>
      event.type === 'SubtaskSettled' &&
      Object.keys(context.inFlight).every((subtaskId) => subtaskId === event.data.subtaskId),
  },
  actions: {
    route: assign(({ context, event }) => {
      if (event.type !== 'SubtaskRouted' && event.type !== 'RoutingFailed') return {};
      const { subtaskId, queryId, attempt, dueAt, at } = event.data;
      const resource = event.type === 'SubtaskRouted' ? (event.data.chosen[0] ?? null) : null;
      return {
        inFlight: { ...notOverdue(context.inFlight, at), [subtaskId]: { queryId, attempt, resource, dueAt } },
      };
    }),
    settle: assign(({ context, event }) => {
      if (event.type !== 'SubtaskSettled') return {};
      const { [event.data.subtaskId]: subtask, ...inFlight } = context.inFlight;
      if (!subtask) return {};
      return { inFlight, settled: remember(context.settled, event.data.subtaskId, REMEMBERED_SUBTASKS) };
    }),
  },
}).createMachine({
  id: 'superCluster',
  context: ({ input }) => ({ superCluster: input?.id ?? '', inFlight: {}, settled: [] }),
  initial: 'unformed',
  states: {
    unformed: {
      on: {
        RoutingFailed: { actions: 'route' },
        SubtaskSettled: { actions: 'settle' },
        SuperClusterFormed: [{ guard: 'hasInFlight', target: 'routing' }, { target: 'resting' }],
      },
    },
    resting: {
      on: {
        SubtaskRouted: { target: 'routing', actions: 'route' },
        RoutingFailed: { target: 'routing', actions: 'route' },
      },
    },
    routing: {
      on: {
        SubtaskRouted: { actions: 'route' },
        RoutingFailed: { actions: 'route' },
        SubtaskSettled: [
          { guard: 'isLastInFlight', target: 'resting', actions: 'settle' },
          { actions: 'settle' },
        ],
      },
    },
  },
});

/** A copy only where something has to go: this runs for every subtask of the whole network. */
function notOverdue(
  subtasks: Readonly<Record<string, RoutedSubtask>>,
  at: string,
): Readonly<Record<string, RoutedSubtask>> {
  const entries = Object.entries(subtasks);
  const oldest = new Date(Date.parse(at) - OVERDUE_MS).toISOString();
  const kept = entries.filter(([, subtask]) => subtask.dueAt >= oldest);
  return kept.length === entries.length ? subtasks : Object.fromEntries(kept);
}
