import type { AccountEvent } from '../events/account.ts';
import { idOf, type Projection, type Recorded } from './projection.ts';

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
  /** Negative by what has been granted and earned, less what was spent. */
  readonly balance: number;
}

export interface EscrowRow {
  readonly kind: 'escrow';
  readonly balance: number;
}

/** Sums over all rows: together they are zero at every position (the trial balance). */
export interface TotalsRow {
  readonly kind: 'totals';
  readonly accounts: number;
  readonly treasury: number;
  readonly escrow: number;
}

export type CreditRow = AccountRow | TreasuryRow | EscrowRow | TotalsRow;

/** What an entry moves, in units; the three sum to zero. */
export interface Movement {
  readonly account: number;
  readonly treasury: number;
  readonly escrow: number;
}

/** Rows `account/<id>`, `escrow/<queryId>` (while it holds something), `treasury` and `totals`. */
export const credits: Projection<CreditRow> = {
  name: 'credits',
  version: 1,
  resident: true,
  types: [
    'CreditsGranted',
    'CreditsEarned',
    'CreditsPenalised',
    'CreditsReserved',
    'CreditsSettled',
    'CreditsReleased',
  ],
  keys(event) {
    const movement = movementOf(event);
    if (!movement) return [];
    const keys = [`account/${idOf(event.stream, 'credit')}`, 'totals'];
    if (movement.treasury !== 0) keys.push('treasury');
    if (movement.escrow !== 0 && 'queryId' in event.data) keys.push(`escrow/${event.data.queryId}`);
    return keys;
  },
  fold(row, event, key) {
    const movement = movementOf(event);
    if (!movement) return row;
    if (key === 'treasury') {
      const balance = row?.kind === 'treasury' ? row.balance : 0;
      return { kind: 'treasury', balance: balance + movement.treasury };
    }
    if (key === 'totals') {
      const totals = row?.kind === 'totals' ? row : { accounts: 0, treasury: 0, escrow: 0 };
      return {
        kind: 'totals',
        accounts: totals.accounts + movement.account,
        treasury: totals.treasury + movement.treasury,
        escrow: totals.escrow + movement.escrow,
      };
    }
    if (key.startsWith('escrow/')) {
      const balance = (row?.kind === 'escrow' ? row.balance : 0) + movement.escrow;
      return balance === 0 ? undefined : { kind: 'escrow', balance };
    }
    return foldAccount(
      row?.kind === 'account' ? row : newAccount(idOf(event.stream, 'credit')),
      event,
      movement,
    );
  },
};

/** The entry as double-entry book-keeping, or null where the event moves nothing. */
export function movementOf(event: AccountEvent | Recorded): Movement | null {
  switch (event.type) {
    case 'CreditsGranted':
    case 'CreditsEarned':
      return move(event.data.amount, -event.data.amount, 0);
    case 'CreditsPenalised':
      return move(-event.data.amount, event.data.amount, 0);
    case 'CreditsReserved':
      return move(-event.data.amount, 0, event.data.amount);
    case 'CreditsSettled': {
      const { spent, returned } = event.data;
      return move(returned, spent, -(spent + returned));
    }
    case 'CreditsReleased':
      return move(event.data.amount, 0, -event.data.amount);
    default:
      return null;
  }
}

function move(account: number, treasury: number, escrow: number): Movement {
  return { account, treasury, escrow };
}

function newAccount(account: string): AccountRow {
  return { kind: 'account', account, available: 0, reserved: 0, earned: 0, spent: 0, penalised: 0 };
}

function foldAccount(row: AccountRow, event: Recorded, movement: Movement): AccountRow {
  return {
    ...row,
    available: row.available + movement.account,
    reserved: row.reserved + movement.escrow,
    earned: row.earned + (event.type === 'CreditsEarned' ? event.data.amount : 0),
    spent: row.spent + (event.type === 'CreditsSettled' ? event.data.spent : 0),
    penalised: row.penalised + (event.type === 'CreditsPenalised' ? event.data.amount : 0),
  };
}
