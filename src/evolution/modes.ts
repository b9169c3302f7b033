import { EvolutionMode, type EvolutionRates } from '../events/evolution.ts';

/**
 * How offspring are bred in each mode. The founding document names the modes and their purposes; the numbers
 * are ours. Each mode mutates more than the one before, and in a crisis half of the offspring are new random
 * genomes.
 */
export const RATES: Readonly<Record<EvolutionMode, EvolutionRates>> = {
  normal: { crossover: 0.3, mutations: [1, 1], immigration: 0 },
  increased: { crossover: 0.4, mutations: [1, 2], immigration: 0.05 },
  aggressive: { crossover: 0.5, mutations: [2, 3], immigration: 0.1 },
  crisis: { crossover: 0.5, mutations: [2, 4], immigration: 0.5 },
};

/** The mode that a network's score (0–1) belongs to, with the limits of the founding document. */
export function bandOf(score: number): EvolutionMode {
  if (score >= 0.75) return 'normal';
  if (score >= 0.65) return 'increased';
  return score >= 0.55 ? 'aggressive' : 'crisis';
}

/** How far a band is from a mode. Above 0: the band presses harder. */
export function distance(mode: EvolutionMode, band: EvolutionMode): number {
  // The options are in order, from normal to crisis.
  return EvolutionMode.options.indexOf(band) - EvolutionMode.options.indexOf(mode);
}

/**
 * The mode after a measurement of `band`; `last` is the band of the previous measurement. One measurement alone
 * changes nothing. If two in a row are on the same side of the mode, the mode changes to the nearer of them. So
 * a score that crosses a limit back and forth changes nothing, and a score that alternates between two worse
 * bands still has an effect. `rule` says why the mode changed; null if it did not.
 */
export function nextMode(
  mode: EvolutionMode,
  last: EvolutionMode | undefined,
  band: EvolutionMode,
): { mode: EvolutionMode; rule: string | null } {
  if (last === undefined) return { mode, rule: null };
  const before = distance(mode, last);
  const now = distance(mode, band);
  const side = Math.sign(now);
  if (side === 0 || Math.sign(before) !== side) return { mode, rule: null };
  const next = Math.abs(now) <= Math.abs(before) ? band : last;
  const reach = last === band ? '' : side > 0 ? ' or worse' : ' or better';
  return { mode: next, rule: `the network's score was in the band of ${next}${reach} twice in a row` };
}
