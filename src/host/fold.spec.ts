import { describe, expect, it } from 'vitest';
import { initialTransition, transition } from 'xstate';
import { type LedgerEvent, ledgerMachine } from '../../test/support/ledger.ts';
import { foldEvent } from './fold.ts';

const EVENTS: readonly LedgerEvent[] = [
  { type: 'Deposited', data: { transferId: 'd', amount: 5, note: '', device: null } },
  { type: 'Sent', data: { transferId: 'a.1', to: 'b', amount: 3, dueAt: '2030-01-01T00:00:00.000Z' } },
  { type: 'Confirmed', data: { transferId: 'a.1' } },
];

describe('folding an event', () => {
  it('gives the same state as XState, and leaves the previous state unchanged', () => {
    let [ours] = initialTransition(ledgerMachine, { id: 'a' });
    let theirs = ours;
    for (const event of EVENTS) {
      const before = JSON.stringify(ours);
      const next = foldEvent(ledgerMachine, ours, event) as typeof ours;
      expect(JSON.stringify(ours)).toBe(before);
      [theirs] = transition(ledgerMachine, theirs, event);
      expect(JSON.stringify(next)).toBe(JSON.stringify(theirs));
      ours = next;
    }
    expect(ours.context).toMatchObject({ balance: 2, unconfirmed: {} });
  });
});
