import { assertEvent, assign, setup } from 'xstate';
import {
  attemptKey,
  type ClusterEvent,
  type GoldTaskIssued,
  type Member,
  type Share,
  type TaskDistributed,
  type VoteCounted,
} from '../../events/cluster.ts';
import type { ClusterKind } from '../../events/evolution.ts';
import type { GenerationTrigger } from '../../events/generation.ts';
import { type RecentKeys, remember } from '../recent.ts';
import { changed, takenOut } from '../records.ts';

/** A subtask that the Cluster is voting on. */
export interface OpenSubtask extends Omit<TaskDistributed, 'guests' | 'at'> {
  readonly distributedAt: string;
  readonly ballots: readonly VoteCounted[];
  /** Tasks whose votes will not arrive. */
  readonly lost: readonly string[];
  readonly tiebreaks: number;
}

/** Judged gold tasks that a Cluster remembers: more than can be judged while a message is in flight. */
const REMEMBERED_GOLD = 512;

/** Culled members that a Cluster remembers: more than can be culled while a message is in flight. */
const REMEMBERED_ENDS = 128;

/** A generation whose saga is running. */
export interface OpenGeneration {
  readonly generation: number;
  readonly trigger: GenerationTrigger;
  readonly openedAt: string;
  /** When its saga is asked again. */
  readonly dueAt: string;
}

export interface ClusterContext {
  readonly cluster: string;
  readonly name: string;
  readonly kind: ClusterKind;
  readonly specialization: string;
  readonly members: Readonly<Record<string, Member>>;
  /** By `attemptKey`. */
  readonly open: Readonly<Record<string, OpenSubtask>>;
  /**
   * Deadlines of the closed subtasks, by `attemptKey`. After its deadline, a subtask cannot be distributed
   * again.
   */
  readonly closed: Readonly<Record<string, string>>;
  /** Open gold tasks by taskId, and those that were judged lately. */
  readonly gold: Readonly<Record<string, GoldTaskIssued>>;
  readonly judgedGold: RecentKeys;
  /** Successes that each member has reported over its life, and their sum since the last generation was opened. */
  readonly reported: Readonly<Record<string, number>>;
  readonly successes: number;
  /** The last completed generation; 0 before the first. */
  readonly generation: number;
  /** When the generation ends by time. Set with its first task, or with the first report. */
  readonly generationDueAt: string | null;
  readonly opened: OpenGeneration | null;
  /** Members that were sent to another Cluster and have not arrived there. */
  readonly leaving: readonly string[];
  /** Nodes that were culled lately: the message about their birth may arrive after the one about their end. */
  readonly ended: RecentKeys;
  /** The Cluster that all members joined when this one was dissolved. */
  readonly mergedInto: string | null;
}

/**
 * A Cluster: unformed, then formed. Formed, it has three parallel regions. Tasks: idle, or polling while it
 * distributes subtasks to its Nodes and counts their ballots, until there is a consensus or none is possible.
 * Generations: gathering judged answers, then judging. Standing: whole, until it is merged into another
 * Cluster.
 */
