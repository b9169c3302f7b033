import { expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import type { QueryEvent } from '../../events/query.ts';
import { verifierMachine } from './machine.ts';

it('judges every answer, and watches on', () => {
  let [snapshot] = initialTransition(verifierMachine);
  const states = [snapshot.value];
  for (const type of ['VerdictReached', 'SubtaskAnswered', 'SubtaskAnswered', 'VerdictReached'] as const) {
    [snapshot] = transition(verifierMachine, snapshot, { type } as QueryEvent);
    states.push(snapshot.value);
  }
  expect(states).toEqual(['watching', 'watching', 'judging', 'judging', 'watching']);
  expect(verifierMachine.id).toBe('verifier');
});
