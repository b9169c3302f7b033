import type { AnswerKind } from './answer.ts';

/** How probable it is that a voter is right, and which of the differing answers it gave. */
export interface Opinion {
  /** 0..1, exclusive. */
  readonly probability: number;
  /** Index of its answer among the differing ones. */
  readonly answer: number;
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
  for (const { probability, answer } of opinions) {
    weights[answer] = (weights[answer] ?? 0) + logit(probability) + Math.log(wrong);
  }
  const unseen = Math.max(0, wrong + 1 - answers);
  const largest = Math.max(0, ...weights); // keeps the exponentials finite
  const scores = weights.map((weight) => Math.exp(weight - largest));
  const total = scores.reduce((sum, score) => sum + score, unseen * Math.exp(-largest));
  return scores.map((score) => score / total);
}

/**
 * What may be reported: `posterior`, lowered by the share of voters that abstained (each of them gives the answer half
 * of the others' posterior, in a linear pool), and never above 0.99, since voters err together at times.
 */
export function reported(posterior: number, abstained: number, voters: number): number {
  return Math.min(MAX_CONFIDENCE, posterior * (1 - abstained / (2 * voters)));
}
