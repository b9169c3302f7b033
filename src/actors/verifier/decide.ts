import { compareAnswers } from '../../answers/equivalence.ts';
import { extractAnswer, isOpenEnded } from '../../answers/extraction.ts';
import type { Judgement, QueryEvent, VerdictReached } from '../../events/query.ts';
import type { Contribution, Resource, ResourceAnswer, Stakes } from '../../events/values.ts';
import { checkArithmetic } from '../../verification/maths.ts';
import type { Given } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import { type CheckResult, checkAnswer } from './checks.ts';

export interface JudgeAnswer {
  readonly subtaskId: string;
  readonly attempt: number;
  readonly prompt: string;
  readonly taskType: string;
  readonly stakes: Stakes;
  readonly dispatchedAt: string;
  readonly resource: Resource;
  readonly result: ResourceAnswer;
  /** Whether there are tries and time left for another attempt. */
  readonly mayRecompute: boolean;
}

/** Least confidence of an answer that is accepted at once. */
const MIN_CONFIDENCE = { normal: 0.5, high: 0.8 } as const;

/** Least confidence of an answer that is given at all. */
const LEAST_CONFIDENCE = 0.3;

/** Least confidence after computation has confirmed the answer. */
const COMPUTED_CONFIDENCE = 0.99;

/** Least number of ballots for which a majority is meaningful. */
const CONSENSUS_BALLOTS = 3;
const MAJORITY = 0.5;

/** Least number of judged answers for a Node's accuracy to count in its earnings. */
const ACCURACY_SAMPLE = 20;

/** Checks an answer by computation and agreement, and records the verdict. */
export function decide(command: JudgeAnswer, given: Given<NetworkView>): readonly QueryEvent[] {
  const { subtaskId, attempt, prompt, taskType, stakes, resource, result } = command;
  const ballots = result.contributions.length;
  const answer = { text: result.answer, confidence: result.confidence, ballots, agreement: result.agreement };
  const checks =
    result.kind === 'none'
      ? [abstained()]
      : checkAnswer({ prompt, taskType, stakes }, answer, MIN_CONFIDENCE[stakes]);
  const confidence = confidenceAfter(checks, result);
  const outcome = outcomeOf(checks, confidence, command);
  const verdict: VerdictReached = {
    subtaskId,
    attempt,
    resource,
    taskType,
    responseMs: Math.max(0, Date.parse(given.at) - Date.parse(command.dispatchedAt)),
    correct: rightness(checks, taskType, result, outcome),
    level: resource.kind === 'cluster' ? 'cluster' : 'node',
    checks,
    outcome,
    confidence,
    judgements: result.contributions.map((one) => judge(one, command, outcome === 'accepted', given.reads)),
    readPosition: given.reads.position,
    at: given.at,
  };
  return [{ type: 'VerdictReached', data: verdict }];
}

/**
 * Whether the resource's answer was right: known from computation, else from the agreement of several Nodes.
 * One Node's answer alone is no evidence: null.
 */
function rightness(
  checks: readonly CheckResult[],
  taskType: string,
  result: ResourceAnswer,
  outcome: VerdictReached['outcome'],
): boolean | null {
  const computed = computedVerdict(checks);
  if (computed === 'pass') return true;
  if (computed === 'fail' || result.kind === 'none') return false;
  return agreementTells(taskType, result) ? outcome === 'accepted' : null;
}

/**
 * Whether agreement shows which answer is right: there is a single right answer, enough Nodes voted, and most
 * of them agree.
 */
function agreementTells(taskType: string, { contributions, agreement }: ResourceAnswer): boolean {
  return !isOpenEnded(taskType) && contributions.length >= CONSENSUS_BALLOTS && agreement > MAJORITY;
}

function abstained(): CheckResult {
  return { check: 'quality-gate', verdict: 'fail', reason: 'The answer is "I don\'t know".' };
}

/** The result of computation outweighs the models' own confidence, in both directions. */
function confidenceAfter(checks: readonly CheckResult[], result: ResourceAnswer): number {
  if (result.kind === 'none') return 0;
  const computed = computedVerdict(checks);
  if (computed === 'pass') return Math.max(result.confidence, COMPUTED_CONFIDENCE);
  return computed === 'fail' ? 0 : result.confidence;
}

function outcomeOf(
  checks: readonly CheckResult[],
  confidence: number,
  { stakes, mayRecompute }: JudgeAnswer,
): VerdictReached['outcome'] {
  // An answer that computation confirms needs no majority, unless the stakes are high.
  const needsMajority = stakes === 'high' || computedVerdict(checks) !== 'pass';
  const failed = checks.filter(
    ({ check, verdict }) => verdict === 'fail' && (needsMajority || check !== 'redundancy'),
  );
  const onlyUnsure = failed.every((check) => check.check === 'quality-gate');
  if (onlyUnsure && confidence >= MIN_CONFIDENCE[stakes]) return 'accepted';
  if (mayRecompute) return 'recompute';
  return onlyUnsure && confidence >= LEAST_CONFIDENCE ? 'accepted' : 'abandoned';
}

/** Undefined for an abstention, which is not computed. */
function computedVerdict(checks: readonly CheckResult[]): CheckResult['verdict'] | undefined {
  return checks.find(({ check }) => check === 'arithmetic')?.verdict;
}

/**
 * Judges one Node's answer: by computation if possible, else by the consensus of several Nodes, else not at
 * all.
 */
function judge(one: Contribution, command: JudgeAnswer, accepted: boolean, view: NetworkView): Judgement {
  const { prompt, taskType, result } = command;
  const node = view.nodes.get(one.node);
  const record = node?.trust;
  return {
    node: one.node,
    owner: one.owner,
    taskId: one.taskId,
    taskType,
    answerKind: one.kind,
    responseMs: one.responseMs,
    confidence: one.confidence,
    ...correctness(one, prompt, taskType, result, accepted),
    accuracy: record && record.total >= ACCURACY_SAMPLE ? record.valid / record.total : null,
    uptime: node?.uptime ?? 0,
  };
}

function correctness(
  one: Contribution,
  prompt: string,
  taskType: string,
  result: ResourceAnswer,
  accepted: boolean,
): Pick<Judgement, 'correct' | 'basis'> {
  const computed = checkArithmetic(prompt, one.answer);
  if (computed !== 'not-applicable') {
    return { correct: one.kind !== 'none' && computed === 'correct', basis: 'computed' };
  }
  if (!accepted || !agreementTells(taskType, result)) return { correct: null, basis: null };
  const same = compareAnswers(extractAnswer(one.answer, taskType), extractAnswer(result.answer, taskType));
  return { correct: one.kind !== 'none' && same !== 'different', basis: 'consensus' };
}
