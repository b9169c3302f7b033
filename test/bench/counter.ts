import { assign, setup } from 'xstate';
import { z } from 'zod';
import type { ActorDefinition } from '../../src/actors/actor.ts';

const Count = z.object({
  type: z.literal('Count'),
  /** `number` is the natural key; `text` makes the command as heavy as real ones. */
  data: z.strictObject({ number: z.int().positive(), text: z.string() }),
});
type Count = z.infer<typeof Count>;

type Counted = { readonly type: 'Counted'; readonly data: Count['data'] };

const counterMachine = setup({
  types: { context: {} as { count: number }, events: {} as Counted, input: {} as { id: string } },
}).createMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'counting',
  states: {
    counting: { on: { Counted: { actions: assign({ count: ({ event }) => event.data.number }) } } },
  },
});

/** The least that an actor can be: one command, one event, no effects. What its handling takes is the host's own. */
export const counter: ActorDefinition<typeof counterMachine, Count, Counted> = {
  kind: 'account',
  category: 'credit',
  machine: counterMachine,
  commands: Count,
  decide({ data }, { context }) {
    return data.number > context.count ? [{ type: 'Counted', data }] : [];
  },
  react: () => [],
};
