import { drawOf } from '../../src/events/envelope.ts';

/** Draws by purpose, as `decide` gets them. A seed always gives the same ones. */
export function drawing(seed: number): (purpose: string) => number {
  return (purpose) => drawOf(seed, purpose);
}

/** A small generator of uniform numbers in [0, 1) (mulberry32), so that the statistics of a spec never change. */
export function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
