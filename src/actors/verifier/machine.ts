import { setup } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';

/**
 * The Verifier's part in a query: whatever is answered is judged before it goes on. It asks no model, and lives on the
 * query's own stream, as one region of the query's machine (docs/adr/0007-blocks-on-the-query.md).
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
