import { EvolutionMode, type EvolutionRates } from '../events/evolution.ts';

/**
 * What offspring are made of in each mode. The founding document names the modes and what they are for; the figures are
 * ours: each mode mutates more than the one before, and a crisis refills half of what is born with new genomes.
 */
export const RATES: Readonly<Record<EvolutionMode, EvolutionRates>> = {
  normal: { crossover: 0.3, mutations: [1, 1], immigration: 0 },
  increased: { crossover: 0.4, mutations: [1, 2], immigration: 0.05 },
  aggressive: { crossover: 0.5, mutations: [2, 3], immigration: 0.1 },
  crisis: { crossover: 0.5, mutations: [2, 4], immigration: 0.5 },
};

/** The mode that a network's score (0–1) belongs to, by the founding document's borders. */
export function bandOf(score: number): EvolutionMode {
  if (score >= 0.75) return 'normal';
  if (score >= 0.65) return 'increased';
  return score >= 0.55 ? 'aggressive' : 'crisis';
}

/** How far a band lies from a mode: above 0 it presses harder. */
export function distance(mode: EvolutionMode, band: EvolutionMode): number {
  // The options are named from calm to pressing.
  return EvolutionMode.options.indexOf(band) - EvolutionMode.options.indexOf(mode);
}

/**
 * The mode after a measurement of `band`; `last` is the one before it. One measurement changes nothing: it takes two in a
 * row on the same side of the mode, which then goes to the nearer of them, so a score that wavers about a border changes
 * nothing and one that wavers between two worse bands is still answered. `rule` says why the mode changed, and is null
 * where it did not.
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
