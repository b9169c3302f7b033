import { expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';
import { superLlmMachine } from './machine.ts';

it('does one thing after the other, from the question to the validated answer', () => {
  let [snapshot] = initialTransition(superLlmMachine);
  const states = [snapshot.value];
  const course = [
    'QueryAsked',
    'QueryAnalysed',
    'QueryPlanned',
    'SubtaskDispatched',
    'AnswerSynthesised',
    'AnswerValidated',
  ] as const;
  for (const type of course) {
    [snapshot] = transition(superLlmMachine, snapshot, { type } as QueryEvent);
    states.push(snapshot.value);
  }
  expect(states).toEqual([
    'listening',
    'analysing',
    'decomposing',
    'awaitingParts',
    'awaitingParts',
    'validating',
    'done',
  ]);
  expect(superLlmMachine.id).toBe('superLlm');
});
