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

/** One Node's vote as its Cluster sees it. */
export interface Ballot {
  readonly node: string;
  /** Names the Node's models: Nodes with the same ones err together. Default: models of its own. */
  readonly pair?: string;
  readonly answer: string;
  readonly kind: AnswerKind;
  /** The Node's own estimate that its answer is right, 0..1. */
  readonly confidence: number;
  /** Measured share of right answers for this task type, 0..1. */
  readonly trust: number;
}

export interface Consensus {
  /**
   * 'reached': `confidence` is at the threshold. 'tiebreak': it is not, and another Node should vote. 'unresolved': it
   * is not and no Node is left; the best answer stands with its low confidence.
   */
  readonly outcome: 'reached' | 'tiebreak' | 'unresolved';
  /** Empty when every Node abstained. */
  readonly answer: string;
  /** Estimated probability that `answer` is right, 0..0.99; 0 when every Node abstained. */
  readonly confidence: number;
  /** Nodes that gave `answer` or its equivalent, the weightiest first. */
  readonly support: readonly string[];
  /** Nodes that gave another answer. Nodes that abstained are in neither list, nor are other wordings of an open-ended task. */
  readonly dissent: readonly string[];
  /** Share of all ballots that support `answer`, 0..1. */
  readonly agreement: number;
}

interface Voter {
  readonly node: string;
  readonly pair: string | undefined;
  readonly answer: ExtractedAnswer;
  readonly probability: number;
}

/** An answer with all that gave it, the weightiest first. */
interface Candidate {
  readonly voters: readonly Voter[];
  readonly posterior: number;
}

/** A contributor's device reports its own confidence: it may lower its weight freely, but raise its odds at most so far above its record. */
const MAX_SELF_PROMOTION = Math.log(5);

const DEFAULT_THRESHOLD = 0.7;

/**
 * Weighs the ballots by the measured trust in their Nodes. The order of the ballots does not matter. `threshold`
 * (default 0.7) is the confidence at which consensus is reached; an open-ended task is reached by any answer, since
 * another opinion cannot settle what has no single right answer. Ballots are one per Node.
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
 * Ballots with the same answer together, weightiest first. Likeness is not transitive ("5" is like "5 km" and like
 * "5 m"), so a ballot joins the first group with all of whose members it agrees.
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

/** Total, so that the order in which ballots arrive changes nothing. */
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

/** The likeliest answer first; among equally likely ones that which more Nodes gave, then that of the weightiest Node. */
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
  // Wordings of an open-ended task do not compete, so each is weighed by itself.
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
