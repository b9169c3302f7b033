import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type LedgerCommand, ledgerDefinition } from '../../test/support/ledger.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { AppendResult, EventStore, NewEvent } from '../eventstore/port.ts';
import { AppendTooLargeError, EventStoreUnavailableError, StreamDeletedError } from '../eventstore/port.ts';
import { NatsUnavailableError } from '../messaging/errors.ts';
import { type Clock, systemClock } from './clock.ts';
import { Host } from './host.ts';
import { LocalTransport } from './local-transport.ts';
import type { Transport } from './transport.ts';

/** More tries than any limit that the host may have. */
const LONG = 50;

/** A clock on which no delivery waits for its delay. */
const hurried: Clock = { now: Date.now, after: (_ms, task) => systemClock.after(0, task) };

const away = new EventStoreUnavailableError('no answer in time');
const conflict: AppendResult = { outcome: 'conflict', reason: 'WrongExpectedRevision', actual: 0 };
const bug = new Error('nobody foresaw this');

/** The faults. `attempt` counts how often the step was reached, from 1. */
interface Faults {
  append?(attempt: number, stream: string, events: readonly NewEvent[]): undefined | AppendResult | Error;
  read?(attempt: number): undefined | Error;
  publish?(attempt: number): undefined | Error;
  rows?(attempt: number): undefined | Error;
}

/** A host with faults, and what it recorded and gave up in the end. */
class World {
  readonly store: EventStore = createMemoryEventStore();
  readonly transport = new LocalTransport({ clock: hurried });
  readonly deliveries = new Map<string, number>();
  readonly counts = { append: 0, read: 0, publish: 0, rows: 0 };

  constructor(faults: Faults) {
    const { store, counts } = this;
    const raise = (error: undefined | Error): void => {
      if (error) throw error;
    };
    const faulty: EventStore = {
      ...store,
      async append(stream, events, expected) {
        // A turn of the event loop, so that other messages can arrive.
        await nextTurn();
        const met = faults.append?.(++counts.append, stream, events);
        if (met instanceof Error) throw met;
        return met ?? store.append(stream, events, expected);
      },
      async *readStream(stream, options) {
        raise(faults.read?.(++counts.read));
        yield* store.readStream(stream, options);
      },
    };
    const transport: Transport = {
      publish: async (message) => {
        raise(faults.publish?.(++counts.publish));
        await this.transport.publish(message);
      },
      recordDead: (letter) => this.transport.recordDead(letter),
    };
    const host = new Host({
      definitions: [
        {
          ...ledgerDefinition,
          decide(command, snapshot, given) {
            void given.reads;
            return ledgerDefinition.decide(command as LedgerCommand, snapshot, given);
          },
        },
      ],
      store: faulty,
      transport,
      reads: () => raise(faults.rows?.(++counts.rows)),
      startTimer: () => {},
      onLog: () => {},
      clock: hurried,
    });
    this.transport.attach((delivery) => {
      const { messageId = '' } = delivery.headers;
      this.deliveries.set(messageId, delivery.attempt);
      host.receive(delivery);
    });
  }

  deposit(transferId: string): void {
    this.#send({ type: 'Deposit', data: { transferId, amount: 100 } }, transferId);
  }

  /** A transfer from Bob, whose account gets a confirmation. */
  receive(transferId: string): void {
    this.#send({ type: 'Receive', data: { transferId, from: 'bob', amount: 1, attempt: 0 } }, transferId);
  }

  #send(command: LedgerCommand, messageId: string): void {
    const ids = { messageId, correlationId: messageId, causationId: messageId };
    this.transport.send({ kind: 'account', id: 'ann' }, command, ids);
  }

  /** Resolves when every message was acknowledged or given up. */
  async end() {
    await this.transport.emptied();
    const events: string[] = [];
    for await (const { type, data } of this.store.readAll({ prefixes: ['credit-'] })) {
      events.push(`${type} ${data.transferId}`);
    }
    return { events, dead: this.transport.deadLetters.map(({ reason }) => reason) };
  }
}

