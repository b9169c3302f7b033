import type { Judgement } from '../../events/query.ts';
import type { Complexity } from '../../events/values.ts';
import { commandTo, type SentCommand } from '../actor.ts';

/** Assumed accuracy of a Node without a record, for an answer that cannot be judged. */
const UNKNOWN_ACCURACY = 0.5;

/** After the ending, tells every Node how its answer was judged. Its record and its earnings depend on this. */
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

/** Wrong work is penalised only on the basis `computed`: a minority may be right. */
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
  // A device reports its own confidence, so it is paid for it only up to its measured accuracy.
  const correctness = correct === true ? 1 : Math.min(confidence, accuracy ?? UNKNOWN_ACCURACY);
  const data = { transferId, queryId, node, complexity, correctness, responseMs, accuracy, uptime };
  return [commandTo(to, { type: 'EarnCredits', data })];
}
