import { assertEvent, assign, setup } from 'xstate';
import type {
  GenerationBegun,
  GenerationEvent,
  OffspringBred,
  SelectionMade,
} from '../../events/generation.ts';

export interface GenerationContext {
  readonly id: string;
  readonly begun: GenerationBegun | null;
  readonly selection: SelectionMade | null;
  /** Null until the Super Cluster has granted slots. */
  readonly offspring: readonly OffspringBred[] | null;
  /** Culled Nodes without open tasks. */
  readonly retired: readonly string[];
  readonly born: readonly string[];
  readonly dueAt: string;
}

/**
 * One generation of one Cluster: fitness is evaluated, the worst Nodes are culled, the best have offspring. It
 * is complete when every culled Node is retired and every offspring is born. Retirements, slots and births may
 * arrive in any order.
 */
export const generationMachine = setup({
  types: {
    context: {} as GenerationContext,
    events: {} as GenerationEvent,
    input: {} as { id: string },
  },
  actions: {
    begin: assign(({ event }) => {
      assertEvent(event, 'GenerationBegun');
      return { begun: event.data, dueAt: event.data.dueAt };
    }),
    select: assign(({ event }) => {
      assertEvent(event, 'SelectionMade');
      return { selection: event.data };
    }),
    receive: assign({ offspring: [] }),
    breed: assign(({ context, event }) => {
      assertEvent(event, 'OffspringBred');
      return { offspring: [...(context.offspring ?? []), event.data] };
    }),
    retire: assign(({ context, event }) => {
      assertEvent(event, 'RetirementConfirmed');
      return { retired: [...context.retired, event.data.node] };
    }),
    bear: assign(({ context, event }) => {
      assertEvent(event, 'OffspringBorn');
      return { born: [...context.born, event.data.node] };
    }),
    postpone: assign(({ event }) => {
      assertEvent(event, 'GenerationRepeated');
      return { dueAt: event.data.dueAt };
    }),
    /** Changes nothing. The host treats an event without an action as unhandled. */
    note: () => {},
  },
}).createMachine({
  id: 'generation',
  context: ({ input }) => ({
    id: input?.id ?? '',
    begun: null,
    selection: null,
    offspring: null,
    retired: [],
    born: [],
    dueAt: '',
  }),
  initial: 'void',
  states: {
    void: { on: { GenerationBegun: { target: 'judging', actions: 'begin' } } },
    judging: {
      on: {
        FitnessEvaluated: { actions: 'note' },
        SelectionMade: { target: 'succeeding', actions: 'select' },
      },
    },
    succeeding: {
      on: {
        SlotsReceived: { actions: 'receive' },
        OffspringBred: { actions: 'breed' },
        RetirementConfirmed: { actions: 'retire' },
        OffspringBorn: { actions: 'bear' },
        GenerationRepeated: { actions: 'postpone' },
        GenerationCompleted: 'complete',
      },
    },
    complete: { on: { CompletionAffirmed: { actions: 'note' } } },
  },
});

/** What the generation waits for: `slots`, `retirement/<node>`, `birth/<node>`. Empty if it waits for nothing. */
export function awaitedBy({ selection, offspring, retired, born }: GenerationContext): readonly string[] {
  if (!selection) return [];
  const needsSlots = selection.wanted > 0 && offspring === null;
  return [
    ...(needsSlots ? ['slots'] : []),
    ...selection.culled.flatMap(({ node }) => (retired.includes(node) ? [] : [`retirement/${node}`])),
    ...(offspring ?? []).flatMap(({ slot }) => (born.includes(slot.node) ? [] : [`birth/${slot.node}`])),
  ];
}
