import { assign, setup } from 'xstate';
import type { EvolutionMode, EvolutionSettings, Slot } from '../../events/evolution.ts';
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

/** Claims and measurements that are remembered: more than come while a message is on its way. */
const REMEMBERED_GENERATIONS = 256;

/** A slot that was granted, until its Node is seen to live there. */
export interface Promised {
  readonly claim: string;
  readonly slot: Slot;
}

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
  readonly settings: EvolutionSettings | null;
  readonly mode: EvolutionMode;
  /** The mode that each Cluster's last measurement belonged to, and when it measured. */
  readonly bands: Readonly<Record<string, { readonly band: EvolutionMode; readonly at: string }>>;
  /** Generations after which was measured, and claims that were granted. */
  readonly measured: RecentKeys;
  readonly claims: RecentKeys;
  /** By the Node that is to live there. */
  readonly promised: Readonly<Record<string, Promised>>;
  /** Clusters that were merged, and into which. */
  readonly merged: Readonly<Record<string, string>>;
}

/**
 * The Super Cluster: unformed, then resting or busy, with as many subtasks in flight as there are. What is asked before
 * it is formed fails and may be asked again. Beside that it sets how hard evolution presses.
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
    configure: assign(({ event }) =>
      event.type === 'EvolutionConfigured' ? { settings: event.data.settings } : {},
    ),
    promise: assign(({ context, event }) => {
      if (event.type !== 'SlotsGranted') return {};
      const { claim, slots, arrived } = event.data;
      const promised: Record<string, Promised> = { ...context.promised };
      for (const node of arrived) delete promised[node];
      for (const slot of slots) promised[slot.node] = { claim, slot };
      return {
        promised,
        claims: context.claims.includes(claim)
          ? context.claims
          : remember(context.claims, claim, REMEMBERED_GENERATIONS),
      };
    }),
    measure: assign(({ context, event }) => {
      if (event.type !== 'NetworkFitnessMeasured') return {};
      const { generation, cluster, band, at } = event.data;
      return {
        measured: remember(context.measured, generation, REMEMBERED_GENERATIONS),
        bands: { ...context.bands, [cluster]: { band, at } },
      };
    }),
    /** What was measured in another mode says nothing about this one. */
    changeMode: assign(({ event }) =>
      event.type === 'EvolutionModeChanged' ? { mode: event.data.to, bands: {} } : {},
    ),
    merge: assign(({ context, event }) =>
      event.type === 'MergeApproved'
        ? { merged: { ...context.merged, [event.data.cluster]: event.data.into } }
        : {},
    ),
  },
}).createMachine({
  id: 'superCluster',
  context: ({ input }) => ({
    superCluster: input?.id ?? '',
    inFlight: {},
    settled: [],
    settings: null,
    mode: 'normal',
    bands: {},
    measured: [],
    claims: [],
    promised: {},
    merged: {},
  }),
  type: 'parallel',
  states: {
    routing: {
      initial: 'unformed',
      states: {
        unformed: {
          on: {
            RoutingFailed: { actions: 'route' },
            SubtaskSettled: { actions: 'settle' },
            SuperClusterFormed: [{ guard: 'hasInFlight', target: 'busy' }, { target: 'resting' }],
          },
        },
        resting: {
          on: {
            SubtaskRouted: { target: 'busy', actions: 'route' },
            RoutingFailed: { target: 'busy', actions: 'route' },
          },
        },
        busy: {
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
    },
    evolution: {
      initial: 'resting',
      states: {
        /** Nobody is culled and nobody is born before it is known what evolution goes by. */
        resting: { on: { EvolutionConfigured: { target: 'pressing', actions: 'configure' } } },
        pressing: { on: { EvolutionConfigured: { actions: 'configure' } } },
      },
      on: {
        SlotsGranted: { actions: 'promise' },
        NetworkFitnessMeasured: { actions: 'measure' },
        EvolutionModeChanged: { actions: 'changeMode' },
        MergeApproved: { actions: 'merge' },
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
