import type { QueryOutput } from '../gateway/schemas.ts';

type Steps = QueryOutput['query']['steps'];

/** A query's way through the network, a line or two for each step. */
export function printTrace(steps: Steps): string[] {
  return steps.flatMap((step) => {
    const told = tell(step);
    return told === null ? [] : [`  ${step.stream.padEnd(30)} ${told}`];
  });
}

function tell({ type, data }: Steps[number]): string | null {
  // Shapes of recorded events, as src/events has them; a trace shows what is there and never fails over it.
  // biome-ignore lint/suspicious/noExplicitAny: read for display only
  const it = data as any;
  switch (type) {
    case 'CreditsReserved':
      return `reserved ${it.amount / 1e6} credits`;
    case 'QueryAsked':
      return `asked: ${it.question}`;
    case 'QueryAnalysed':
      return `${it.complexity}, to ${it.intent}: ${it.taskTypes?.join(', ')}`;
    case 'QueryPlanned':
      return `plan "${it.strategy}": ${it.subtasks?.map((s: { key: string; prompt: string }) => `${s.key} ${s.prompt}`).join(' | ')}`;
    case 'SubtaskDispatched':
      return `dispatched (attempt ${it.attempt}): ${it.prompt}`;
    case 'SubtaskRouted':
      return `routed to ${it.chosen?.[0]?.kind} ${it.chosen?.[0]?.id} (${it.policy}${it.replicatedFor ? `, replicated: ${it.replicatedFor}` : ''}): ${it.why}`;
    case 'RoutingFailed':
      return `nobody to route to: ${it.reason}`;
    case 'TaskDistributed':
      return `to ${it.shares?.map((s: { node: string }) => s.node).join(', ')}`;
    case 'TaskAccepted':
      return 'accepted';
    case 'ModelAnswered':
      return `model ${it.slot} (${it.answer?.model}) says ${JSON.stringify(it.answer?.text)}`;
    case 'VoteCast':
      return `vote: ${it.vote?.outcome}, ${JSON.stringify(it.vote?.answer)}, ${percent(it.vote?.confidence)}`;
    case 'ConsensusReached':
      return `consensus: ${JSON.stringify(it.result?.answer)}, ${percent(it.result?.confidence)}`;
    case 'ConsensusFailed':
      return `no consensus: ${it.reason}`;
    case 'TiebreakCalled':
      return `tiebreak by ${it.share?.node}: ${it.reason}`;
    case 'SubtaskFailed':
      return `failed: ${it.reason} → ${it.next}`;
    case 'VerdictReached':
      return `verdict: ${it.outcome}, ${percent(it.confidence)} (${it.checks?.map((c: { check: string; verdict: string }) => `${c.check} ${c.verdict}`).join(', ')})`;
    case 'AnswerSynthesised':
      return `synthesised, ${percent(it.confidence)}`;
    case 'AnswerValidated':
      return it.ok ? 'validated' : `not valid: ${it.reasons?.join(' ')}`;
    case 'QueryAnswered':
      return `answered, ${it.spent / 1e6} credits`;
    case 'QueryDeclined':
      return `I don't know: ${it.reason}`;
    case 'QueryExpired':
      return `expired: ${it.reason}`;
    case 'CreditsEarned':
      return `earned ${it.amount / 1e6} credits for ${it.node}`;
    case 'CreditsPenalised':
      return `lost ${it.amount / 1e6} credits for ${it.node}`;
    case 'PerformanceRecorded':
      return `${it.correct ? 'right' : 'wrong'}, by ${it.basis}`;
    default:
      return null;
  }
}

function percent(fraction: unknown): string {
  return `${Math.round(100 * Number(fraction))} %`;
}
