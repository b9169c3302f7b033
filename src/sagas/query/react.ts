import type { SnapshotFrom } from 'xstate';
import { commandTo, type MessageEffect, type ReplyEffect, type SentCommand } from '../../actors/actor.ts';
import { react as reactSuperLlm } from '../../actors/super-llm/react.ts';
import { react as reactVerifier } from '../../actors/verifier/react.ts';
import type { QueryEvent } from '../../events/query.ts';
import type { Reply } from '../../events/reply.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import { type Ending, endingBody } from './ending.ts';
import type { QueryContext, queryMachine } from './machine.ts';

export function react(
  event: QueryEvent,
  snapshot: SnapshotFrom<typeof queryMachine>,
): readonly MessageEffect[] {
  const query = snapshot.context;
  switch (event.type) {
    case 'QueryAskedAgain': {
      const { account, reservationId, replyTo, sameQuestion } = event.data;
      const askers = replyTo === null ? [] : [replyTo];
      const replies = sameQuestion
        ? query.ending === null
          ? []
          : reply(askers, query.ending, query.queryId)
        : refuse(askers, query.queryId);
      return [
        ...replies,
        release(account, reservationId, query.queryId, 'The query had been asked already.'),
      ];
    }
    case 'QueryForgone': {
      const { account, reservationId } = event.data;
      return [release(account, reservationId, query.queryId, 'The question never arrived.')];
    }
    case 'EndingConfirmed': {
      const { account, reservationId } = event.data;
      if (!query.ending) return [];
      if (reservationId === query.reservationId) return [settlementOf(query.ending, query)];
      return [release(account, reservationId, query.queryId, 'The query had been asked already.')];
    }
    case 'SubtaskDispatched':
      return [reactSuperLlm(event.data, query)];
    case 'QueryAnswered':
    case 'QueryDeclined':
    case 'QueryExpired':
      return end(event, query);
    case 'QueryAsked':
    case 'QueryAnalysed':
    case 'QueryPlanned':
    case 'SubtaskAnswered':
    case 'SubtaskFailed':
    case 'VerdictReached':
    case 'AnswerSynthesised':
    case 'AnswerValidated':
      return [];
  }
}

/** The reply comes first, because the asker waits for it. The credits follow. */
function end(ending: Ending, query: QueryContext): readonly MessageEffect[] {
  const { queryId, complexity, judgements } = query;
  return [
    ...reply(query.replyTo, ending, queryId),
    settlementOf(ending, query),
    ...reactVerifier(queryId, complexity, judgements),
    ...Object.keys(query.subtasks).map((subtaskId) =>
      commandTo(
        { kind: 'superCluster', id: MAIN_SUPER_CLUSTER },
        { type: 'SettleSubtask', data: { queryId, subtaskId } },
      ),
    ),
  ];
}

function refuse(subjects: readonly string[], queryId: string): readonly ReplyEffect<Reply>[] {
  const message = `"${queryId}" is the id of another question. Nothing was asked and nothing was charged.`;
  const error = { code: 'conflict', message, hint: 'Take a new id for a new question.' } as const;
  return subjects.map((subject) => ({ kind: 'reply', subject, body: { queryId, error } }));
}

function settlementOf(ending: Ending, { account, reservationId, queryId }: QueryContext): SentCommand {
  return ending.type === 'QueryAnswered'
    ? settle(account, reservationId, queryId, ending.data.spent)
    : release(account, reservationId, queryId, ending.data.reason);
}

function reply(subjects: readonly string[], ending: Ending, queryId: string): readonly ReplyEffect<Reply>[] {
  const body = endingBody(ending, queryId);
  return subjects.map((subject) => ({ kind: 'reply', subject, body }));
}

function settle(account: string, transferId: string, queryId: string, spent: number): SentCommand {
  const data = { transferId, queryId, spent };
  return commandTo({ kind: 'account', id: account }, { type: 'SettleCredits', data });
}

function release(account: string, transferId: string, queryId: string, reason: string): SentCommand {
  const data = { transferId, queryId, reason: reason.slice(0, 200) };
  return commandTo({ kind: 'account', id: account }, { type: 'ReleaseCredits', data });
}
