import { drawOf } from '../events/envelope.ts';

/** The `index`-th number of a sequence, in [0, 1). The same index gives the same number, in any order of calls. */
export type Draws = (index: number) => number;

/**
 * A sequence that depends on the parts and on nothing else. The parts are hashed once (SHA-256) to a seed. Each index
 * is mixed with it by the finaliser of MurmurHash3 on Weyl's sequence of the golden ratio, as in SplitMix (Steele, Lea
 * & Flood 2014), in 32 bits. Good enough for resampling. Not for cryptography, and not for more than 2³² numbers.
 */
export function drawsFrom(...parts: readonly unknown[]): Draws {
  const seed = Math.floor(drawOf(...parts) * 2 ** 32);
  return (index) => (mixed((seed + Math.imul(index + 1, 0x9e3779b9)) | 0) >>> 0) / 2 ** 32;
}

function mixed(value: number): number {
  let bits = value ^ (value >>> 16);
  bits = Math.imul(bits, 0x85ebca6b);
  bits ^= bits >>> 13;
  bits = Math.imul(bits, 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
