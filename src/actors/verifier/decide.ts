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
  /** Whether there is budget and time for another attempt. */
  readonly mayRecompute: boolean;
}

/** Least confidence of an answer that goes through without a second look. */
const MIN_CONFIDENCE = { normal: 0.5, high: 0.8 } as const;

/** Below this an answer is not given at all, however often it was tried. */
const LEAST_CONFIDENCE = 0.3;

/** An answer that computation has confirmed. */
const COMPUTED_CONFIDENCE = 0.99;

/** As many ballots as a majority needs to mean something. */
const CONSENSUS_BALLOTS = 3;
const MAJORITY = 0.5;

/** Judged answers before a Node's accuracy counts in its earnings. */
const ACCURACY_SAMPLE = 20;

/** Checks an answer by computation and agreement, and says what shall happen with it. */
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

/** Computation settles it; agreement of several Nodes is evidence; one Node's word alone is none. */
function rightness(
  checks: readonly CheckResult[],
  taskType: string,
  result: ResourceAnswer,
  outcome: VerdictReached['outcome'],
): boolean | null {
  const arithmetic = checks.find((check) => check.check === 'arithmetic')?.verdict ?? 'not-applicable';
  if (arithmetic !== 'not-applicable') return arithmetic === 'pass';
  if (result.kind === 'none') return false;
  return agreementTells(taskType, result) ? outcome === 'accepted' : null;
}

/** Enough Nodes, most of them behind one answer, to a question that has one: otherwise dissent says nothing. */
function agreementTells(taskType: string, { contributions, agreement }: ResourceAnswer): boolean {
  return !isOpenEnded(taskType) && contributions.length >= CONSENSUS_BALLOTS && agreement > MAJORITY;
}

function abstained(): CheckResult {
  return { check: 'quality-gate', verdict: 'fail', reason: 'The answer is "I don\'t know".' };
}

/** Computation outweighs what the models believe of themselves, in both directions. */
function confidenceAfter(checks: readonly CheckResult[], result: ResourceAnswer): number {
  if (result.kind === 'none') return 0;
  const arithmetic = checks.find((check) => check.check === 'arithmetic')?.verdict;
  if (arithmetic === 'pass') return Math.max(result.confidence, COMPUTED_CONFIDENCE);
  return arithmetic === 'fail' ? 0 : result.confidence;
}

function outcomeOf(
  checks: readonly CheckResult[],
  confidence: number,
  { stakes, mayRecompute, result }: JudgeAnswer,
): VerdictReached['outcome'] {
  // What computation confirms needs no majority, unless the stakes ask for one.
  const computed =
    stakes === 'normal' && checks.some(({ check, verdict }) => check === 'arithmetic' && verdict === 'pass');
  const failed = checks.filter(
    ({ check, verdict }) => verdict === 'fail' && !(computed && check === 'redundancy'),
  );
  const onlyUnsure = failed.every((check) => check.check === 'quality-gate') && result.kind !== 'none';
  if (failed.length === 0 || (onlyUnsure && confidence >= MIN_CONFIDENCE[stakes])) return 'accepted';
  if (mayRecompute) return 'recompute';
  return onlyUnsure && confidence >= LEAST_CONFIDENCE ? 'accepted' : 'abandoned';
}

/** By computation where the task allows it, else by what several Nodes agreed on, else not at all. */
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
