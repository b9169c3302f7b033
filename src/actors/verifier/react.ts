import type { Judgement } from '../../events/query.ts';
import type { Effect } from '../actor.ts';

/** After the ending, every Node hears how its own answer was judged; its record and its earnings follow from that. */
export function react(
  queryId: string,
  complexity: 'simple' | 'medium' | 'complex',
  judgements: readonly Judgement[],
): readonly Effect[] {
  return judgements.flatMap((judgement) => [
    ...performance(queryId, judgement),
    ...payment(queryId, complexity, judgement),
  ]);
}

function performance(queryId: string, judgement: Judgement): readonly Effect[] {
  const { node, taskId, taskType, correct, basis, answerKind, responseMs } = judgement;
  if (correct === null || basis === null) return [];
  return [
    {
      kind: 'command',
      to: { kind: 'node', id: node },
      command: {
        type: 'RecordPerformance',
        data: { taskId, queryId, taskType, correct, basis, answerKind, responseMs },
      },
    },
  ];
}

/** Wrong work is penalised only where computation has shown it wrong: a minority may yet be right. */
function payment(
  queryId: string,
  complexity: 'simple' | 'medium' | 'complex',
  judgement: Judgement,
): readonly Effect[] {
  const { node, owner, taskId, correct, basis, answerKind, responseMs, accuracy, uptime, confidence } =
    judgement;
  const to = { kind: 'account', id: owner } as const;
  const transferId = taskId;
  if (correct === false) {
    if (basis !== 'computed' || answerKind === 'none') return [];
    return [
      {
        kind: 'command',
        to,
        command: { type: 'PenaliseCredits', data: { transferId, queryId, node, complexity } },
      },
    ];
  }
  if (answerKind === 'none') return [];
  const correctness = correct === true ? 1 : confidence;
  return [
    {
      kind: 'command',
      to,
      command: {
        type: 'EarnCredits',
        data: { transferId, queryId, node, complexity, correctness, responseMs, accuracy, uptime },
      },
    },
  ];
}
