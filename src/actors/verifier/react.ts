import type { Judgement } from '../../events/query.ts';
import type { Complexity } from '../../events/values.ts';
import { commandTo, type SentCommand } from '../actor.ts';

/** What an answer that nobody can judge is worth, from a Node without a record. */
const UNKNOWN_ACCURACY = 0.5;

/** After the ending, every Node hears how its own answer was judged; its record and its earnings follow from that. */
export function react(
  queryId: string,
  complexity: Complexity,
  judgements: readonly Judgement[],
): readonly SentCommand[] {
  return judgements.flatMap((judgement) => [
    ...performance(queryId, judgement),
    ...payment(queryId, complexity, judgement),
  ]);
}

function performance(queryId: string, judgement: Judgement): readonly SentCommand[] {
  const { node, taskId, taskType, correct, basis, answerKind, responseMs } = judgement;
  if (correct === null || basis === null) return [];
  const data = { taskId, queryId, taskType, correct, basis, answerKind, responseMs };
  return [commandTo({ kind: 'node', id: node }, { type: 'RecordPerformance', data })];
}

/** Wrong work is penalised only where computation has shown it wrong: a minority may yet be right. */
function payment(queryId: string, complexity: Complexity, judgement: Judgement): readonly SentCommand[] {
  const { node, owner, taskId, correct, basis, answerKind, responseMs, accuracy, uptime, confidence } =
    judgement;
  const to = { kind: 'account', id: owner } as const;
  const transferId = taskId;
  if (correct === false) {
    if (basis !== 'computed' || answerKind === 'none') return [];
    return [commandTo(to, { type: 'PenaliseCredits', data: { transferId, queryId, node, complexity } })];
  }
  if (answerKind === 'none') return [];
  // A device reports its own confidence, so it is paid for that only as far as its record bears it out.
  const correctness = correct === true ? 1 : Math.min(confidence, accuracy ?? UNKNOWN_ACCURACY);
  const data = { transferId, queryId, node, complexity, correctness, responseMs, accuracy, uptime };
  return [commandTo(to, { type: 'EarnCredits', data })];
}
