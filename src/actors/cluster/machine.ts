import { assign, setup } from 'xstate';
import type { ClusterEvent, Member, Share, TaskDistributed, VoteCounted } from '../../events/cluster.ts';

/** A subtask that the Cluster is voting on. */
export interface OpenSubtask extends Omit<TaskDistributed, 'guests' | 'at'> {
  readonly distributedAt: string;
  readonly ballots: readonly VoteCounted[];
  /** Tasks whose votes will not come. */
  readonly lost: readonly string[];
  readonly tiebreaks: number;
}

export interface ClusterContext {
  readonly cluster: string;
  readonly name: string;
  readonly specialization: string;
  readonly members: Readonly<Record<string, Member>>;
  /** By `subtaskKey`. */
  readonly open: Readonly<Record<string, OpenSubtask>>;
  /** Deadlines of the subtasks that are over; past them nothing can ask for one again. */
  readonly closed: Readonly<Record<string, string>>;
}

/**
 * A Cluster: unformed, then formed. Formed, it grows by admission, and is idle or polling: handing subtasks to its
 * Nodes and counting their votes until there is a consensus or none to be had.
 */
export const clusterMachine = setup({
  types: {
    context: {} as ClusterContext,
    events: {} as ClusterEvent,
    input: {} as { id: string },
  },
  guards: {
    isOpen: ({ context, event }) => openOf(context, event) !== undefined,
    isLastOpen: ({ context, event }) =>
      openOf(context, event) !== undefined && Object.keys(context.open).length === 1,
  },
  actions: {
    form: assign(({ event }) => {
      if (event.type !== 'ClusterFormed') return {};
      const { name, specialization } = event.data;
      return { name, specialization };
    }),
    admit: assign(({ context, event }) => {
      if (event.type !== 'NodeAdmitted') return {};
      const { at: _at, ...member } = event.data;
      return { members: { ...context.members, [member.node]: member } };
    }),
    open: assign(({ context, event }) => {
      if (event.type !== 'TaskDistributed') return {};
      const { at, guests: _guests, ...subtask } = event.data;
      const opened: OpenSubtask = { ...subtask, distributedAt: at, ballots: [], lost: [], tiebreaks: 0 };
      const closed = Object.fromEntries(Object.entries(context.closed).filter(([, dueAt]) => dueAt >= at));
      return { open: { ...context.open, [subtaskKey(subtask)]: opened }, closed };
    }),
    count: assign(({ context, event }) =>
      event.type === 'VoteCounted'
        ? changed(context, event, (subtask) => ({ ballots: [...subtask.ballots, event.data] }))
        : {},
    ),
    lose: assign(({ context, event }) =>
      event.type === 'VoteLost'
        ? changed(context, event, (subtask) => ({ lost: [...subtask.lost, event.data.taskId] }))
        : {},
    ),
    askOneMore: assign(({ context, event }) =>
      event.type === 'TiebreakCalled'
        ? changed(context, event, (subtask) => ({
            shares: [...subtask.shares, event.data.share],
            tiebreaks: subtask.tiebreaks + 1,
          }))
        : {},
    ),
    close: assign(({ context, event }) => {
      const subtask = openOf(context, event);
      if (!subtask) return {};
      const key = subtaskKey(subtask);
      const { [key]: _ended, ...open } = context.open;
      return { open, closed: { ...context.closed, [key]: subtask.dueAt } };
    }),
  },
}).createMachine({
  id: 'cluster',
  context: ({ input }) => ({
    cluster: input?.id ?? '',
    name: '',
    specialization: '',
    members: {},
    open: {},
    closed: {},
  }),
  initial: 'unformed',
  // A seed may arrive before the news that its Cluster is formed: no command relies on an order.
  on: { NodeAdmitted: { actions: 'admit' } },
  states: {
    unformed: {
      on: { ClusterFormed: { target: 'formed', actions: 'form' } },
    },
    formed: {
      initial: 'idle',
      on: {
        TaskDistributed: { target: '.polling', actions: 'open' },
      },
      states: {
        idle: {},
        polling: {
          on: {
            VoteCounted: { guard: 'isOpen', actions: 'count' },
            VoteLost: { guard: 'isOpen', actions: 'lose' },
            TiebreakCalled: { guard: 'isOpen', actions: 'askOneMore' },
            ConsensusReached: [
              { guard: 'isLastOpen', target: 'idle', actions: 'close' },
              { guard: 'isOpen', actions: 'close' },
            ],
            ConsensusFailed: [
              { guard: 'isLastOpen', target: 'idle', actions: 'close' },
              { guard: 'isOpen', actions: 'close' },
            ],
          },
        },
      },
    },
  },
});

/** An attempt at a subtask is a vote of its own. */
export function subtaskKey({ subtaskId, attempt }: { subtaskId: string; attempt: number }): string {
  return `${subtaskId}#${attempt}`;
}

/** The tasks of a subtask that are neither answered nor given up. */
export function missingShares(subtask: OpenSubtask): readonly Share[] {
  const heard = new Set([...subtask.ballots.map((ballot) => ballot.taskId), ...subtask.lost]);
  return subtask.shares.filter((share) => !heard.has(share.taskId));
}

function openOf(context: ClusterContext, event: ClusterEvent): OpenSubtask | undefined {
  return 'subtaskId' in event.data ? context.open[subtaskKey(event.data)] : undefined;
}

function changed(
  context: ClusterContext,
  event: ClusterEvent,
  change: (subtask: OpenSubtask) => Partial<OpenSubtask>,
): Partial<ClusterContext> {
  const subtask = openOf(context, event);
  if (!subtask) return {};
  return { open: { ...context.open, [subtaskKey(subtask)]: { ...subtask, ...change(subtask) } } };
}
