import type { SnapshotFrom } from 'xstate';
import type { AccountEvent, ReservationRefused } from '../../events/account.ts';
import type { RefusalReply } from '../../events/reply.ts';
import { commandTo, type MessageEffect } from '../actor.ts';
import { formatCredits } from './credits.ts';
import type { accountMachine } from './machine.ts';

/**
 * A reservation sends its question to the query. A refusal is reported to the asker. Other events have no
 * effects.
 */
export function react(
  event: AccountEvent,
  snapshot: SnapshotFrom<typeof accountMachine>,
): readonly MessageEffect[] {
  switch (event.type) {
    case 'CreditsReserved': {
      const { request, transferId, amount } = event.data;
      const { account } = snapshot.context;
      return [
        commandTo(
          { kind: 'query', id: request.queryId },
          {
            type: 'AskQuestion',
            data: { ...request, account, reservationId: transferId, reserved: amount },
          },
        ),
      ];
    }
    case 'SettlementDemanded': {
      const { transferId, queryId } = event.data;
      const { account } = snapshot.context;
      return [
        commandTo(
          { kind: 'query', id: queryId },
          { type: 'ConfirmEnding', data: { reservationId: transferId, account } },
        ),
      ];
    }
    case 'ReservationRefused': {
      const { replyTo, queryId } = event.data;
      if (replyTo === null) return [];
      return [
        {
          kind: 'reply',
          subject: replyTo,
          body: { queryId, error: refusal(event.data, snapshot.context.account) },
        },
      ];
    }
    case 'CreditsGranted':
    case 'CreditsSettled':
    case 'CreditsReleased':
    case 'CreditsEarned':
    case 'CreditsPenalised':
      return [];
  }
}

function refusal(refused: ReservationRefused, account: string): RefusalReply['error'] {
  switch (refused.reason) {
    case 'unknown-account':
      return {
        code: 'unknown-account',
        message: `There is no account "${account}". Nothing was asked and nothing was charged.`,
        hint: 'Open it first (dellm credits open, or the service dellm.accounts.open); it starts with 100 credits.',
      };
    case 'no-credits':
      return {
        code: 'no-credits',
        message: `This question costs ${formatCredits(refused.needed)} credits and "${account}" has ${formatCredits(refused.available)}. Nothing was asked and nothing was charged.`,
        hint: 'Lend a device to earn credits, or ask something simpler.',
      };
    case 'too-late':
      return {
        code: 'too-late',
        message: 'The deadline had passed before the question was accepted. Nothing was charged.',
        hint: 'Ask again, with more time if the network is busy.',
      };
  }
}
