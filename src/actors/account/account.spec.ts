import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, START } from '../../../test/support/decider.ts';
import type { AccountCommand, AccountEvent } from '../../events/account.ts';
import { Id } from '../../events/values.ts';
import { movementOf } from '../../projections/credits.ts';
import { STARTING_GRANT } from './credits.ts';
import { account } from './index.ts';
import type { AccountContext } from './machine.ts';

type Subject = Scenario<AccountCommand, AccountEvent>;

const OPEN: AccountCommand = { type: 'OpenAccount', data: { account: 'anna' } };

function reserve(
  transferId: string,
  {
    queryId = 'q1',
    question = 'What is 2 + 2?',
    dueAt = later(10_000),
    stakes = 'normal' as 'normal' | 'high',
    replyTo = '_INBOX.1' as string | null,
  } = {},
): AccountCommand {
  const request = { queryId, question, stakes, replyTo, dueAt };
  return { type: 'ReserveCredits', data: { transferId, account: 'anna', request } };
}

function earn(transferId: string, correctness = 1): AccountCommand {
  return {
    type: 'EarnCredits',
    data: {
      transferId,
      queryId: 'q1',
      node: 'n1',
      complexity: 'simple',
      correctness,
      responseMs: 10,
      accuracy: null,
      uptime: 0.8,
    },
  };
}

function penalise(transferId: string): AccountCommand {
  return { type: 'PenaliseCredits', data: { transferId, queryId: 'q1', node: 'n1', complexity: 'complex' } };
}

function settle(transferId: string, spent: number, queryId = 'q1'): AccountCommand {
  return { type: 'SettleCredits', data: { transferId, queryId, spent } };
}

function release(transferId: string, queryId = 'q1'): AccountCommand {
  return { type: 'ReleaseCredits', data: { transferId, queryId, reason: 'nobody knew' } };
}

function closed(): Subject {
  return new Scenario<AccountCommand, AccountEvent>(account, 'anna');
}

function open(): Subject {
  return closed().when(OPEN);
}

/** Open, with so many units left. */
function withOnly(units: number): Subject {
  const spent = { transferId: 'spent', contra: 'treasury', queryId: 'q0', node: 'n1', at: START } as const;
  return open().given({ type: 'CreditsPenalised', data: { ...spent, amount: STARTING_GRANT - units } });
}

function contextOf(scenario: Subject): AccountContext {
  return scenario.context as AccountContext;
}

