import type { AnswerKind } from '../events/values.ts';

/** A voter's answer, with the probability that it is right. */
export interface Opinion {
  /** Between 0 and 1, exclusive. */
  readonly probability: number;
  /** Index of the answer among the different answers. */
  readonly answer: number;
  /** How much of a vote it counts, 0–1, if voters depend on each other (`dependentWeight`). Default 1. */
  readonly weight?: number;
}

/**
 * Number of wrong answers that voters' errors effectively spread over. It determines what agreement is worth:
 * two wrong voters must agree on a yes-or-no question, but two wrong numbers are hardly ever equal. Measured,
 * see docs/voting.md. It is smaller than the number of conceivable answers because models make the same
 * mistakes.
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
/** An assumption. Greedy answers of the same models are identical; sampling makes them differ a little. */
const SAME_MODELS_CORRELATION = 0.9;
const MIN_PROBABILITY = 0.02;
const MAX_CONFIDENCE = 0.99;

/**
 * Limits an estimate to [0.02, 0.98]: at 0 or 1, one voter would outweigh all others. Anything that is not
 * finite becomes 0.5.
 */
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

/**
 * Pools two estimates of one probability from related evidence: the mean of their log-odds (a logarithmic
 * pool).
 */
export function pooled(a: number, b: number): number {
  return logistic((logit(a) + logit(b)) / 2);
}

/**
 * The probability of each answer to be right, if independent voters are right with the given probabilities and
 * otherwise pick one of `m` wrong answers. Answer k has the weight Π over its voters of m·p/(1−p), and each of
 * the m+1 answers that nobody gave has the weight 1. Under these assumptions no rule is better than choosing
 * the largest (Nitzan & Paroush 1982, for more than two answers), so the choice is never worse than the best
 * voter alone. The sum over the answers is below 1: the rest is the probability that none of them is right.
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
 * Share of a vote for each of `count` voters with the same models that give the same answer. Together they
 * count as count / (1 + (count − 1)·ρ) independent voters (Kish 1965, the design effect). ρ is the correlation
 * of their errors.
 */
export function dependentWeight(count: number): number {
  return 1 / (1 + (count - 1) * SAME_MODELS_CORRELATION);
}

/**
 * The confidence to report. It is `posterior`, reduced by the share of voters that abstained (each of them
 * gives the answer half of the others' posterior, in a linear pool), and at most 0.99, because voters sometimes
 * make the same mistake.
 */
export function reported(posterior: number, abstained: number, voters: number): number {
  return Math.min(MAX_CONFIDENCE, posterior * (1 - abstained / (2 * voters)));
}
