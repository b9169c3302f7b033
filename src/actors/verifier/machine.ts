import { setup } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';

/**
 * The Verifier's part in a query: it judges every answer before the query uses it. It asks no model. It is one
 * region of the query's machine, on the query's stream (docs/adr/0007-blocks-on-the-query.md).
 */
export const verifierStates = {
  initial: 'watching',
  states: {
    watching: { on: { SubtaskAnswered: 'judging' } },
    judging: { on: { VerdictReached: 'watching' } },
  },
} as const;

export const verifierMachine = setup({ types: { events: {} as QueryEvent } }).createMachine({
  id: 'verifier',
  ...verifierStates,
});
