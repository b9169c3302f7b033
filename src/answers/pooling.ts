import type { AnswerKind } from '../events/values.ts';

/** How probable it is that a voter is right, and which of the differing answers it gave. */
export interface Opinion {
  /** 0..1, exclusive. */
  readonly probability: number;
  /** Index of its answer among the differing ones. */
  readonly answer: number;
  /** How much of a vote it is, 0..1, where voters depend on each other (`dependentWeight`). Default 1. */
  readonly weight?: number;
}

/**
 * How many wrong answers there are to choose from, as far as voters' errors spread over them. It says what an agreement
 * is worth: two who are wrong about a yes or no must agree, two wrong numbers hardly ever do. Measured, see
 * docs/voting.md; smaller than the number of conceivable answers because models err alike.
 */
const WRONG_ALTERNATIVES: Readonly<Record<AnswerKind, number>> = {
  truth: 1.5,
  choice: 3,
  number: 5,
  name: 5,
  list: 5,
  code: 5,
  text: 5,
  none: 5,
};
/** Greedy answers of the same models are the same answer; sampling makes them differ a little. An assumption. */
const SAME_MODELS_CORRELATION = 0.9;
const MIN_PROBABILITY = 0.02;
const MAX_CONFIDENCE = 0.99;

/** Keeps an estimate away from 0 and 1, where one voter would outweigh all others; what is not a number is even odds. */
export function tempered(probability: number): number {
  return Number.isFinite(probability)
    ? Math.min(1 - MIN_PROBABILITY, Math.max(MIN_PROBABILITY, probability))
    : 0.5;
}

/** Natural logarithm of the odds. */
export function logit(probability: number): number {
  return Math.log(probability / (1 - probability));
}

export function logistic(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

/** Two estimates of the same probability from related evidence: the mean of their log-odds (a logarithmic pool). */
export function pooled(a: number, b: number): number {
  return logistic((logit(a) + logit(b)) / 2);
}

/**
 * The probability of each answer being the right one, when independent voters are right with the given probabilities
 * and otherwise pick one of `m` wrong answers: answer k has the weight Π over its voters of m·p/(1−p), and each of the
 * m+1 answers that nobody gave has the weight 1. Choosing the largest is the best possible rule under these
 * assumptions (Nitzan & Paroush 1982, for more than two answers), so it never does worse than the best voter alone.
 * The sum over the answers is below 1: the rest is the chance that none of them is right.
 */
export function posteriors(
  opinions: readonly Opinion[],
  answers: number,
  kind: AnswerKind,
): readonly number[] {
  const wrong = WRONG_ALTERNATIVES[kind];
  const weights = Array.from({ length: answers }, () => 0);
  for (const { probability, answer, weight = 1 } of opinions) {
    weights[answer] = (weights[answer] ?? 0) + weight * (logit(probability) + Math.log(wrong));
  }
  const unseen = Math.max(0, wrong + 1 - answers);
  const largest = Math.max(0, ...weights); // keeps the exponentials finite
  const scores = weights.map((weight) => Math.exp(weight - largest));
  const total = scores.reduce((sum, score) => sum + score, unseen * Math.exp(-largest));
  return scores.map((score) => score / total);
}

/**
 * Share of a vote that each of `count` voters with the same models has when they say the same: together they are
 * worth count / (1 + (count − 1)·ρ) independent ones (Kish 1965, the design effect), ρ being how alike they err.
 */
export function dependentWeight(count: number): number {
  return 1 / (1 + (count - 1) * SAME_MODELS_CORRELATION);
}

/**
 * What may be reported: `posterior`, lowered by the share of voters that abstained (each of them gives the answer half
 * of the others' posterior, in a linear pool), and never above 0.99, since voters err together at times.
 */
export function reported(posterior: number, abstained: number, voters: number): number {
  return Math.min(MAX_CONFIDENCE, posterior * (1 - abstained / (2 * voters)));
}
