import { compareAnswers } from '../../answers/equivalence.ts';
import type { ExtractedAnswer } from '../../answers/extraction.ts';
import { isOpenEnded } from '../../answers/extraction.ts';
import type { Opinion } from '../../answers/pooling.ts';
import {
  dependentWeight,
  logistic,
  logit,
  pooled,
  posteriors,
  reported,
  tempered,
} from '../../answers/pooling.ts';
import type { AnswerKind } from '../../events/values.ts';

/** One Node's vote as its Cluster counts it. */
export interface Ballot {
  readonly node: string;
  /**
   * Names the Node's models: Nodes with the same pair make the same mistakes. Default: a pair that no other
   * Node has.
   */
  readonly pair?: string;
  readonly answer: string;
  readonly kind: AnswerKind;
  /** The Node's own estimate that its answer is right, 0–1. */
  readonly confidence: number;
  /** Measured share of right answers for this task type, 0–1. */
  readonly trust: number;
}

export interface Consensus {
  /**
   * 'reached': `confidence` is at least the threshold. 'tiebreak': it is lower, and another Node should vote.
   * 'unresolved': it is lower and no Node is left; the best answer keeps its low confidence.
   */
  readonly outcome: 'reached' | 'tiebreak' | 'unresolved';
  /** Empty if every Node abstained. */
  readonly answer: string;
  /** Estimated probability that `answer` is right, 0–0.99; 0 if every Node abstained. */
  readonly confidence: number;
  /** Nodes that gave `answer` or an equivalent one, ordered by weight, largest first. */
  readonly support: readonly string[];
  /**
   * Nodes that gave another answer. Neither list contains Nodes that abstained, or other wordings for an
   * open-ended task.
   */
  readonly dissent: readonly string[];
  /** Share of all ballots that support `answer`, 0–1. */
  readonly agreement: number;
}

interface Voter {
  readonly node: string;
  readonly pair: string | undefined;
  readonly answer: ExtractedAnswer;
  readonly probability: number;
}

/** An answer with all Nodes that gave it, ordered by weight, largest first. */
interface Candidate {
  readonly voters: readonly Voter[];
  readonly posterior: number;
}

/**
 * A device reports its own confidence. That may lower its weight without limit, but raise its odds at most by
 * this factor (a logarithm) above its record.
 */
const MAX_SELF_PROMOTION = Math.log(5);

const DEFAULT_THRESHOLD = 0.7;

/**
 * Finds the consensus of ballots, weighted by the measured trust in their Nodes. The order of the ballots does
 * not matter. `threshold` (default 0.7) is the least confidence for a consensus. For an open-ended task any
 * answer is enough, because another opinion cannot settle a question without a single right answer. Each Node
 * has one ballot.
 */
export function reachConsensus(
  ballots: readonly Ballot[],
  taskType: string,
  options: { readonly tiebreaksLeft: number; readonly threshold?: number },
): Consensus {
  const open = isOpenEnded(taskType);
  const groups = groupsOf(ballots.filter((ballot) => ballot.kind !== 'none').map(toVoter));
  const [winner, ...others] = ranked(groups, open);
  const leader = winner?.voters[0];
  if (winner === undefined || leader === undefined) {
    const outcome = options.tiebreaksLeft > 0 ? 'tiebreak' : 'unresolved';
    return { outcome, answer: '', confidence: 0, support: [], dissent: [], agreement: 0 };
  }

  const abstained = ballots.filter((ballot) => ballot.kind === 'none').length;
  const confidence = reported(winner.posterior, abstained, ballots.length);
  const settled = open || confidence >= (options.threshold ?? DEFAULT_THRESHOLD);
  return {
    outcome: settled ? 'reached' : options.tiebreaksLeft > 0 ? 'tiebreak' : 'unresolved',
    answer: leader.answer.value,
    confidence,
    support: namesOf(winner),
    dissent: open ? [] : others.flatMap(namesOf),
    agreement: winner.voters.length / ballots.length,
  };
}

function toVoter({ node, pair, answer, kind, confidence, trust }: Ballot): Voter {
  const record = tempered(trust);
  const claimed = pooled(record, tempered(confidence));
  const most = logistic(logit(record) + MAX_SELF_PROMOTION);
  return { node, pair, answer: { kind, value: answer }, probability: Math.min(claimed, most) };
}

/**
 * Groups ballots with the same answer, ordered by weight. Equivalence is not transitive ("5" is equivalent to
 * "5 km" and to "5 m"), so a ballot joins the first group in which it agrees with all members.
 */
function groupsOf(voters: readonly Voter[]): readonly (readonly Voter[])[] {
  const groups: Voter[][] = [];
  for (const voter of voters.toSorted(byWeight)) {
    const home = groups.find((group) =>
      group.every((member) => compareAnswers(member.answer, voter.answer) !== 'different'),
    );
    if (home === undefined) groups.push([voter]);
    else home.push(voter);
  }
  return groups;
}

/** A total order, so that the order in which ballots arrive makes no difference. */
function byWeight(a: Voter, b: Voter): number {
  return (
    b.probability - a.probability ||
    compareText(a.answer.value, b.answer.value) ||
    compareText(a.node, b.node)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The most probable answer first. Of equally probable ones, first the one that more Nodes gave, then that of
 * the Node with the largest weight.
 */
function ranked(groups: readonly (readonly Voter[])[], open: boolean): readonly Candidate[] {
  const kind = groups[0]?.[0]?.answer.kind ?? 'none';
  const opinions = groups.map((voters, answer) =>
    voters.map(
      ({ pair, probability }): Opinion => ({
        probability,
        answer: open ? 0 : answer,
        weight:
          pair === undefined ? 1 : dependentWeight(voters.filter((other) => other.pair === pair).length),
      }),
    ),
  );
  // Wordings for an open-ended task do not compete, so each is weighed separately.
  const shares = open
    ? opinions.map((own) => posteriors(own, 1, kind)[0])
    : posteriors(opinions.flat(), groups.length, kind);
  return groups
    .map((voters, at): Candidate => ({ voters, posterior: shares[at] ?? 0 }))
    .toSorted((a, b) => b.posterior - a.posterior || b.voters.length - a.voters.length);
}

function namesOf(candidate: Candidate): readonly string[] {
  return candidate.voters.map((voter) => voter.node);
}
