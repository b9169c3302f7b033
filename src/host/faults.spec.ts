import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type LedgerCommand, ledgerDefinition } from '../../test/support/ledger.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { AppendResult, EventStore, NewEvent } from '../eventstore/port.ts';
import { AppendTooLargeError, EventStoreUnavailableError, StreamDeletedError } from '../eventstore/port.ts';
import { NatsUnavailableError } from '../messaging/errors.ts';
import { type Clock, systemClock } from './clock.ts';
import { Host, type HostOptions } from './host.ts';
import { LocalTransport } from './local-transport.ts';
import { RECENT_COUNT, RECENT_MS } from './recent.ts';
import { SNAPSHOT_EVERY } from './snapshots.ts';
import type { Outgoing } from './transport.ts';

/** More tries than any limit that the host may have. */
const LONG = 50;

/** A clock on which no delivery waits for its delay. */
class HurriedClock implements Clock {
  /** The longest delay that was asked for, in milliseconds. */
  longest = 0;
  #skipped = 0;
  readonly now = (): number => Date.now() + this.#skipped;
  after(ms: number, task: () => void): () => void {
    this.longest = Math.max(this.longest, ms);
    return systemClock.after(0, task);
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}

const away = new EventStoreUnavailableError('no answer in time');
const conflict: AppendResult = { outcome: 'conflict', reason: 'WrongExpectedRevision', actual: 0 };
const bug = new Error('nobody foresaw this');
const forever = new Promise<never>(() => {});

/** The faults. `attempt` counts how often the step was reached, from 1. */
interface Faults {
  append?(attempt: number, stream: string, events: readonly NewEvent[]): undefined | AppendResult | Error;
  read?(attempt: number): undefined | Error;
  publish?(attempt: number, message: Outgoing): undefined | Error;
  rows?(attempt: number): undefined | Error;
}

/** A host with faults, and what it recorded and gave up in the end. */
class World {
  readonly clock = new HurriedClock();
  readonly store: EventStore = createMemoryEventStore({ now: this.clock.now });
  readonly transport = new LocalTransport({ clock: this.clock });
  readonly deliveries = new Map<string, number>();
  readonly counts = { append: 0, read: 0, publish: 0, rows: 0 };

  readonly #faults: Faults;
  #owner = 0;

  constructor(faults: Faults) {
    this.#faults = faults;
    this.startOwner();
  }

  /** Starts a host that takes over everything. The one before it does nothing from now on. */
  startOwner(): void {
    this.#owner += 1;
    const me = this.#owner;
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
      ...this.#faulty(() => this.#owner === me),
      startTimer: () => {},
      onLog: () => {},
      clock: this.clock,
    });
    this.transport.attach((delivery) => {
      const { messageId = '' } = delivery.headers;
      this.deliveries.set(messageId, delivery.attempt);
      host.receive(delivery);
    });
  }

  #faulty(isOwner: () => boolean): Pick<HostOptions, 'store' | 'transport' | 'reads'> {
    const { store, counts } = this;
    const faults = this.#faults;
    const raise = (error: undefined | Error): void => {
      if (error) throw error;
    };
    return {
      store: {
        ...store,
        async append(stream, events, expected) {
          // A turn of the event loop, so that other messages can arrive.
          await nextTurn();
          if (!isOwner()) return forever;
          const met = faults.append?.(++counts.append, stream, events);
          if (met instanceof Error) throw met;
          return met ?? store.append(stream, events, expected);
        },
        async *readStream(stream, options) {
          raise(faults.read?.(++counts.read));
          yield* store.readStream(stream, options);
        },
      },
      transport: {
        publish: async (message) => {
          if (!isOwner()) return forever;
          raise(faults.publish?.(++counts.publish, message));
          await this.transport.publish(message);
        },
        recordDead: (letter) => this.transport.recordDead(letter),
      },
      reads: () => raise(faults.rows?.(++counts.rows)),
    };
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

  async events(): Promise<string[]> {
    const events: string[] = [];
    for await (const { type, data } of this.store.readAll({ prefixes: ['credit-'] })) {
      events.push(`${type} ${data.transferId}`);
    }
    return events;
  }

  async recorded(event: string): Promise<void> {
    await expect.poll(() => this.events(), { interval: 5 }).toContain(event);
  }

  /** Resolves when every message was acknowledged or given up. */
  async end() {
    await this.transport.emptied();
    return { events: await this.events(), dead: this.transport.deadLetters.map(({ reason }) => reason) };
  }
}

describe('a fault that passes', () => {
  const until =
    <T>(fault: T, times = LONG) =>
    (attempt: number): T | undefined =>
      attempt <= times ? fault : undefined;
  const cases: [string, Faults][] = [
    ['the store accepts nothing', { append: until(away) }],
    ['the store answers no read', { read: until(away) }],
    // Each delivery appends four times.
    ['another owner always writes first', { append: until(conflict, 4 * LONG) }],
    ['the broker accepts nothing', { publish: until(new NatsUnavailableError('no answer in time')) }],
    // Its event is recorded: if the message were given up, the effect would never go out.
    ['the broker refuses an effect', { publish: until(bug) }],
    // The second read is that of the recorded events, whose effects are published again.
    [
      'the broker refuses an effect once, and then its event cannot be read',
      {
        publish: (attempt) => (attempt === 1 ? bug : undefined),
        read: (attempt) => (attempt > 1 ? until(bug)(attempt) : undefined),
      },
    ],
  ];

  it.each(cases)('is retried without limit: %s', async (_what, faults) => {
    const world = new World(faults);
    world.receive('bob.1');
    expect(await world.end()).toEqual({ events: ['Received bob.1', 'Confirmed bob.1'], dead: [] });
    expect(Math.max(...world.deliveries.values())).toBeGreaterThanOrEqual(LONG / 4);
  });
});

describe('an effect that is refused for long', () => {
  const takeOver = (world: World) => world.startOwner();
  const owners: [string, number, (world: World) => void][] = [
    ['its owner', 0, () => {}],
    ['the next owner', 0, takeOver],
    ['the next owner, when it is between two snapshots', SNAPSHOT_EVERY, takeOver],
  ];

  it.each(owners)('is published by %s, however much was recorded since', async (_who, before, change) => {
    let refused = true;
    const isEffect = ({ target }: Outgoing) => target.kind === 'command' && target.to.id === 'bob';
    const world = new World({
      publish: (_attempt, message) => (refused && isEffect(message) ? bug : undefined),
    });
    for (let i = 0; i < before; i += 1) world.deposit(`before${i}`);
    world.receive('bob.1');
    await world.recorded('Received bob.1');
    world.clock.skip(RECENT_MS);
    for (let i = 0; i <= RECENT_COUNT; i += 1) world.deposit(`d${i}`);
    await world.recorded(`Deposited d${RECENT_COUNT}`);
    world.clock.skip(RECENT_MS + 1);
    world.deposit('last');
    await world.recorded('Deposited last');
    change(world);
    refused = false;
    const { events, dead } = await world.end();
    expect(dead).toEqual([]);
    expect(events).toContain('Confirmed bob.1');
    expect(new Set(events).size).toBe(events.length);
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
    // A store that restarts refuses its users for some seconds.
    expect(world.clock.longest).toBe(30_000);
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
