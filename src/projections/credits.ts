import { z } from 'zod';
import { UNITS_PER_CREDIT } from '../actors/account/credits.ts';
import type { AccountEvent } from '../events/account.ts';
import { Id } from '../events/values.ts';
import { idOf, type Projection, type Recorded, type RecordedOf, type Rows } from './projection.ts';
import { NotFoundError, page, paged, pageOf, type RowReader, read } from './read.ts';

export interface AccountRow {
  readonly kind: 'account';
  readonly account: string;
  /** All amounts in units. */
  readonly available: number;
  readonly reserved: number;
  readonly earned: number;
  readonly spent: number;
  readonly penalised: number;
}

export interface TreasuryRow {
  readonly kind: 'treasury';
  /** Granted and earned credits count as negative, spent and penalised ones as positive. */
  readonly balance: number;
}

export interface EscrowRow {
  readonly kind: 'escrow';
  readonly balance: number;
}

/** Sums over all rows. Their total is always 0 (the trial balance). */
export interface TotalsRow {
  readonly kind: 'totals';
  readonly accounts: number;
  readonly treasury: number;
  readonly escrow: number;
}

export type CreditRow = AccountRow | TreasuryRow | EscrowRow | TotalsRow;

/** How an entry changes the balances, in units. The sum of the three is 0. */
export interface Movement {
  readonly account: number;
  readonly treasury: number;
  readonly escrow: number;
}

/** A movement, and what the entry adds to the account's sums. */
interface Entry extends Movement {
  readonly earned?: number;
  readonly spent?: number;
  readonly penalised?: number;
}

/** Double-entry book-keeping by type of event. Other events of an account move nothing. */
const ENTRIES: { readonly [Type in AccountEvent['type']]?: (data: RecordedOf<Type>['data']) => Entry } = {
  CreditsGranted: ({ amount }) => move(amount, -amount, 0),
  CreditsEarned: ({ amount }) => ({ ...move(amount, -amount, 0), earned: amount }),
  CreditsPenalised: ({ amount }) => ({ ...move(-amount, amount, 0), penalised: amount }),
  CreditsReserved: ({ amount }) => move(-amount, 0, amount),
  CreditsSettled: ({ spent, returned }) => ({ ...move(returned, spent, -(spent + returned)), spent }),
  CreditsReleased: ({ amount }) => move(amount, 0, -amount),
};

const NO_TOTALS: TotalsRow = { kind: 'totals', accounts: 0, treasury: 0, escrow: 0 };
const NEW_ACCOUNT = { available: 0, reserved: 0, earned: 0, spent: 0, penalised: 0 };

/** In credits. The sum of the three is 0. */
const Balance = z.object({ accounts: z.number(), treasury: z.number(), escrow: z.number() });

const creditsRead = read({
  name: 'credits',
  description: 'Accounts and the trial balance, in credits',
  input: { account: Id.optional(), ...page },
  output: {
    accounts: z.array(
      z.object({
        account: z.string(),
        available: z.number(),
        reserved: z.number(),
        earned: z.number(),
        spent: z.number(),
        penalised: z.number(),
      }),
    ),
    balance: Balance,
    ...paged,
  },
  answer({ account, after, limit }, reader) {
    const { rows, next } =
      account === undefined
        ? pageOf(reader.rows(credits, { prefix: 'account/', after }), limit)
        : { rows: [[account, knownAccount(account, reader)] as const], next: null };
    return {
      accounts: rows.flatMap(([, row]) => (row.kind === 'account' ? [shownAccount(row)] : [])),
      balance: balanceOf(reader),
      next,
    };
  },
});
export const CreditsOutput = creditsRead.output;

/** Rows `account/<id>`, `escrow/<queryId>` (while credits are held for the query), `treasury` and `totals`. */
export const credits: Projection<CreditRow> = {
  name: 'credits',
  version: 1,
  on: Object.fromEntries(Object.keys(ENTRIES).map((type) => [type, enter])),
  tables: { credits: '' },
  reads: [creditsRead],
};

/** The movement of an event in double-entry book-keeping; null if it moves nothing. */
export function movementOf(event: AccountEvent | Recorded): Movement | null {
  return entryOf(event) ?? null;
}

/** The trial balance, in credits. */
export function balanceOf(reader: RowReader): z.infer<typeof Balance> {
  const row = reader.row(credits, 'totals');
  const { accounts, treasury, escrow } = row?.kind === 'totals' ? row : NO_TOTALS;
  return { accounts: inCredits(accounts), treasury: inCredits(treasury), escrow: inCredits(escrow) };
}

function enter(event: Recorded, rows: Rows<CreditRow>): void {
  const entry = entryOf(event);
  if (!entry) return;
  const id = idOf(event.stream, 'credit');
  enterInAccount(`account/${id}`, id, entry, rows);
  const before = rows.get('totals');
  const totals = before?.kind === 'totals' ? before : NO_TOTALS;
  rows.set('totals', {
    kind: 'totals',
    accounts: totals.accounts + entry.account,
    treasury: totals.treasury + entry.treasury,
    escrow: totals.escrow + entry.escrow,
  });
  if (entry.treasury !== 0) {
    const treasury = rows.get('treasury');
    const balance = treasury?.kind === 'treasury' ? treasury.balance : 0;
    rows.set('treasury', { kind: 'treasury', balance: balance + entry.treasury });
  }
  if (entry.escrow !== 0 && 'queryId' in event.data) {
    const key = `escrow/${event.data.queryId}`;
    const escrow = rows.get(key);
    const balance = (escrow?.kind === 'escrow' ? escrow.balance : 0) + entry.escrow;
    if (balance === 0) rows.delete(key);
    else rows.set(key, { kind: 'escrow', balance });
  }
}

function enterInAccount(key: string, account: string, entry: Entry, rows: Rows<CreditRow>): void {
  const { earned = 0, spent = 0, penalised = 0 } = entry;
  const before = rows.get(key);
  const row = before?.kind === 'account' ? before : { ...NEW_ACCOUNT, account };
  rows.set(key, {
    kind: 'account',
    account,
    available: row.available + entry.account,
    reserved: row.reserved + entry.escrow,
    earned: row.earned + earned,
    spent: row.spent + spent,
    penalised: row.penalised + penalised,
  });
}

function entryOf(event: AccountEvent | Recorded): Entry | undefined {
  if (!Object.hasOwn(ENTRIES, event.type)) return undefined;
  // The type determines the data.
  return ENTRIES[event.type as AccountEvent['type']]?.(event.data as never);
}

function move(account: number, treasury: number, escrow: number): Movement {
  return { account, treasury, escrow };
}

function knownAccount(account: string, reader: RowReader): CreditRow {
  const row = reader.row(credits, `account/${account}`);
  if (row) return row;
  throw new NotFoundError(
    `There is no account "${account}".`,
    'Open it with dellm.accounts.open; it starts with 100 credits.',
  );
}

function shownAccount({ account, available, reserved, earned, spent, penalised }: AccountRow) {
  return {
    account,
    available: inCredits(available),
    reserved: inCredits(reserved),
    earned: inCredits(earned),
    spent: inCredits(spent),
    penalised: inCredits(penalised),
  };
}

function inCredits(units: number): number {
  return units / UNITS_PER_CREDIT;
}