describe('a fault that passes', () => {
  const until =
    <T>(fault: T) =>
    (attempt: number): T | undefined =>
      attempt <= LONG ? fault : undefined;
  const cases: [string, Faults][] = [
    ['the store accepts nothing', { append: until(away) }],
    ['the store answers no read', { read: until(away) }],
    ['another owner always writes first', { append: until(conflict) }],
    ['the broker accepts nothing', { publish: until(new NatsUnavailableError('no answer in time')) }],
    // Its event is recorded: if the message were given up, the effect would never go out.
    ['the broker refuses an effect', { publish: until(bug) }],
  ];

  it.each(cases)('is retried without limit: %s', async (_what, faults) => {
    const world = new World(faults);
    world.receive('bob.1');
    expect(await world.end()).toEqual({ events: ['Received bob.1', 'Confirmed bob.1'], dead: [] });
    expect(Math.max(...world.deliveries.values())).toBeGreaterThan(LONG / 5);
  });
});

describe('an unforeseen fault', () => {
  const cases: [string, Faults, string][] = [
    ['the store refuses an append', { append: () => bug }, 'nobody foresaw this'],
    ['the store refuses a read', { read: () => bug }, 'nobody foresaw this'],
    ['the rows cannot be read', { rows: () => bug }, 'RowsUnreadableError: for Deposit: nobody foresaw this'],
  ];

  it.each(cases)('is tried three times and no more: %s', async (_what, faults, reason) => {
    const world = new World(faults);
    world.deposit('d');
    const { events, dead } = await world.end();
    expect(events).toEqual([]);
    expect(dead).toEqual([expect.stringContaining(reason)]);
    expect(world.deliveries.get('d')).toBe(3);
  });

  it.each([1, 2])('does no harm when it happens %i times', async (times) => {
    const world = new World({ append: (attempt) => (attempt <= times ? bug : undefined) });
    world.deposit('d');
    expect(await world.end()).toEqual({ events: ['Deposited d', 'DepositStamped d'], dead: [] });
    expect(world.deliveries.get('d')).toBe(times + 1);
  });

  it('is counted separately: a message that waited long for the store still has all its tries', async () => {
    const world = new World({
      append(attempt) {
        if (attempt <= LONG) return away;
        return attempt <= LONG + 2 ? bug : undefined;
      },
    });
    world.deposit('d');
    expect(await world.end()).toEqual({ events: ['Deposited d', 'DepositStamped d'], dead: [] });
  });

  it('harms no other message that shares the append', async () => {
    const sizes: number[] = [];
    const world = new World({
      append(_attempt, _stream, events) {
        sizes.push(events.length);
        return events.some(({ data }) => data.transferId === 'bad') ? bug : undefined;
      },
    });
    for (const transferId of ['first', 'good', 'bad', 'better']) world.deposit(transferId);
    const { events, dead } = await world.end();
    expect(Math.max(...sizes)).toBeGreaterThan(2);
    expect(events.filter((event) => event.startsWith('Deposited'))).toEqual(
      expect.arrayContaining(['Deposited first', 'Deposited good', 'Deposited better']),
    );
    expect(dead).toHaveLength(1);
    expect(Object.fromEntries(world.deliveries)).toEqual({ first: 1, good: 1, bad: 3, better: 1 });
  });
});

describe('a message that can never succeed', () => {
  const cases: [string, Faults][] = [
    ['its events are too large for the store', { append: (_, stream) => new AppendTooLargeError(stream, 1) }],
    ['the stream was deleted', { append: (_, stream) => new StreamDeletedError(stream) }],
    ['the stream was deleted, and says so when it is read', { read: () => new StreamDeletedError('s') }],
  ];

  it.each(cases)('is given up at once: %s', async (_what, faults) => {
    const world = new World(faults);
    world.deposit('d');
    const { events, dead } = await world.end();
    expect(events).toEqual([]);
    expect(dead).toHaveLength(1);
    expect(world.deliveries.get('d')).toBe(1);
  });
});
