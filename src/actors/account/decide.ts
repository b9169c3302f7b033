import type { SnapshotFrom } from 'xstate';
import { responseTargetMs } from '../../answers/task-types.ts';
import type { AccountCommand, AccountEvent } from '../../events/account.ts';
import { later } from '../../events/later.ts';
import type { Given } from '../actor.ts';
import { quote } from '../super-llm/quote.ts';
import {
  availabilityMultiplier,
  contributionMultiplier,
  earningFor,
  priceOf,
  qualityMultiplier,
  type Regularity,
  regularityOf,
  STARTING_GRANT,
} from './credits.ts';
import type { accountMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof accountMachine>;

/**
 * In milliseconds. The query ends by its own deadline. If the account has not heard of the ending this long
 * after it, it asks.
 */
const SETTLEMENT_PATIENCE_MS = 15_000;

const WEEK_MS = 7 * 24 * 3_600_000;

/** Every transfer has a key. A command with a known key changes nothing. */
export function decide(command: AccountCommand, snapshot: Snapshot, given: Given): readonly AccountEvent[] {
  const { context } = snapshot;
  const at = given.at;
  switch (command.type) {
    case 'OpenAccount': {
      if (snapshot.matches('open')) return [];
      const transferId = `welcome-${command.data.account}`.slice(0, 64);
      return [
        {
          type: 'CreditsGranted',
          data: { transferId, amount: STARTING_GRANT, contra: 'treasury', reason: 'welcome', at },
        },
      ];
    }
    case 'ReserveCredits':
      return reserve(command.data, snapshot, at);
    case 'SettleCredits': {
      const { transferId } = command.data;
      const reservation = context.reservations[transferId];
      if (!reservation) return [];
      const { queryId, amount } = reservation;
      const spent = Math.min(command.data.spent, amount);
      const returned = amount - spent;
      const contra = escrowOf(queryId);
      return [{ type: 'CreditsSettled', data: { transferId, queryId, spent, returned, contra, at } }];
    }
    case 'ReleaseCredits': {
      const { transferId, reason } = command.data;
      const reservation = context.reservations[transferId];
      if (!reservation) return [];
      const { queryId, amount } = reservation;
      const contra = escrowOf(queryId);
      return [{ type: 'CreditsReleased', data: { transferId, queryId, amount, contra, reason, at } }];
    }
    case 'EarnCredits': {
      const { transferId, queryId, node, complexity, correctness, responseMs, accuracy, uptime } =
        command.data;
      if (!snapshot.matches('open') || context.transfers.includes(transferId)) return [];
      const work = { complexity, correctness, responseMs, targetMs: responseTargetMs(complexity) };
      const regularity = regularityAt(context.activeDays, at);
      const { earned } = earningFor(work, { regularity, accuracy, uptime });
      if (earned === 0) return [];
      return [
        {
          type: 'CreditsEarned',
          data: {
            transferId,
            amount: earned,
            base: earningFor(work).earned,
            multipliers: {
              contribution: contributionMultiplier(regularity),
              quality: qualityMultiplier(accuracy),
              availability: availabilityMultiplier(uptime),
            },
            contra: 'treasury',
            queryId,
            node,
            at,
          },
        },
      ];
    }
    case 'PassDeadline': {
      const { transferId } = command.data;
      const reservation = context.reservations[transferId];
      if (!reservation || at < reservation.settleBy) return [];
      const { queryId } = reservation;
      return [
        { type: 'SettlementDemanded', data: { transferId, queryId, settleBy: patientlyAfter(at), at } },
      ];
    }
    case 'PenaliseCredits': {
      const { transferId, queryId, node, complexity } = command.data;
      if (!snapshot.matches('open') || context.transfers.includes(transferId)) return [];
      const { penalty } = earningFor({
        complexity,
        correctness: 0,
        responseMs: 0,
        targetMs: responseTargetMs(complexity),
      });
      const amount = Math.min(penalty, context.available);
      return [
        { type: 'CreditsPenalised', data: { transferId, amount, contra: 'treasury', queryId, node, at } },
      ];
    }
  }
}

function reserve(
  { transferId, request }: Extract<AccountCommand, { type: 'ReserveCredits' }>['data'],
  snapshot: Snapshot,
  at: string,
): readonly AccountEvent[] {
  const { available, transfers, activeDays } = snapshot.context;
  if (transfers.includes(transferId)) return [];
  const { queryId, replyTo } = request;
  const regularity = regularityAt(activeDays, at);
  const { complexity, computeShare } = quote(request.question, request.stakes);
  const amount = priceOf(complexity, computeShare, regularity);
  const refuse = (reason: 'unknown-account' | 'no-credits' | 'too-late'): readonly AccountEvent[] => [
    {
      type: 'ReservationRefused',
      data: { transferId, queryId, reason, needed: amount, available, replyTo, at },
    },
  ];
  if (!snapshot.matches('open')) return refuse('unknown-account');
  if (request.dueAt <= at) return refuse('too-late');
  if (amount > available) return refuse('no-credits');
  return [
    {
      type: 'CreditsReserved',
      data: {
        transferId,
        queryId,
        amount,
        contra: escrowOf(queryId),
        contributor: regularity !== 'none',
        request,
        settleBy: patientlyAfter(request.dueAt),
        at,
      },
    },
  ];
}

function patientlyAfter(time: string): string {
  return later(time, SETTLEMENT_PATIENCE_MS);
}

export function escrowOf(queryId: string): string {
  return `escrow:${queryId}`;
}

/** How regularly the account earned over the seven days that end at `at`. */
function regularityAt(activeDays: readonly string[], at: string): Regularity {
  return regularityOf(activeDays.filter((day) => Date.parse(at) - Date.parse(day) < WEEK_MS).length);
}
