import type { InferenceEngine } from '../../src/inference/port.ts';
import { InferenceError } from '../../src/inference/port.ts';
import { parseArithmetic } from '../../src/verification/maths.ts';

/**
 * A simulation for specs whose questions are not known in advance. It computes arithmetic at once, in any
 * wording, and is wrong for a share of the sampling seeds, with both models of a Node in the same way. It knows
 * nothing else.
 */
export function createCalculatingEngine(errorRate: number): InferenceEngine {
  return {
    kind: 'simulated',
    async infer({ prompt, seed }, signal) {
      signal?.throwIfAborted();
      const claim = parseArithmetic(prompt.replace(/^(?:Question:|Please answer:)|Answer:$/g, '').trim());
      if (claim === null)
        throw new InferenceError('no-recording', `This is not arithmetic: ${prompt.slice(0, 80)}`);
      // The second model's seed is the first one's plus one.
      const wrong = seed / 2 ** 32 < errorRate;
      return {
        text: wrong ? String(Number(claim.expected) + 1) : claim.expected,
        promptTokens: 0,
        completionTokens: 0,
        logProb: 0,
        measured: false,
        durationMs: 0,
        finish: 'stop',
      };
    },
    async close() {},
  };
}
