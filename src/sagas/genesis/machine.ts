import { assign, setup } from 'xstate';
import type { GenesisBegun, GenesisEvent } from '../../events/genesis.ts';

export interface GenesisContext {
  readonly plan: GenesisBegun | null;
  /** What is not there yet, as `kind/id`. */
  readonly awaited: readonly string[];
  readonly dueAt: string;
}

/** The first generation: begun once, and over when everything that it called into being is there. */
export const genesisMachine = setup({
  types: {
    context: {} as GenesisContext,
    events: {} as GenesisEvent,
    input: {} as { id: string },
  },
  actions: {
    begin: assign(({ event }) => {
      if (event.type !== 'GenesisBegun') return {};
      return { plan: event.data, awaited: birthsOf(event.data), dueAt: event.data.dueAt };
    }),
    confirm: assign(({ context, event }) => {
      if (event.type !== 'BirthConfirmed') return {};
      const born = `${event.data.what}/${event.data.id}`;
      return { awaited: context.awaited.filter((other) => other !== born) };
    }),
    postpone: assign(({ event }) => (event.type === 'GenesisRepeated' ? { dueAt: event.data.dueAt } : {})),
  },
}).createMachine({
  id: 'genesis',
  context: { plan: null, awaited: [], dueAt: '' },
  initial: 'void',
  states: {
    void: { on: { GenesisBegun: { target: 'bearing', actions: 'begin' } } },
    bearing: {
      on: {
        BirthConfirmed: { actions: 'confirm' },
        GenesisRepeated: { actions: 'postpone' },
        GenesisCompleted: 'complete',
      },
    },
    complete: {},
  },
});

/** Everything that a plan calls into being, as `kind/id`. */
export function birthsOf(plan: GenesisBegun): readonly string[] {
  return [
    ...(plan.superCluster === null ? [] : [`superCluster/${plan.superCluster}`]),
    ...plan.seeds.map((seed) => `cluster/${seed.cluster}`),
    ...plan.seeds.flatMap((seed) => seed.nodes.map(({ node }) => `node/${node}`)),
  ];
}
