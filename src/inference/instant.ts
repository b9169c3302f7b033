import { createHash } from 'node:crypto';
import { type InferenceEngine, InferenceError } from './port.ts';

export interface InstantEngineOptions {
  /** The right answers by prompt. The engine computes none itself. */
  readonly answers: ReadonlyMap<string, string>;
  /** The models that it simulates, with the share of prompts (0–1) that each gets wrong. */
  readonly errorRates: ReadonlyMap<string, number>;
  readonly seed: number;
}

/**
 * A simulation for benchmarks and chaos tests, where the time of models must not count. Answers at once from the
 * caller's table. For a share of prompts, fixed by seed, model and prompt, it gives another answer of the table, which
 * is wrong. Its results are simulated and have no measured probability.
 */
export function createInstantEngine({ answers, errorRates, seed }: InstantEngineOptions): InferenceEngine {
  const all = [...new Set(answers.values())];
  let closed = false;
  return {
    kind: 'simulated',
    async infer({ model, prompt }, signal) {
      signal?.throwIfAborted();
      if (closed) throw new InferenceError('engine-unreachable', 'The simulated engine is closed.');
      const errorRate = errorRates.get(model);
      if (errorRate === undefined) {
        throw new InferenceError('model-missing', `The simulation has no model "${model}".`);
      }
      const right = answers.get(prompt);
      if (right === undefined) {
        throw new InferenceError(
          'no-recording',
          `The simulation of "${model}" was given no answer to this prompt: ${prompt.slice(0, 80)}`,
        );
      }
      const [error, which] = twoDraws(`${seed} ${model} ${prompt}`);
      const others = all.length > 1 && error < errorRate ? all.filter((answer) => answer !== right) : [];
      return {
        text: others[Math.floor(which * others.length)] ?? right,
        promptTokens: 0,
        completionTokens: 0,
        logProb: 0,
        measured: false,
        durationMs: 0,
        finish: 'stop',
      };
    },
    async close() {
      closed = true;
    },
  };
}

function twoDraws(text: string): readonly [number, number] {
  const hash = createHash('sha256').update(text).digest();
  return [hash.readUInt32LE(0) / 2 ** 32, hash.readUInt32LE(4) / 2 ** 32];
}
