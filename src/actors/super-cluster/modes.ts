import type { EvolutionMode, EvolutionRates } from '../../events/evolution.ts';

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

/** From calm to pressing. */
const ORDER: readonly EvolutionMode[] = ['normal', 'increased', 'aggressive', 'crisis'];

/** The mode that a network's score (0–1) belongs to, by the founding document's borders. */
export function bandOf(score: number): EvolutionMode {
  if (score >= 0.75) return 'normal';
  if (score >= 0.65) return 'increased';
  return score >= 0.55 ? 'aggressive' : 'crisis';
}

/**
 * The mode after a measurement of `band`; `lastBands` are those before it, newest last. One measurement changes
 * nothing: it takes two in a row on the same side of the mode, which then goes to the nearer of them, so a score that
 * wavers about a border changes nothing and one that wavers between two worse bands is still answered. `rule` says
 * why the mode changed, and is null where it did not.
 */
export function nextMode(
  mode: EvolutionMode,
  lastBands: readonly EvolutionMode[],
  band: EvolutionMode,
): { mode: EvolutionMode; rule: string | null } {
  const last = lastBands.at(-1);
  if (last === undefined) return { mode, rule: null };
  const here = ORDER.indexOf(mode);
  const before = ORDER.indexOf(last);
  const now = ORDER.indexOf(band);
  const side = Math.sign(now - here);
  if (side === 0 || Math.sign(before - here) !== side) return { mode, rule: null };
  const next = Math.abs(now - here) <= Math.abs(before - here) ? band : last;
  const reach = last === band ? '' : side > 0 ? ' or worse' : ' or better';
  return { mode: next, rule: `the network's score was in the band of ${next}${reach} twice in a row` };
}
