import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LedgerCommand, ledgerDefinition } from '../../test/support/ledger.ts';
import { verifyChain } from '../events/envelope.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { Host } from './host.ts';
import { LocalTransport } from './local-transport.ts';
import type { Outgoing, Transport } from './transport.ts';

/** The steps that have an effect outside the process. It can die right before or right after each of them. */
const STEPS = ['append', 'publish', 'ack'] as const;
interface Crash {
  readonly step: (typeof STEPS)[number];
  readonly when: 'before' | 'after';
  /** The call of this step at which it dies, counted from 0. */
  readonly call: number;
}

const forever = new Promise<never>(() => {});

/**
 * A network of two accounts. Its host dies at the given places, one after another, and is started again each
 * time.
 */
async function surviveCrashes(crashes: readonly Crash[], commands: readonly [string, LedgerCommand][]) {
  const store: EventStore = createMemoryEventStore();
  const replies: Outgoing[] = [];
  const transport = new LocalTransport({ onMessage: (message) => replies.push(message) });
  let died = 0;

  /** Starts a process that dies at most once. After that, nothing that it does has an effect. */
  function start(crash: Crash | undefined): void {
    let dead = false;
    const calls = { append: 0, publish: 0, ack: 0 };
    const dies = (step: Crash['step'], when: Crash['when']) => {
      const here = !dead && crash?.step === step && crash.when === when && calls[step] === crash.call;
      if (here) {
        dead = true;
        died += 1;
        setImmediate(() => start(crashes[died]));
      }
      return dead;
    };
    async function during<T>(step: 'append' | 'publish', work: () => Promise<T>): Promise<T> {
      if (dead || dies(step, 'before')) return forever;
      const result = await work();
      if (dies(step, 'after')) return forever;
      calls[step] += 1;
      return result;
    }
    const mortalStore: EventStore = {
      ...store,
      append: (...args) => during('append', () => store.append(...args)),
    };
    const mortalTransport: Transport = {
      publish: (message) => during('publish', () => transport.publish(message)),
      recordDead: (letter) => (dead ? forever : transport.recordDead(letter)),
    };
    const host = new Host({
      definitions: [ledgerDefinition],
      store: mortalStore,
      transport: mortalTransport,
      reads: () => null,
      startTimer: () => {},
      onLog: () => {},
    });
    transport.attach((delivery) => {
      if (dead) return;
      host.receive({
        ...delivery,
        ack: () => {
          if (dead || dies('ack', 'before')) return;
          delivery.ack();
          dies('ack', 'after');
          calls.ack += 1;
        },
      });
    });
  }

  start(crashes[0]);
  for (const [index, [id, command]] of commands.entries()) {
    const messageId = `m${index}`;
    transport.send({ kind: 'account', id }, command, {
      messageId,
      correlationId: messageId,
      causationId: messageId,
    });
  }
  await transport.emptied();
  const events: StoredEvent[] = [];
  for await (const event of store.readAll({ prefixes: ['credit-'] })) events.push(event);
  return { events, replies, died, deadLetters: transport.deadLetters };
}

const commands: readonly [string, LedgerCommand][] = [
  ['ann', { type: 'Deposit', data: { transferId: 'd1', amount: 100 } }],
  ['ann', { type: 'Send', data: { transferId: 'ann.1', to: 'bob', amount: 10 } }],
  ['bob', { type: 'Deposit', data: { transferId: 'd2', amount: 100 } }],
  ['bob', { type: 'Send', data: { transferId: 'bob.1', to: 'ann', amount: 20 } }],
];

const expected = [
  'credit-ann Confirmed ann.1',
  'credit-ann DepositStamped d1',
  'credit-ann Deposited d1',
  'credit-ann Received bob.1',
  'credit-ann Sent ann.1',
  'credit-bob Confirmed bob.1',
  'credit-bob DepositStamped d2',
  'credit-bob Deposited d2',
  'credit-bob Received ann.1',
  'credit-bob Sent bob.1',
];

async function expectAllOnce(result: Awaited<ReturnType<typeof surviveCrashes>>): Promise<void> {
  const happened = result.events.map((event) => `${event.stream} ${event.type} ${event.data.transferId}`);
  expect(happened.sort()).toEqual(expected);
  expect(new Set(result.replies.map((reply) => reply.messageId)).size).toBe(2);
  expect(result.deadLetters).toEqual([]);
  expect(await verifyChain(result.events)).toEqual({ ok: true, events: expected.length });
}

describe('a host that dies', () => {
  const places = STEPS.flatMap((step) =>
    (['before', 'after'] as const).flatMap((when) =>
      Array.from({ length: 4 }, (_, call): Crash => ({ step, when, call })),
    ),
  );

  it.each(places)('$when its $step number $call loses nothing and does nothing twice', async (crash) => {
    const result = await surviveCrashes([crash], commands);
    expect(result.died).toBe(1);
    await expectAllOnce(result);
  });

  it('again and again, at any places, loses nothing and does nothing twice', async () => {
    const place: fc.Arbitrary<Crash> = fc.record({
      step: fc.constantFrom(...STEPS),
      when: fc.constantFrom('before' as const, 'after' as const),
      call: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(place, { maxLength: 8 }), async (crashes) => {
        await expectAllOnce(await surviveCrashes(crashes, commands));
      }),
      { numRuns: 150 },
    );
  });
});
