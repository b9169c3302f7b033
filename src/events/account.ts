import { z } from 'zod';
import type { Deadlines, WaitOf } from './deadline.ts';
import { Complexity, Fraction, Id, Instant, type Parsed, Stakes, Text, Units } from './values.ts';

/**
 * Stream `credit-<account>`. Each event is a balanced entry that names its contra account; treasury and escrow are
 * projections. Amounts are in units (1 credit = 1,000,000 units).
 */
export type AccountEvent =
  | { readonly type: 'CreditsGranted'; readonly data: CreditsGranted }
  | { readonly type: 'CreditsReserved'; readonly data: CreditsReserved }
  | { readonly type: 'ReservationRefused'; readonly data: ReservationRefused }
  | { readonly type: 'CreditsSettled'; readonly data: CreditsSettled }
  | { readonly type: 'CreditsReleased'; readonly data: CreditsReleased }
  | { readonly type: 'SettlementDemanded'; readonly data: SettlementDemanded }
  | { readonly type: 'CreditsEarned'; readonly data: CreditsEarned }
  | { readonly type: 'CreditsPenalised'; readonly data: CreditsPenalised };

/** treasury → account */
export interface CreditsGranted {
  readonly transferId: string;
  readonly amount: number;
  readonly contra: 'treasury';
  readonly reason: 'welcome';
  readonly at: string;
}

/**
 * account → escrow:<queryId>. It carries the question, so that every asked question is covered by a
 * reservation.
 */
export interface CreditsReserved {
  readonly transferId: string;
  readonly queryId: string;
  readonly amount: number;
  readonly contra: string;
  readonly contributor: boolean;
  readonly request: AskRequest;
  /** When the account asks the query for its ending, unless the reservation has ended by then. */
  readonly settleBy: string;
  readonly at: string;
}

export interface ReservationRefused {
  readonly transferId: string;
  readonly queryId: string;
  readonly reason: 'unknown-account' | 'no-credits' | 'too-late';
  readonly needed: number;
  readonly available: number;
  readonly replyTo: string | null;
  readonly at: string;
}

/** escrow:<queryId> → treasury (`spent`) and → account (`returned`). The sum of both is the reserved amount. */
export interface CreditsSettled {
  readonly transferId: string;
  readonly queryId: string;
  readonly spent: number;
  readonly returned: number;
  readonly contra: string;
  readonly at: string;
}

/** escrow:<queryId> → account: the whole amount. */
export interface CreditsReleased {
  readonly transferId: string;
  readonly queryId: string;
  readonly amount: number;
  readonly contra: string;
  readonly reason: string;
  readonly at: string;
}

/**
 * A reservation is still open at `settleBy`: the account asks the query for its ending, and again at the new
 * `settleBy`. Moves no credits.
 */
export interface SettlementDemanded {
  readonly transferId: string;
  readonly queryId: string;
  readonly settleBy: string;
  readonly at: string;
}

/** treasury → account, for correct work: `base` by the earning formula, times the multipliers. */
export interface CreditsEarned {
  readonly transferId: string;
  readonly amount: number;
  readonly base: number;
  readonly multipliers: {
    readonly contribution: number;
    readonly quality: number;
    readonly availability: number;
  };
  readonly contra: 'treasury';
  readonly queryId: string;
  readonly node: string;
  readonly at: string;
}

/** account → treasury, for wrong work. Never more than the account has available. */
export interface CreditsPenalised {
  readonly transferId: string;
  readonly amount: number;
  readonly contra: 'treasury';
  readonly queryId: string;
  readonly node: string;
  readonly at: string;
}

/** A question that goes to its query through the account. */
export const AskRequest = z.strictObject({
  queryId: Id,
  question: Text,
  stakes: Stakes,
  /** NATS subject that gets the ending; null if nobody waits. */
  replyTo: z.string().max(256).nullable(),
  /** When the asker stops waiting. The query has ended by then. */
  dueAt: Instant,
});
export type AskRequest = Parsed<typeof AskRequest>;

const OpenAccount = z.strictObject({ account: Id });

const ReserveCredits = z.strictObject({
  /**
   * Unique to this request: if a queryId is asked twice, there are two reservations, and one of them is
   * released.
   */
  transferId: Id,
  account: Id,
  request: AskRequest,
});

const SettleCredits = z.strictObject({ transferId: Id, queryId: Id, spent: Units });

const ReleaseCredits = z.strictObject({ transferId: Id, queryId: Id, reason: z.string().max(200) });

const EarnCredits = z.strictObject({
  transferId: Id,
  queryId: Id,
  node: Id,
  complexity: Complexity,
  correctness: Fraction,
  responseMs: z.number().min(0),
  /** Share of the node's judged answers that were right, if it has enough of them. */
  accuracy: Fraction.nullable(),
  /** Share of the time in which the device was available. */
  uptime: Fraction,
});

const PenaliseCredits = z.strictObject({ transferId: Id, queryId: Id, node: Id, complexity: Complexity });

export const AccountCommand = z.discriminatedUnion('type', [
  z.object({ type: z.literal('OpenAccount'), data: OpenAccount }),
  z.object({ type: z.literal('ReserveCredits'), data: ReserveCredits }),
  z.object({ type: z.literal('SettleCredits'), data: SettleCredits }),
  z.object({ type: z.literal('ReleaseCredits'), data: ReleaseCredits }),
  z.object({ type: z.literal('EarnCredits'), data: EarnCredits }),
  z.object({ type: z.literal('PenaliseCredits'), data: PenaliseCredits }),
  z.object({ type: z.literal('PassDeadline'), data: z.strictObject({ transferId: Id }) }),
]);
export type AccountCommand = Parsed<typeof AccountCommand>;

/** Each reservation waits for the ending of its query. */
export const ACCOUNT_DEADLINES: Deadlines<AccountEvent, AccountCommand> = {
  opens: { CreditsReserved: settlement, SettlementDemanded: settlement },
  meets: {
    CreditsSettled: ({ transferId }) => transferId,
    CreditsReleased: ({ transferId }) => transferId,
  },
  meetsAll: [],
};

function settlement({ transferId, settleBy }: CreditsReserved | SettlementDemanded): WaitOf<AccountCommand> {
  return { key: transferId, dueAt: settleBy, data: { transferId } };
}