describe('an account', () => {
  it('begins with nothing', () => {
    expect(closed().snapshot).toMatchObject({
      value: 'closed',
      context: { account: 'anna', available: 0, reservations: {}, transfers: [], activeDays: [] },
    });
  });

  it('is opened once, with 100 credits', () => {
    const scenario = open();
    expect(scenario.events).toMatchObject([
      {
        type: 'CreditsGranted',
        data: { transferId: 'welcome-anna', amount: 100_000_000, reason: 'welcome' },
      },
    ]);
    expect(scenario.when(OPEN).types).toEqual([]);
  });

  it('has a key for its first transfer, however long its name is', () => {
    const scenario = closed().when({ type: 'OpenAccount', data: { account: 'a'.repeat(64) } });
    expect(scenario.events.map(({ data }) => 'transferId' in data && Id.parse(data.transferId))).toEqual([
      `welcome-${'a'.repeat(56)}`,
    ]);
  });

  it('tells from where credits come and where they go', () => {
    const scenario = open()
      .when(earn('t1'))
      .when(penalise('t2'))
      .when(reserve('r1'))
      .when(settle('r1', 1))
      .when(reserve('r2'))
      .when(release('r2'));
    const moved = scenario.history.map(({ type, data }) => [type, 'contra' in data ? data.contra : null]);
    expect(moved).toEqual([
      ['CreditsGranted', 'treasury'],
      ['CreditsEarned', 'treasury'],
      ['CreditsPenalised', 'treasury'],
      ['CreditsReserved', 'escrow:q1'],
      ['CreditsSettled', 'escrow:q1'],
      ['CreditsReserved', 'escrow:q1'],
      ['CreditsReleased', 'escrow:q1'],
    ]);
  });

  it('remembers every transfer by its key, those that it refused too', () => {
    const late = reserve('r2', { dueAt: START });
    const scenario = open().when(earn('t1')).when(penalise('t2')).when(reserve('r1')).when(late);
    expect(contextOf(scenario).transfers).toEqual(['welcome-anna', 't1', 't2', 'r1', 'r2']);
  });

  it('reserves the price of a question and sends it on', () => {
    const scenario = open().when(reserve('r1'));
    expect(scenario.events).toMatchObject([
      { type: 'CreditsReserved', data: { amount: 750_000, contra: 'escrow:q1', contributor: false } },
    ]);
    expect(scenario.effects).toMatchObject([
      {
        to: { kind: 'query', id: 'q1' },
        command: { data: { account: 'anna', reservationId: 'r1', reserved: 750_000 } },
      },
      { kind: 'timer', dueAt: later(25_000) },
    ]);
    expect(scenario.when(reserve('r1')).types).toEqual([]);
  });

  it('asks the query for its ending when it has heard nothing, and again, until the credits are settled', () => {
    const pass: AccountCommand = { type: 'PassDeadline', data: { transferId: 'r1' } };
    const scenario = open().when(reserve('r1'));
    expect(scenario.when(pass).types).toEqual([]);
    scenario.when(pass, { at: later(25_000) });
    expect(scenario.types).toEqual(['SettlementDemanded']);
    expect(contextOf(scenario).reservations).toEqual({
      r1: { queryId: 'q1', amount: 750_000, settleBy: later(40_000) },
    });
    expect(scenario.effects).toMatchObject([
      { to: { kind: 'query', id: 'q1' }, command: { type: 'ConfirmEnding', data: { reservationId: 'r1' } } },
      { kind: 'timer', dueAt: later(40_000) },
    ]);
    expect(scenario.when(pass, { at: later(25_000) }).types).toEqual([]);
    scenario.when(settle('r1', 750_000));
    expect(scenario.when(pass, { at: later(60_000) }).types).toEqual([]);
  });

  it('asks less of those who contribute', () => {
    const scenario = open().when(earn('t1')).when(reserve('r1'));
    expect(scenario.events[0]?.data).toMatchObject({ amount: 500_000, contributor: true });
  });

  it('asks more where several Nodes must answer because much depends on it', () => {
    const scenario = open().when(reserve('r1', { stakes: 'high' }));
    expect(scenario.events[0]?.data).toMatchObject({ amount: 3_000_000 });
  });

  it('settles what was spent and gives the rest back, once', () => {
    const scenario = open().when(reserve('r1')).when(settle('r1', 250_000));
    expect(scenario.events[0]?.data).toMatchObject({ spent: 250_000, returned: 500_000 });
    expect(contextOf(scenario)).toMatchObject({ available: STARTING_GRANT - 250_000, reservations: {} });
    expect(scenario.when(settle('r1', 250_000)).types).toEqual([]);
    expect(scenario.when(release('r1')).types).toEqual([]);
    expect(scenario.when(reserve('r1')).types).toEqual([]);
  });

  it('never spends more than it reserved, and always from the escrow that holds it', () => {
    const scenario = open()
      .when(reserve('r1'))
      .when(settle('r1', 9_000_000, 'another'));
    expect(scenario.events[0]?.data).toMatchObject({ spent: 750_000, returned: 0, contra: 'escrow:q1' });
    const released = open().when(reserve('r1')).when(release('r1', 'another'));
    expect(released.events[0]?.data).toMatchObject({ queryId: 'q1', contra: 'escrow:q1' });
  });

  it.each([
    ['settled', (id: string, queryId: string) => settle(id, 750_000, queryId), STARTING_GRANT - 750_000],
    ['released', release, STARTING_GRANT],
  ])('keeps two reservations apart that are %s', (_how, end, left) => {
    const scenario = open()
      .when(reserve('r1'))
      .when(reserve('r2', { queryId: 'q2' }))
      .when(end('r1', 'q1'));
    expect(Object.keys(contextOf(scenario).reservations)).toEqual(['r2']);
    expect(contextOf(scenario).available).toBe(left - 750_000);
    expect(scenario.snapshot.value).toEqual({ open: 'holding' });
    expect(scenario.when(end('r2', 'q2')).snapshot.value).toEqual({ open: 'free' });
  });

  it.each([
    [
      'that does not exist',
      closed(),
      reserve('r1'),
      {
        code: 'unknown-account',
        message: 'There is no account "anna". Nothing was asked and nothing was charged.',
        hint: 'Open it first (dellm credits open, or the service dellm.accounts.open); it starts with 100 credits.',
      },
    ],
    [
      'in vain when the time is over',
      open(),
      reserve('r1', { dueAt: START }),
      {
        code: 'too-late',
        message: 'The deadline had passed before the question was accepted. Nothing was charged.',
        hint: 'Ask again, with more time if the network is busy.',
      },
    ],
    [
      'that cannot pay for it',
      withOnly(749_999),
      reserve('r1'),
      {
        code: 'no-credits',
        message:
          'This question costs 0.75 credits and "anna" has 0.749999. Nothing was asked and nothing was charged.',
        hint: 'Lend a device to earn credits, or ask something simpler.',
      },
    ],
  ])('refuses a question to an account %s, and says so', (_what, scenario, command, error) => {
    scenario.when(command);
    expect(scenario.types).toEqual(['ReservationRefused']);
    expect(scenario.effects).toEqual([
      { kind: 'reply', subject: '_INBOX.1', body: { queryId: 'q1', error } },
    ]);
    expect(scenario.when(command).types).toEqual([]);
  });

  it('refuses in silence where nobody waits for a reply', () => {
    const scenario = closed().when(reserve('r1', { replyTo: null }));
    expect(scenario.types).toEqual(['ReservationRefused']);
    expect(scenario.effects).toEqual([]);
  });

  it('gives its last credits for a question', () => {
    const scenario = withOnly(750_000).when(reserve('r1'));
    expect(scenario.types).toEqual(['CreditsReserved']);
    expect(contextOf(scenario).available).toBe(0);
  });

  it('earns for work once, and nothing for worthless work or before it is open', () => {
    const scenario = open().when(earn('t1'));
    expect(scenario.events[0]?.data).toMatchObject({ amount: 1_000_000 });
    expect(scenario.when(earn('t1')).types).toEqual([]);
    expect(scenario.when(earn('t2', 0)).types).toEqual([]);
    expect(closed().when(earn('t1')).types).toEqual([]);
    expect(closed().when(penalise('t1')).types).toEqual([]);
  });

  it('tells nobody of what it earned, was penalised or settled', () => {
    for (const command of [earn('t1'), penalise('t1'), settle('r1', 1), release('r1')]) {
      const scenario = open().when(reserve('r1')).when(command);
      expect([scenario.types.length, scenario.effects]).toEqual([1, []]);
    }
  });

  it('is penalised for wrong work, never below nothing', () => {
    const scenario = withOnly(3_000_000).when(penalise('p1'));
    expect(contextOf(scenario).available).toBe(500_000);
    expect(scenario.when(penalise('p1')).types).toEqual([]);
    expect(contextOf(scenario.when(penalise('p2'))).available).toBe(0);
  });

  it('counts the days of the last week on which it contributed', () => {
    const scenario = open();
    const day = 24 * 3_600_000;
    for (let index = 0; index < 24; index += 1) {
      scenario.when(earn(`t${index}`), { at: later((index * day) / 3) });
    }
    expect(contextOf(scenario).activeDays).toEqual([
      '2026-01-07',
      '2026-01-08',
      '2026-01-09',
      '2026-01-10',
      '2026-01-11',
      '2026-01-12',
      '2026-01-13',
    ]);
    expect(scenario.events[0]?.data).toMatchObject({ multipliers: { contribution: 1.2 } });
  });

  it.each([
    ['2026-01-11T23:59:59.999Z', true],
    ['2026-01-12T00:00:00.000Z', false],
  ])('has contributed on 5 January for the question of %s: %s', (at, contributor) => {
    const scenario = open().when(earn('t1'));
    scenario.when(reserve('r1', { dueAt: '2026-01-20T00:00:00.000Z' }), { at });
    expect(scenario.events[0]?.data).toMatchObject({ contributor });
  });

  it('keeps its books balanced, whatever comes in whatever order', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd');
    const command = fc.oneof(
      fc.constant(OPEN),
      ids.map((id) => reserve(`r-${id}`, { queryId: `q-${id}` })),
      fc.tuple(ids, fc.nat({ max: 2_000_000 })).map(([id, spent]) => settle(`r-${id}`, spent, `q-${id}`)),
      ids.map((id) => release(`r-${id}`, `q-${id}`)),
      fc.tuple(ids, fc.nat({ max: 10 })).map(([id, tenths]) => earn(`t-${id}`, tenths / 10)),
      ids.map((id) => penalise(`t-${id}`)),
      ids.map((id): AccountCommand => ({ type: 'PassDeadline', data: { transferId: `r-${id}` } })),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const scenario = closed();
        for (const one of commands) {
          scenario.when(one, { at: one.type === 'PassDeadline' ? later(60_000) : START });
          expect(contextOf(scenario).available).toBeGreaterThanOrEqual(0);
        }
        let available = 0;
        const escrow = new Map<string, number>();
        const taken = new Map<string, number>();
        for (const event of scenario.history) {
          const movement = movementOf(event);
          if (movement) {
            expect(movement.account + movement.treasury + movement.escrow).toBe(0);
            available += movement.account;
          }
          if (event.type === 'SettlementDemanded') continue;
          const { transferId } = event.data;
          if (event.type === 'CreditsSettled' || event.type === 'CreditsReleased') {
            escrow.set(transferId, (escrow.get(transferId) ?? 0) + (movement?.escrow ?? 0));
            expect(escrow.get(transferId)).toBe(0);
            continue;
          }
          taken.set(transferId, (taken.get(transferId) ?? 0) + 1);
          if (event.type === 'CreditsReserved') escrow.set(transferId, event.data.amount);
        }
        expect([...taken.values()].every((times) => times === 1)).toBe(true);
        expect(contextOf(scenario).available).toBe(available);
        const held = Object.values(contextOf(scenario).reservations);
        expect(held.reduce((sum, one) => sum + one.amount, 0)).toBe(
          [...escrow.values()].reduce((sum, one) => sum + one, 0),
        );
      }),
      { numRuns: 150 },
    );
  });
});
