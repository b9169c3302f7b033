import { describe, expect, it } from 'vitest';
import { nodeMs, virtualMs } from './timing.ts';

describe('virtual time', () => {
  it('reads a model of 1 GB once for each token and once for the prompt, at the tier’s speed', () => {
    // 1 GB at 40 GB/s is 25 ms, and 0.4 ms for everything else.
    expect(virtualMs({ bytes: 1e9 }, 'mid', 9)).toBe(Math.round(10 * 25.4));
    expect(virtualMs({ bytes: 1e9 }, 'ultra-low', 9)).toBe(Math.round(10 * 125.4));
  });

  it('is a whole number of milliseconds, and at least one', () => {
    expect(virtualMs({ bytes: 1e6 }, 'high', 0)).toBe(1);
    expect(Number.isInteger(virtualMs({ bytes: 1.234e9 }, 'low', 17))).toBe(true);
  });

  it('of a Node is that of its slower model, and at least one where none answered', () => {
    expect(nodeMs([120, 80])).toBe(120);
    expect(nodeMs([])).toBe(1);
  });
});
