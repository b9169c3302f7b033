import { setup } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';

/**
 * The Super LLM's part in a query: it analyses, plans, waits for the subtasks, synthesises and validates. It is
 * one region of the query's machine, on the query's stream (docs/adr/0007-blocks-on-the-query.md).
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
