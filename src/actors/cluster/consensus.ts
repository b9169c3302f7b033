import type { AnswerKind } from '../node/answer.ts';

/** One Node's vote as its Cluster sees it. */
export interface Ballot {
  readonly node: string;
  readonly answer: string;
  readonly kind: AnswerKind;
  readonly confidence: number;
  /** Measured share of right answers for this task type, 0..1. */
  readonly trust: number;
}

export interface Consensus {
  /** 'tiebreak': another Node should vote; 'unresolved': none is left, the best answer stands with its low confidence. */
  readonly outcome: 'reached' | 'tiebreak' | 'unresolved';
  /** Empty when every Node abstained. */
  readonly answer: string;
  /** Posterior probability that `answer` is right, 0..1. */
  readonly confidence: number;
  /** Nodes that gave `answer` or its equivalent. */
  readonly support: readonly string[];
  /** Nodes that gave another answer; Nodes that abstained are in neither list. */
  readonly dissent: readonly string[];
  /** Share of all ballots that support `answer`, 0..1. */
  readonly agreement: number;
}

/** Weighs the ballots by measured trust. `threshold` (default 0.7) is the confidence at which consensus is reached. */
export function reachConsensus(
  _ballots: readonly Ballot[],
  _taskType: string,
  _options: { readonly tiebreaksLeft: number; readonly threshold?: number },
): Consensus {
  throw new Error('reachConsensus is being written');
}
