import { assertEvent, assign, setup } from 'xstate';
import type { EvolutionMode, EvolutionSettings, Slot } from '../../events/evolution.ts';
import type { SuperClusterEvent } from '../../events/super-cluster.ts';
import type { Resource } from '../../events/values.ts';
import { type RecentKeys, remember } from '../recent.ts';
import { takenOut } from '../records.ts';

/** At 300 subtasks per second, these are the subtasks of about 14 seconds: longer than a message is in flight. */
const REMEMBERED_SUBTASKS = 4096;

/**
 * How long a subtask stays in flight after its deadline, in milliseconds. Normally its query settles it. A
 * resource that did not answer must still be known when the next attempt comes.
 */
const OVERDUE_MS = 60_000;

/** Claims and measurements that are remembered: more than can occur while a message is in flight. */
const REMEMBERED_GENERATIONS = 256;

/** A granted slot, until the read model shows its Node there. */
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
  /** Subtasks in flight, by subtaskId. A settled or long overdue one is removed. */
  readonly inFlight: Readonly<Record<string, RoutedSubtask>>;
  /** Subtasks that were settled lately. A repeated request for one of them changes nothing. */
  readonly settled: RecentKeys;
  readonly settings: EvolutionSettings | null;
  readonly mode: EvolutionMode;
  /** The band of each Cluster's last measurement, and when it was measured. */
  readonly bands: Readonly<Record<string, { readonly band: EvolutionMode; readonly at: string }>>;
  /** Generations after which fitness was measured, and claims that were granted. */
  readonly measured: RecentKeys;
  readonly claims: RecentKeys;
  /** By the Node that will live there. */
  readonly promised: Readonly<Record<string, Promised>>;
  /** The Cluster that each merged Cluster joined. */
  readonly merged: Readonly<Record<string, string>>;
}

/**
 * The Super Cluster has two parallel regions. Routing: unformed, then resting or busy, with any number of
 * subtasks in flight. A subtask that arrives before it is formed fails and may be sent again. Evolution: it
 * sets the evolution mode.
 */
export const superClusterMachine = setup({
  types: {
    context: {} as SuperClusterContext,
    events: {} as SuperClusterEvent,
    input: {} as { id: string },
  },
  guards: {
    hasInFlight: ({ context }) => Object.keys(context.inFlight).length > 0,
    isLastInFlight: ({ context, event }) => {
      assertEvent(event, 'SubtaskSettled');
      return Object.keys(context.inFlight).every((subtaskId) => subtaskId === event.data.subtaskId);
    },
  },
  actions: {
    route: assign(({ context, event }) => {
      assertEvent(event, ['SubtaskRouted', 'RoutingFailed']);
      const { subtaskId, queryId, attempt, dueAt, at } = event.data;
      const resource = event.type === 'SubtaskRouted' ? (event.data.chosen[0] ?? null) : null;
      return {
        inFlight: { ...notOverdue(context.inFlight, at), [subtaskId]: { queryId, attempt, resource, dueAt } },
      };
    }),
    settle: assign(({ context, event }) => {
      assertEvent(event, 'SubtaskSettled');
      const { subtaskId } = event.data;
      const [, inFlight] = takenOut(context.inFlight, subtaskId);
      return { inFlight, settled: remember(context.settled, subtaskId, REMEMBERED_SUBTASKS) };
    }),
    configure: assign(({ event }) => {
      assertEvent(event, 'EvolutionConfigured');
      return { settings: event.data.settings };
    }),
    promise: assign(({ context, event }) => {
      assertEvent(event, 'SlotsGranted');
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
      assertEvent(event, 'NetworkFitnessMeasured');
      const { generation, cluster, band, at } = event.data;
      return {
        measured: remember(context.measured, generation, REMEMBERED_GENERATIONS),
        bands: { ...context.bands, [cluster]: { band, at } },
      };
    }),
    /** Measurements in another mode are not compared with those in this one. */
    changeMode: assign(({ event }) => {
      assertEvent(event, 'EvolutionModeChanged');
      return { mode: event.data.to, bands: {} };
    }),
    merge: assign(({ context, event }) => {
      assertEvent(event, 'MergeApproved');
      return { merged: { ...context.merged, [event.data.cluster]: event.data.into } };
    }),
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
        /** No Node is culled or born before evolution is configured. */
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

/** Copies only if something is removed, because this runs for every subtask of the network. */
function notOverdue(
  subtasks: Readonly<Record<string, RoutedSubtask>>,
  at: string,
): Readonly<Record<string, RoutedSubtask>> {
  const entries = Object.entries(subtasks);
  const oldest = new Date(Date.parse(at) - OVERDUE_MS).toISOString();
  const kept = entries.filter(([, subtask]) => subtask.dueAt >= oldest);
  return kept.length === entries.length ? subtasks : Object.fromEntries(kept);
}
