import { assign, setup } from 'xstate';
import type { Assignment, NodeCulled, NodeEvent } from '../../events/node.ts';
import type { Genome, ModelAnswer } from '../../events/values.ts';
import { type RecentKeys, remember } from '../recent.ts';

export interface OpenTask extends Assignment {
  readonly seed: number;
  readonly acceptedAt: string;
  readonly answers: { readonly A: ModelAnswer | null; readonly B: ModelAnswer | null };
}

/** Judgements that a Node remembers: more than come while a message is on its way. */
const REMEMBERED_JUDGEMENTS = 256;

/** A task that is over; remembered until its deadline, after which nothing can ask for it again. */
export interface ClosedTask {
  readonly dueAt: string;
  /** What both models took, as their device reports it. */
  readonly computeMs: number;
}

export interface NodeContext {
  readonly node: string;
  readonly genome: Genome | null;
  readonly species: string;
  readonly device: string;
  readonly owner: string;
  readonly cluster: string;
  readonly generation: number;
  readonly open: Readonly<Record<string, OpenTask>>;
  readonly closed: Readonly<Record<string, ClosedTask>>;
  /** Tasks whose performance was recorded lately. */
  readonly judged: RecentKeys;
  /** Answers that were judged in its life, and those that were right. */
  readonly judgements: number;
  readonly successes: number;
  /** How selection ended it, or null. */
  readonly culled: NodeCulled | null;
}

/**
 * A Node: unborn, alive, retired. Alive, its two models work side by side, each idle or thinking; a vote needs both of
 * them to be heard (or given up), which the task's end stands for. A culled one finishes what it has in hand, takes
 * nothing more, and is then retired; judgements of its answers still arrive.
 */
export const nodeMachine = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as { id: string },
  },
  guards: {
    knowsTask: ({ context, event }) => 'taskId' in event.data && event.data.taskId in context.open,
    slotA: ({ context, event }) =>
      event.type === 'ModelAnswered' && event.data.slot === 'A' && waits(context, 'A') === 1,
    slotB: ({ context, event }) =>
      event.type === 'ModelAnswered' && event.data.slot === 'B' && waits(context, 'B') === 1,
    endsA: ({ context, event }) =>
      'taskId' in event.data && othersWaiting(context, event.data.taskId, 'A') === 0,
    endsB: ({ context, event }) =>
      'taskId' in event.data && othersWaiting(context, event.data.taskId, 'B') === 0,
  },
  actions: {
    live: assign(({ event }) => {
      if (event.type !== 'NodeBorn') return {};
      const { genome, species, device, owner, cluster, generation } = event.data;
      return { genome, species, device, owner, cluster, generation };
    }),
    open: assign(({ context, event }) => {
      if (event.type !== 'TaskAccepted') return {};
      const { at, ...task } = event.data;
      const opened: OpenTask = { ...task, acceptedAt: at, answers: { A: null, B: null } };
      return {
        open: { ...context.open, [task.taskId]: opened },
        closed: current(context.closed, at),
      };
    }),
    refuse: assign(({ context, event }) => {
      if (event.type !== 'TaskRefused') return {};
      const { taskId, dueAt, at } = event.data;
      return { closed: { ...current(context.closed, at), [taskId]: { dueAt, computeMs: 0 } } };
    }),
    hear: assign(({ context, event }) => {
      if (event.type !== 'ModelAnswered') return {};
      const task = context.open[event.data.taskId];
      if (!task) return {};
      const heard = { ...task, answers: { ...task.answers, [event.data.slot]: event.data.answer } };
      return { open: { ...context.open, [task.taskId]: heard } };
    }),
    close: assign(({ context, event }) => {
      if (!('taskId' in event.data)) return {};
      const { [event.data.taskId]: task, ...open } = context.open;
      if (!task) return {};
      const { A, B } = task.answers;
      const computeMs = (A?.durationMs ?? 0) + (B?.durationMs ?? 0);
      return { open, closed: { ...context.closed, [task.taskId]: { dueAt: task.dueAt, computeMs } } };
    }),
    judge: assign(({ context, event }) => {
      if (event.type !== 'PerformanceRecorded') return {};
      return {
        judged: remember(context.judged, event.data.taskId, REMEMBERED_JUDGEMENTS),
        judgements: context.judgements + 1,
        successes: context.successes + (event.data.correct ? 1 : 0),
      };
    }),
    move: assign(({ event }) => (event.type === 'NodeMoved' ? { cluster: event.data.to } : {})),
    cull: assign(({ event }) => (event.type === 'NodeCulled' ? { culled: event.data } : {})),
    /** Changes nothing; an event without an action counts as one that cannot be taken. */
    note: () => {},
  },
}).createMachine({
  id: 'node',
  context: ({ input }) => ({
    node: input?.id ?? '',
    genome: null,
    species: '',
    device: '',
    owner: '',
    cluster: '',
    generation: 0,
    open: {},
    closed: {},
    judged: [],
    judgements: 0,
    successes: 0,
    culled: null,
  }),
  initial: 'unborn',
  states: {
    unborn: {
      on: { NodeBorn: { target: 'alive', actions: 'live' } },
    },
    alive: {
      type: 'parallel',
      on: {
        TaskRefused: { actions: 'refuse' },
        PerformanceRecorded: { actions: 'judge' },
        NodeMoved: { actions: 'move' },
        LifeAffirmed: { actions: 'note' },
        NodeRetired: 'retired',
      },
      states: {
        life: {
          initial: 'living',
          states: {
            living: { on: { NodeCulled: { target: 'leaving', actions: 'cull' } } },
            leaving: {},
          },
        },
        tasks: {
          on: {
            TaskAccepted: { actions: 'open' },
            ModelAnswered: { guard: 'knowsTask', actions: 'hear' },
            VoteCast: { guard: 'knowsTask', actions: 'close' },
            TaskFailed: { guard: 'knowsTask', actions: 'close' },
          },
        },
        modelA: {
          initial: 'idle',
          states: {
            idle: { on: { TaskAccepted: 'thinking' } },
            thinking: {
              on: {
                ModelAnswered: { guard: 'slotA', target: 'idle' },
                VoteCast: { guard: 'endsA', target: 'idle' },
                TaskFailed: { guard: 'endsA', target: 'idle' },
              },
            },
          },
        },
        modelB: {
          initial: 'idle',
          states: {
            idle: { on: { TaskAccepted: 'thinking' } },
            thinking: {
              on: {
                ModelAnswered: { guard: 'slotB', target: 'idle' },
                VoteCast: { guard: 'endsB', target: 'idle' },
                TaskFailed: { guard: 'endsB', target: 'idle' },
              },
            },
          },
        },
      },
    },
    retired: {
      on: {
        TaskRefused: { actions: 'refuse' },
        PerformanceRecorded: { actions: 'judge' },
        LifeAffirmed: { actions: 'note' },
      },
    },
  },
});

function waits(context: NodeContext, slot: 'A' | 'B'): number {
  return Object.values(context.open).filter((task) => task.answers[slot] === null).length;
}

function othersWaiting(context: NodeContext, taskId: string, slot: 'A' | 'B'): number {
  return Object.values(context.open).filter((task) => task.taskId !== taskId && task.answers[slot] === null)
    .length;
}

/** Without what `at` has overtaken. */
function current(
  tasks: Readonly<Record<string, ClosedTask>>,
  at: string,
): Readonly<Record<string, ClosedTask>> {
  return Object.fromEntries(Object.entries(tasks).filter(([, task]) => task.dueAt >= at));
}
