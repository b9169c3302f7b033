import { assertEvent, assign, setup } from 'xstate';
import type { GenesisBegun, GenesisEvent } from '../../events/genesis.ts';

export interface GenesisContext {
  readonly plan: GenesisBegun | null;
  /** What is not yet confirmed, as `kind/id`. */
  readonly awaited: readonly string[];
  readonly dueAt: string;
}

/** The genesis of a network. It begins once, and completes when everything that it started is confirmed. */
export const genesisMachine = setup({
  types: {
    context: {} as GenesisContext,
    events: {} as GenesisEvent,
    input: {} as { id: string },
  },
  actions: {
    begin: assign(({ event }) => {
      assertEvent(event, 'GenesisBegun');
      return { plan: event.data, awaited: birthsOf(event.data), dueAt: event.data.dueAt };
    }),
    confirm: assign(({ context, event }) => {
      assertEvent(event, 'BirthConfirmed');
      const born = `${event.data.what}/${event.data.id}`;
      return { awaited: context.awaited.filter((other) => other !== born) };
    }),
    postpone: assign(({ event }) => {
      assertEvent(event, 'GenesisRepeated');
      return { dueAt: event.data.dueAt };
    }),
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

/** Everything that a plan starts, as `kind/id`. */
export function birthsOf(plan: GenesisBegun): readonly string[] {
  return [
    ...(plan.superCluster === null ? [] : [`superCluster/${plan.superCluster}`]),
    ...plan.seeds.map((seed) => `cluster/${seed.cluster}`),
    ...plan.seeds.flatMap((seed) => seed.nodes.map(({ node }) => `node/${node}`)),
  ];
}
