import { assertEvent, assign, setup } from 'xstate';
import type { Assignment, NodeCulled, NodeEvent } from '../../events/node.ts';
import type { Genome, ModelAnswer } from '../../events/values.ts';
import { type RecentKeys, remember } from '../recent.ts';
import { changed, takenOut } from '../records.ts';

export interface OpenTask extends Assignment {
  readonly seed: number;
  readonly acceptedAt: string;
  readonly answers: { readonly A: ModelAnswer | null; readonly B: ModelAnswer | null };
}

/** Judgements that a Node remembers: more than can arrive while a message is in flight. */
const REMEMBERED_JUDGEMENTS = 256;

/** A task that has ended. It is remembered until its deadline; after that nobody can assign it again. */
export interface ClosedTask {
  readonly dueAt: string;
  /** Compute time of both models, as the device reports it. */
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
  /** Number of judged answers in its life, and of right ones. */
  readonly judgements: number;
  readonly successes: number;
  /** How selection ended it; null if it was not culled. */
  readonly culled: NodeCulled | null;
}

/**
 * A Node: unborn, alive, retired. Alive, its two models work in parallel, each idle or thinking. The end of a
 * task means that both were heard or given up. A culled Node finishes its open tasks, accepts no more, and is
 * then retired. Judgements of its answers may still arrive after that.
 */
export const nodeMachine = setup({
  types: {
    context: {} as NodeContext,
    events: {} as NodeEvent,
    input: {} as { id: string },
  },
  guards: {
    knowsTask: ({ context, event }) => {
      assertEvent(event, ['ModelAnswered', 'VoteCast', 'TaskFailed']);
      return event.data.taskId in context.open;
    },
    slotA: ({ context, event }) => {
      assertEvent(event, 'ModelAnswered');
      return event.data.slot === 'A' && isLastFor('A', event.data.taskId, context);
    },
    slotB: ({ context, event }) => {
      assertEvent(event, 'ModelAnswered');
      return event.data.slot === 'B' && isLastFor('B', event.data.taskId, context);
    },
    endsA: ({ context, event }) => {
      assertEvent(event, ['VoteCast', 'TaskFailed']);
      return isLastFor('A', event.data.taskId, context);
    },
    endsB: ({ context, event }) => {
      assertEvent(event, ['VoteCast', 'TaskFailed']);
      return isLastFor('B', event.data.taskId, context);
    },
  },
  actions: {
    live: assign(({ event }) => {
      assertEvent(event, 'NodeBorn');
      const { genome, species, device, owner, cluster, generation } = event.data;
      return { genome, species, device, owner, cluster, generation };
    }),
    open: assign(({ context, event }) => {
      assertEvent(event, 'TaskAccepted');
      const { at, ...task } = event.data;
      const opened: OpenTask = { ...task, acceptedAt: at, answers: { A: null, B: null } };
      return {
        open: { ...context.open, [task.taskId]: opened },
        closed: current(context.closed, at),
      };
    }),
    refuse: assign(({ context, event }) => {
      assertEvent(event, 'TaskRefused');
      const { taskId, dueAt, at } = event.data;
      return { closed: { ...current(context.closed, at), [taskId]: { dueAt, computeMs: 0 } } };
    }),
    hear: assign(({ context, event }) => {
      assertEvent(event, 'ModelAnswered');
      const { taskId, slot, answer } = event.data;
      return {
        open: changed(context.open, taskId, ({ answers }) => ({ answers: { ...answers, [slot]: answer } })),
      };
    }),
    close: assign(({ context, event }) => {
      assertEvent(event, ['VoteCast', 'TaskFailed']);
      const [task, open] = takenOut(context.open, event.data.taskId);
      const { A, B } = task.answers;
      const computeMs = (A?.durationMs ?? 0) + (B?.durationMs ?? 0);
      return { open, closed: { ...context.closed, [task.taskId]: { dueAt: task.dueAt, computeMs } } };
    }),
    judge: assign(({ context, event }) => {
      assertEvent(event, 'PerformanceRecorded');
      return {
        judged: remember(context.judged, event.data.taskId, REMEMBERED_JUDGEMENTS),
        judgements: context.judgements + 1,
        successes: context.successes + (event.data.correct ? 1 : 0),
      };
    }),
    move: assign(({ event }) => {
      assertEvent(event, 'NodeMoved');
      return { cluster: event.data.to };
    }),
    cull: assign(({ event }) => {
      assertEvent(event, 'NodeCulled');
      return { culled: event.data };
    }),
    /** Changes nothing. The host treats an event without an action as unhandled. */
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

/** Whether no other task waits for this model. */
function isLastFor(slot: 'A' | 'B', taskId: string, { open }: NodeContext): boolean {
  return Object.values(open).every((task) => task.taskId === taskId || task.answers[slot] !== null);
}

/** Without the tasks whose deadline has passed at `at`. */
function current(
  tasks: Readonly<Record<string, ClosedTask>>,
  at: string,
): Readonly<Record<string, ClosedTask>> {
  return Object.fromEntries(Object.entries(tasks).filter(([, task]) => task.dueAt >= at));
}
