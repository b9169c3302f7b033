import { extractAnswer, isOpenEnded, taskFamily } from '../../answers/extraction.ts';
import type { AnswerKind, Stakes } from '../../events/values.ts';
import { checkArithmetic } from '../../verification/maths.ts';

export type CheckKind = 'redundancy' | 'arithmetic' | 'quality-gate' | 'format';

export interface CheckResult {
  readonly check: CheckKind;
  readonly verdict: 'pass' | 'fail' | 'not-applicable';
  /** One sentence for the trace. */
  readonly reason: string;
}

export interface CheckedSubtask {
  readonly prompt: string;
  readonly taskType: string;
  readonly stakes: Stakes;
}

export interface CheckedAnswer {
  readonly text: string;
  readonly confidence: number;
  /** Number of ballots, including abstentions. */
  readonly ballots: number;
  /** Share of the ballots that support `text`, 0–1. */
  readonly agreement: number;
}

type Verdict = CheckResult['verdict'];

const MAJORITY = 0.5;

/** Task types whose answers always have the same kind. */
const EXPECTED_KIND: Readonly<Record<string, AnswerKind>> = {
  'logic.boolean': 'truth',
  'logic.comparison': 'truth',
  'logic.parity': 'truth',
  'logic.sequence': 'number',
};

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * The programmatic checks of one answer: always all four, in a fixed order. They judge the answer and never
 * change it; what they compute is used only for the verdict. An abstention is judged only by the quality gate.
 */
export function checkAnswer(
  subtask: CheckedSubtask,
  answer: CheckedAnswer,
  minConfidence: number,
): readonly CheckResult[] {
  const { kind } = extractAnswer(answer.text, subtask.taskType);
  return [
    checkRedundancy(subtask, answer, minConfidence),
    checkComputation(subtask, answer, kind),
    checkConfidence(answer, minConfidence),
    checkFormat(subtask, answer, kind),
  ];
}

/**
 * Requires several Nodes for high stakes. The answer needs a majority, or, for normal stakes, Nodes whose trust
 * outweighs the others.
 */
function checkRedundancy(subtask: CheckedSubtask, answer: CheckedAnswer, minConfidence: number): CheckResult {
  const { ballots, agreement, confidence } = answer;
  const supporters = Math.round(agreement * ballots);
  const high = subtask.stakes === 'high';
  if (ballots < 2) {
    return high
      ? result('redundancy', 'fail', 'High stakes need at least two Nodes, and one has answered.')
      : result('redundancy', 'not-applicable', 'One Node has answered, so there is nothing to compare.');
  }
  if (isOpenEnded(subtask.taskType)) {
    return result('redundancy', 'not-applicable', 'The task has no single right answer to agree on.');
  }
  if (agreement > MAJORITY) {
    return result('redundancy', 'pass', `${supporters} of ${ballots} Nodes gave this answer.`);
  }
  const outweighed = !high && confidence >= minConfidence;
  return outweighed
    ? result(
        'redundancy',
        'pass',
        `${supporters} of ${ballots} Nodes gave this answer, and their record outweighs the others'.`,
      )
    : result('redundancy', 'fail', `Only ${supporters} of ${ballots} Nodes gave this answer.`);
}

function checkComputation(subtask: CheckedSubtask, answer: CheckedAnswer, kind: AnswerKind): CheckResult {
  const verdict = kind === 'none' ? 'not-applicable' : checkArithmetic(subtask.prompt, answer.text);
  switch (verdict) {
    case 'correct':
      return result('arithmetic', 'pass', 'Computing the question gives the same value.');
    case 'incorrect':
      return result('arithmetic', 'fail', 'Computing the question gives another value.');
    case 'not-applicable':
      return result('arithmetic', verdict, 'Arithmetic alone does not decide this.');
  }
}

function checkConfidence({ confidence }: CheckedAnswer, minConfidence: number): CheckResult {
  const figures = `${confidence.toFixed(2)}, and ${minConfidence.toFixed(2)} is asked for`;
  return confidence >= minConfidence
    ? result('quality-gate', 'pass', `The confidence is ${figures}.`)
    : result('quality-gate', 'fail', `The confidence is only ${figures}.`);
}

function checkFormat({ taskType }: CheckedSubtask, { text }: CheckedAnswer, kind: AnswerKind): CheckResult {
  if (text.trim() === '') return result('format', 'fail', 'The answer is empty.');
  if (kind === 'none') return result('format', 'not-applicable', 'The answer is an abstention.');
  if (kind === 'code') {
    return hasBalancedBrackets(text)
      ? result('format', 'pass', 'All brackets of the code are closed.')
      : result('format', 'fail', 'The code has a bracket without its partner.');
  }
  const expected = taskFamily(taskType) === 'math' ? 'number' : EXPECTED_KIND[taskType];
  if (expected === undefined) return result('format', 'not-applicable', 'Any form will do for this task.');
  return kind === expected
    ? result('format', 'pass', `The answer is a ${expected}, as it should be.`)
    : result('format', 'fail', `The answer should be a ${expected} and is a ${kind}.`);
}

function hasBalancedBrackets(code: string): boolean {
  const open: string[] = [];
  for (const [token] of code.matchAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[()[\]{}]/g)) {
    const closing = CLOSING[token];
    if (closing !== undefined) open.push(closing);
    else if (token.length === 1 && open.pop() !== token) return false;
  }
  return open.length === 0;
}

function result(check: CheckKind, verdict: Verdict, reason: string): CheckResult {
  return { check, verdict, reason };
}
