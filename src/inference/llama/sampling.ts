import type { SamplingParams } from '../port.ts';

/** The likeliest next tokens with their natural-log probabilities at temperature 1, likeliest first. */
export type Candidates = readonly (readonly [token: number, logProb: number])[];

/**
 * With `topK` 0 all tokens should stay. The tail after this many is dropped, because it costs time and has no effect.
 */
const KEEP_AT_MOST = 256;

/** How many of the likeliest tokens `chooseToken` has to see. */
export function candidatesNeeded({ temperature, topK }: SamplingParams): number {
  if (temperature === 0) return 1;
  return topK === 0 ? KEEP_AT_MOST : Math.min(topK, KEEP_AT_MOST);
}

/**
 * Chooses the next token in llama.cpp's order (top-k, top-p, temperature, draw) from probabilities at temperature 1.
 * llama.cpp's own sampler would not give these probabilities. With them, confidence means the same at any temperature.
 * `draw` is in [0, 1).
 */
export function chooseToken(
  candidates: Candidates,
  params: SamplingParams,
  draw: () => number,
): readonly [token: number, logProb: number] {
  const [best] = candidates;
  if (!best) throw new RangeError('There is no token to choose from.');
  if (params.temperature === 0) return best;

  const kept: Array<readonly [token: number, logProb: number]> = [];
  let mass = 0;
  for (const candidate of candidates.slice(0, candidatesNeeded(params))) {
    kept.push(candidate);
    mass += Math.exp(candidate[1]);
    if (mass >= params.topP) break;
  }
  const weights = kept.map(([, logProb]) => Math.exp((logProb - best[1]) / params.temperature));
  let rest = draw() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, candidate] of kept.entries()) {
    rest -= weights[i] ?? 0;
    if (rest < 0) return candidate;
  }
  return best;
}

/** Mulberry32: a small generator whose whole state is one 32-bit seed. */
export function seededDraws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 15), z | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