export const clusterMachine = setup({
  types: {
    context: {} as ClusterContext,
    events: {} as ClusterEvent,
    input: {} as { id: string },
  },
  guards: {
    isOpen: ({ context, event }) => {
      assertEvent(event, [
        'VoteCounted',
        'VoteLost',
        'TiebreakCalled',
        'ConsensusReached',
        'ConsensusFailed',
      ]);
      return attemptKey(event.data) in context.open;
    },
    isLastOpen: ({ context, event }) => {
      assertEvent(event, ['ConsensusReached', 'ConsensusFailed']);
      return Object.keys(context.open).every((key) => key === attemptKey(event.data));
    },
    isGold: ({ context, event }) => {
      assertEvent(event, 'GoldTaskJudged');
      return event.data.taskId in context.gold;
    },
  },
  actions: {
    form: assign(({ event }) => {
      assertEvent(event, 'ClusterFormed');
      const { name, specialization, generation } = event.data;
      return { name, specialization, generation };
    }),
    characterise: assign(({ event }) => {
      assertEvent(event, 'ClusterCharacterised');
      const { name, kind, specialization } = event.data;
      return { name, kind, specialization };
    }),
    dismiss: assign(({ context, event }) => {
      assertEvent(event, 'NodeDismissed');
      const { [event.data.node]: _left, ...members } = context.members;
      const { [event.data.node]: _known, ...reported } = context.reported;
      const leaving = context.leaving.filter((node) => node !== event.data.node);
      if (event.data.reason !== 'culled') return { members, reported, leaving };
      return { members, reported, leaving, ended: remember(context.ended, event.data.node, REMEMBERED_ENDS) };
    }),
    issueGold: assign(({ context, event }) => {
      assertEvent(event, 'GoldTaskIssued');
      return { gold: { ...context.gold, [event.data.taskId]: event.data } };
    }),
    judgeGold: assign(({ context, event }) => {
      assertEvent(event, 'GoldTaskJudged');
      const { [event.data.taskId]: _judged, ...gold } = context.gold;
      return { gold, judgedGold: remember(context.judgedGold, event.data.taskId, REMEMBERED_GOLD) };
    }),
    report: assign(({ context, event }) => {
      assertEvent(event, 'PerformanceReported');
      const { node, successes, gained, generationDueAt } = event.data;
      return {
        reported: { ...context.reported, [node]: successes },
        successes: context.successes + gained,
        generationDueAt: generationDueAt ?? context.generationDueAt,
      };
    }),
    schedule: assign(({ event }) => {
      assertEvent(event, 'GenerationScheduled');
      return { generationDueAt: event.data.dueAt };
    }),
    openGeneration: assign(({ event }) => {
      assertEvent(event, 'GenerationOpened');
      const { generation, trigger, dueAt, at } = event.data;
      // Successes during this selection count for the next generation.
      return { opened: { generation, trigger, openedAt: at, dueAt }, generationDueAt: null, successes: 0 };
    }),
    demandGeneration: assign(({ context, event }) => {
      assertEvent(event, 'GenerationDemanded');
      return { opened: context.opened && { ...context.opened, dueAt: event.data.dueAt } };
    }),
    closeGeneration: assign(({ event }) => {
      assertEvent(event, 'GenerationClosed');
      return { generation: event.data.generation, opened: null, generationDueAt: null };
    }),
    split: assign(({ context, event }) => {
      assertEvent(event, 'ClusterSplit');
      return { leaving: [...context.leaving, ...event.data.movers] };
    }),
    merge: assign(({ event }) => {
      assertEvent(event, 'ClusterMerged');
      return { mergedInto: event.data.into };
    }),
    /** Changes nothing. The host treats an event without an action as unhandled. */
    note: () => {},
    admit: assign(({ context, event }) => {
      assertEvent(event, 'NodeAdmitted');
      const { at: _at, ...member } = event.data;
      return { members: { ...context.members, [member.node]: member } };
    }),
    open: assign(({ context, event }) => {
      assertEvent(event, 'TaskDistributed');
      const { at, guests: _guests, ...subtask } = event.data;
      const opened: OpenSubtask = { ...subtask, distributedAt: at, ballots: [], lost: [], tiebreaks: 0 };
      const closed = Object.fromEntries(Object.entries(context.closed).filter(([, dueAt]) => dueAt >= at));
      return { open: { ...context.open, [attemptKey(subtask)]: opened }, closed };
    }),
    count: assign(({ context, event }) => {
      assertEvent(event, 'VoteCounted');
      return {
        open: changed(context.open, attemptKey(event.data), (subtask) => ({
          ballots: [...subtask.ballots, event.data],
        })),
      };
    }),
    lose: assign(({ context, event }) => {
      assertEvent(event, 'VoteLost');
      return {
        open: changed(context.open, attemptKey(event.data), (subtask) => ({
          lost: [...subtask.lost, event.data.taskId],
        })),
      };
    }),
    askOneMore: assign(({ context, event }) => {
      assertEvent(event, 'TiebreakCalled');
      return {
        open: changed(context.open, attemptKey(event.data), (subtask) => ({
          shares: [...subtask.shares, event.data.share],
          tiebreaks: subtask.tiebreaks + 1,
        })),
      };
    }),
    close: assign(({ context, event }) => {
      assertEvent(event, ['ConsensusReached', 'ConsensusFailed']);
      const key = attemptKey(event.data);
      const [{ dueAt }, open] = takenOut(context.open, key);
      return { open, closed: { ...context.closed, [key]: dueAt } };
    }),
  },
}).createMachine({
  id: 'cluster',
  context: ({ input }) => ({
    cluster: input?.id ?? '',
    name: '',
    kind: 'specialized',
    specialization: '',
    members: {},
    open: {},
    closed: {},
    gold: {},
    judgedGold: [],
    reported: {},
    successes: 0,
    generation: 0,
    generationDueAt: null,
    opened: null,
    leaving: [],
    ended: [],
    mergedInto: null,
  }),
  initial: 'unformed',
  // A Node may arrive, and even leave, before its Cluster is formed: no command relies on an order.
  on: { NodeAdmitted: { actions: 'admit' }, NodeDismissed: { actions: 'dismiss' } },
  states: {
    unformed: {
      on: { ClusterFormed: { target: 'formed', actions: 'form' } },
    },
    formed: {
      type: 'parallel',
      on: {
        GoldTaskIssued: { actions: 'issueGold' },
        GoldTaskJudged: { guard: 'isGold', actions: 'judgeGold' },
        PerformanceReported: { actions: 'report' },
        GenerationScheduled: { actions: 'schedule' },
        ClusterCharacterised: { actions: 'characterise' },
      },
      states: {
        tasks: {
          initial: 'idle',
          on: { TaskDistributed: { target: '.polling', actions: 'open' } },
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
        generations: {
          initial: 'gathering',
          states: {
            gathering: { on: { GenerationOpened: { target: 'judging', actions: 'openGeneration' } } },
            judging: {
              on: {
                GenerationDemanded: { actions: 'demandGeneration' },
                GenerationClosed: { target: 'gathering', actions: 'closeGeneration' },
              },
            },
          },
        },
        standing: {
          initial: 'whole',
          states: {
            whole: {
              on: {
                ClusterSplit: { actions: 'split' },
                MergeProposed: { actions: 'note' },
                ClusterMerged: { target: 'dissolved', actions: 'merge' },
              },
            },
            dissolved: { on: { NodeRedirected: { actions: 'note' } } },
          },
        },
      },
    },
  },
});

/** The tasks of a subtask that have no vote and are not lost. */
export function missingShares(subtask: OpenSubtask): readonly Share[] {
  const heard = new Set([...subtask.ballots.map((ballot) => ballot.taskId), ...subtask.lost]);
  return subtask.shares.filter((share) => !heard.has(share.taskId));
}
