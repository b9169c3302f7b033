import type { EvolutionSettings } from '../events/evolution.ts';

type FoundingRules = Pick<
  EvolutionSettings,
  'cullShare' | 'eliteShare' | 'variants' | 'mutations' | 'crossover' | 'adaptiveModes'
>;

/** The numbers of the founding document: who is culled, who has how many offspring, and by which mutations. */
export const FOUNDING_RULES: Readonly<FoundingRules> = {
  cullShare: 0.2,
  eliteShare: 0.2,
  variants: [2, 3],
  mutations: ['specialization', 'parameters', 'prompt', 'model'],
  crossover: true,
  adaptiveModes: true,
};
