import { createHash } from 'node:crypto';
import { type InferenceEngine, InferenceError } from './port.ts';

export interface InstantEngineOptions {
  /** The right answers by prompt. The engine works out none itself. */
  readonly answers: ReadonlyMap<string, string>;
  /** The models it plays, and the share of prompts (0–1) that each of them gets wrong. */
  readonly errorRates: ReadonlyMap<string, number>;
  readonly seed: number;
}

/**
 * A simulation for benchmarks and chaos tests, in which the time of models must not count: answers at once from the
 * caller's table, and wrongly (with another answer of the table) for a share of prompts that is fixed by seed, model
 * and prompt. Its results are simulated and claim no measured probability.
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
        throw new InferenceError('model-missing', `The simulation does not play the model "${model}".`);
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
