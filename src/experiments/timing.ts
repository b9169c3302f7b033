import type { Tier } from '../events/evolution.ts';
import { estimateTokensPerSecond, type ModelEntry } from '../inference/catalogue.ts';

/** What a model's speed depends on. */
export type Sized = Pick<ModelEntry, 'bytes'>;

/**
 * The virtual time of one answer: whole milliseconds, at least 1. Every token of the answer reads all weights once, and
 * so does the prompt, whose tokens are processed together. It depends only on the tokens, the model's size and the
 * device's tier, so it is the same on every machine.
 */
export function virtualMs(model: Sized, tier: Tier, completionTokens: number): number {
  const passes = completionTokens + 1;
  return Math.max(1, Math.round((1000 * passes) / estimateTokensPerSecond(model, tier)));
}

/**
 * The virtual time of a Node, in whole milliseconds, at least 1. Both models work in parallel, so the slower one
 * counts. A model without an answer takes no time.
 */
export function nodeMs(models: readonly number[]): number {
  return Math.max(1, ...models);
}
