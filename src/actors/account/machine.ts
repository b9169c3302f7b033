import { assertEvent, assign, setup } from 'xstate';
import type { AccountEvent } from '../../events/account.ts';
import { type RecentKeys, remember } from '../recent.ts';
import { changed } from '../records.ts';

/** How many transfers an account remembers by key. */
const REMEMBERED_TRANSFERS = 2048;

/** The number of days that count for the contribution multiplier. */
const CONTRIBUTION_DAYS = 7;

export interface Reservation {
  readonly queryId: string;
  readonly amount: number;
  readonly settleBy: string;
}

export interface AccountContext {
  readonly account: string;
  /** Units that can be reserved. Never negative. */
  readonly available: number;
  /** Units in escrow, by transferId of the reservation. */
  readonly reservations: Readonly<Record<string, Reservation>>;
  readonly transfers: RecentKeys;
  /** The last days (YYYY-MM-DD, UTC) on which the account earned, oldest first. */
  readonly activeDays: readonly string[];
}

/**
 * An account: closed until the welcome grant, then open. Open, its credits are free, or some are held in
 * escrow.
 */
export const accountMachine = setup({
  types: {
    context: {} as AccountContext,
    events: {} as AccountEvent,
    input: {} as { id: string },
  },
  guards: {
    isLastReservation: ({ context, event }) =>
      Object.keys(context.reservations).every((key) => key === event.data.transferId),
  },
  actions: {
    grant: assign(({ context, event }) => {
      assertEvent(event, 'CreditsGranted');
      return { available: context.available + event.data.amount };
    }),
    reserve: assign(({ context, event }) => {
      assertEvent(event, 'CreditsReserved');
      const { transferId, queryId, amount, settleBy } = event.data;
      return {
        available: context.available - amount,
        reservations: { ...context.reservations, [transferId]: { queryId, amount, settleBy } },
      };
    }),
    giveBack: assign(({ context, event }) => {
      assertEvent(event, ['CreditsSettled', 'CreditsReleased']);
      const { [event.data.transferId]: _ended, ...reservations } = context.reservations;
      const returned = event.type === 'CreditsSettled' ? event.data.returned : event.data.amount;
      return { available: context.available + returned, reservations };
    }),
    demand: assign(({ context, event }) => {
      assertEvent(event, 'SettlementDemanded');
      const { transferId, settleBy } = event.data;
      return { reservations: changed(context.reservations, transferId, () => ({ settleBy })) };
    }),
    earn: assign(({ context, event }) => {
      assertEvent(event, 'CreditsEarned');
      const day = event.data.at.slice(0, 10);
      const days = context.activeDays.filter((other) => other !== day);
      return {
        available: context.available + event.data.amount,
        activeDays: [...days, day].slice(-CONTRIBUTION_DAYS),
      };
    }),
    forfeit: assign(({ context, event }) => {
      assertEvent(event, 'CreditsPenalised');
      return { available: context.available - event.data.amount };
    }),
    rememberTransfer: assign(({ context, event }) => ({
      transfers: remember(context.transfers, event.data.transferId, REMEMBERED_TRANSFERS),
    })),
  },
}).createMachine({
  id: 'account',
  context: ({ input }) => ({
    account: input?.id ?? '',
    available: 0,
    reservations: {},
    transfers: [],
    activeDays: [],
  }),
  initial: 'closed',
  on: { ReservationRefused: { actions: 'rememberTransfer' } },
  states: {
    closed: {
      on: { CreditsGranted: { target: 'open', actions: ['grant', 'rememberTransfer'] } },
    },
    open: {
      initial: 'free',
      on: {
        CreditsReserved: { target: '.holding', actions: ['reserve', 'rememberTransfer'] },
        CreditsEarned: { actions: ['earn', 'rememberTransfer'] },
        CreditsPenalised: { actions: ['forfeit', 'rememberTransfer'] },
      },
      states: {
        free: {},
        holding: {
          on: {
            SettlementDemanded: { actions: 'demand' },
            CreditsSettled: [
              { guard: 'isLastReservation', target: 'free', actions: 'giveBack' },
              { actions: 'giveBack' },
            ],
            CreditsReleased: [
              { guard: 'isLastReservation', target: 'free', actions: 'giveBack' },
              { actions: 'giveBack' },
            ],
          },
        },
      },
    },
  },
});
