import type { AnswerKind, Equivalence } from './answer.ts';

/** What one model of a Node answered; the fields are those of the inference port's result. */
export interface ModelAnswer {
  readonly model: string;
  readonly text: string;
  /** Sum of the natural logarithms of the chosen tokens' probabilities; means nothing unless `measured`. */
  readonly logProb: number;
  readonly measured: boolean;
  readonly completionTokens: number;
  readonly durationMs: number;
  readonly finish: 'stop' | 'length';
}

export interface Vote {
  /** Both agree; one was preferred over a weaker or missing other; neither stands out; neither answered. */
  readonly outcome: 'agreed' | 'preferred' | 'split' | 'abstained';
  readonly agreement: Equivalence;
  /** Whose answer is given, null when abstained. */
  readonly chosen: 0 | 1 | null;
  /** The final answer as a user reads it, without the working; empty when abstained. */
  readonly answer: string;
  readonly kind: AnswerKind;
  /** Estimated probability that `answer` is right, 0..1. */
  readonly confidence: number;
}

/**
 * The vote of a Node's two models; null stands for a model that failed. `accuracy` is the measured share of right
 * answers of each model for this task type, 0..1, where known.
 */
export function castVote(
  _answers: readonly [ModelAnswer | null, ModelAnswer | null],
  _taskType: string,
  _accuracy?: readonly [number, number],
): Vote {
  throw new Error('castVote is being written');
}
