import { setup } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';

/**
 * The Super LLM's part in a query: it analyses, takes apart, waits for the parts, puts them together and has the last
 * look. It lives on the query's own stream, as one region of the query's machine (docs/adr/0007-blocks-on-the-query.md).
 */
export const superLlmStates = {
  initial: 'listening',
  states: {
    listening: { on: { QueryAsked: 'analysing' } },
    analysing: { on: { QueryAnalysed: 'decomposing' } },
    decomposing: { on: { QueryPlanned: 'awaitingParts' } },
    awaitingParts: { on: { SubtaskDispatched: {}, AnswerSynthesised: 'validating' } },
    validating: { on: { AnswerValidated: 'done' } },
    done: {},
  },
} as const;

export const superLlmMachine = setup({ types: { events: {} as QueryEvent } }).createMachine({
  id: 'superLlm',
  ...superLlmStates,
});
