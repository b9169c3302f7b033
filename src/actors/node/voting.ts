import { compareAnswers } from '../../answers/equivalence.ts';
import type { ExtractedAnswer } from '../../answers/extraction.ts';
import { extractAnswer, isOpenEnded } from '../../answers/extraction.ts';
import type { Opinion } from '../../answers/pooling.ts';
import { logistic, logit, pooled, posteriors, reported, tempered } from '../../answers/pooling.ts';
import type { Equivalence, ModelAnswer, Vote } from '../../events/values.ts';

interface Voter {
  readonly index: 0 | 1;
  readonly answer: ExtractedAnswer;
  readonly probability: number;
}

const ABSTAINED: Vote = {
  outcome: 'abstained',
  agreement: 'different',
  chosen: null,
  answer: '',
  kind: 'none',
  confidence: 0,
};

/**
 * If the better of two answers has at least this probability, it is at least twice as likely as all others
 * together.
 */
const STANDS_OUT = 2 / 3;

/**
 * Calibration by Platt scaling, because models are overconfident: log-odds of being right = slope · log-odds of
 * the text + offset. Fitted to held-out answers of the miniature models, see docs/voting.md. `margin` keeps the
 * result finite for a text of probability 0 or 1, and keeps the order of two very probable ones.
 */
const CALIBRATION = { slope: 0.7, offset: -0.6, margin: 0.0005 } as const;

/**
 * Longest answer, in tokens, whose token probabilities count. In a longer text they say how predictable the
 * wording is, not whether the answer is right. The calibration was measured up to about this length.
 */
const MAX_TELLING_TOKENS = 96;

/**
 * The vote of a Node's two models. Null: the model failed. `accuracy`: the measured share of right
 * answers of each model for this task type, 0–1, if known. An answer that was cut off at the token limit counts
 * as an abstention, except for prose. Symmetric except for exact ties, which the first model wins.
 */
export function castVote(
  answers: readonly [ModelAnswer | null, ModelAnswer | null],
  taskType: string,
  accuracy?: readonly [number, number],
): Vote {
  const voters: Voter[] = [];
  for (const index of [0, 1] as const) {
    const given = answers[index];
    if (given === null) continue;
    const answer = extractAnswer(given.text, taskType);
    if (answer.kind === 'none' || (given.finish === 'length' && answer.kind !== 'text')) continue;
    voters.push({ index, answer, probability: probabilityOf(given, taskType, accuracy?.[index]) });
  }
  const abstained = answers.filter((given) => given !== null).length - voters.length;
  const [first, second] = voters;
  if (first === undefined) return ABSTAINED;
  if (second === undefined) {
    return voteFor(first, 'preferred', 'different', reported(first.probability, abstained, 1 + abstained));
  }

  const better = second.probability > first.probability ? second : first;
  const agreement = compareAnswers(first.answer, second.answer);
  if (agreement !== 'different') {
    const [posterior = 0] = posteriors([opinion(first, 0), opinion(second, 0)], 1, better.answer.kind);
    return voteFor(better, 'agreed', agreement, reported(posterior, 0, 2));
  }
  // For an open-ended task, another wording is not a vote against the first one.
  if (isOpenEnded(taskType)) {
    return voteFor(better, 'preferred', agreement, reported(better.probability, 0, 2));
  }
  const shares = posteriors([opinion(first, 0), opinion(second, 1)], 2, better.answer.kind);
  const posterior = Math.max(...shares);
  return voteFor(
    better,
    posterior >= STANDS_OUT ? 'preferred' : 'split',
    agreement,
    reported(posterior, 0, 2),
  );
}

/** The probability that one model's answer is right, from its token probabilities and its record. */
function probabilityOf(given: ModelAnswer, taskType: string, accuracy: number | undefined): number {
  const fromTokens = tokenEvidence(given, taskType);
  const fromRecord = accuracy === undefined ? null : tempered(accuracy);
  if (fromTokens === null) return fromRecord ?? 0.5;
  return fromRecord === null ? fromTokens : pooled(fromTokens, fromRecord);
}

/**
 * What the probability of the whole answer says about being right, by the calibration. Null if it was not
 * measured or has no meaning. An open-ended text has no right wording, so the mean probability of its tokens is
 * used: it says how well the model knows its subject.
 */
function tokenEvidence(given: ModelAnswer, taskType: string): number | null {
  if (!given.measured || !(given.logProb <= 0)) return null;
  if (isOpenEnded(taskType)) return tempered(Math.exp(given.logProb / Math.max(1, given.completionTokens)));
  if (given.completionTokens > MAX_TELLING_TOKENS) return null;
  const { slope, offset, margin } = CALIBRATION;
  const probability = margin + (1 - 2 * margin) * Math.exp(given.logProb);
  return logistic(slope * logit(probability) + offset);
}

function opinion(voter: Voter, answer: number): Opinion {
  return { probability: voter.probability, answer };
}

function voteFor(voter: Voter, outcome: Vote['outcome'], agreement: Equivalence, confidence: number): Vote {
  const { kind, value } = voter.answer;
  return { outcome, agreement, chosen: voter.index, answer: value, kind, confidence };
}
