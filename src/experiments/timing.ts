import type { Tier } from '../events/evolution.ts';
import { estimateTokensPerSecond, type ModelEntry } from '../inference/catalogue.ts';

/** What a model's speed depends on. */
export type Sized = Pick<ModelEntry, 'bytes'>;

/** What the answers of one Node cost, in virtual milliseconds. */
export interface NodeTime {
  /** Both models work side by side, so the slower one counts. */
  readonly latencyMs: number;
  /** The sum over both. */
  readonly computeMs: number;
}

/**
 * The virtual time of one answer: whole milliseconds, at least 1. Every token of the answer reads all weights once, and
 * so does the prompt, whose tokens go through together. It depends on the tokens, the model's size and the device's
 * tier alone, so it is the same on every machine that runs the experiment.
 */
export function virtualMs(model: Sized, tier: Tier, completionTokens: number): number {
  const passes = completionTokens + 1;
  return Math.max(1, Math.round((1000 * passes) / estimateTokensPerSecond(model, tier)));
}

/** The time of a Node from that of its models; a model that gave no answer takes none, and nothing takes no time. */
export function nodeTime(models: readonly number[]): NodeTime {
  return {
    latencyMs: Math.max(1, ...models),
    computeMs: models.reduce((sum, ms) => sum + ms, 0),
  };
}
