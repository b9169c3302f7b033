import { expect, it } from 'vitest';
import { MutationKind } from '../events/evolution.ts';
import { FOUNDING_RULES } from './founding-rules.ts';

it('culls the bottom fifth, lets the top fifth have 2–3 offspring, and mutates in every way', () => {
  expect(FOUNDING_RULES).toEqual({
    cullShare: 1 / 5,
    eliteShare: 1 / 5,
    variants: [2, 3],
    mutations: MutationKind.options,
    crossover: true,
    adaptiveModes: true,
  });
});
