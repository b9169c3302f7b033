import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LedgerCommand, ledgerDefinition } from '../../test/support/ledger.ts';
import type { ActorDefinition } from '../actors/actor.ts';
import { eventMetadataSchema, type MessageIds, verifyChain } from '../events/envelope.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { EventStoreUnavailableError } from '../eventstore/port.ts';
import { systemClock } from './clock.ts';
import { Host, type HostOptions } from './host.ts';
import { LocalTransport } from './local-transport.ts';
import type { Timer } from './timers.ts';
import type { Outgoing, Transport } from './transport.ts';

const idsOf = (messageId: string): MessageIds => ({
  messageId,
  correlationId: `flow-${messageId}`,
  causationId: messageId,
});
const account = (id: string) => ({ kind: 'account', id }) as const;
const deposit = (transferId: string, amount = 100): LedgerCommand => ({
  type: 'Deposit',
  data: { transferId, amount },
});
const send = (transferId: string, to: string, amount = 10): LedgerCommand => ({
  type: 'Send',
  data: { transferId, to, amount },
});
const misbehave = (how: string, text = ''): LedgerCommand => ({ type: 'Misbehave', data: { how, text } });

/** An account that reads rows before it decides. */
const inquisitive: ActorDefinition = {
  ...ledgerDefinition,
  decide(command, snapshot, given) {
    expect(given.reads).toBeNull();
    return ledgerDefinition.decide(command as LedgerCommand, snapshot, given);
  },
};

class World {
  readonly store: EventStore = createMemoryEventStore();
  readonly published: Outgoing[] = [];
  readonly timers: Timer[] = [];
  readonly log: string[] = [];
  readonly transport = new LocalTransport({ onMessage: (message) => this.published.push(message) });

  host(options: Partial<HostOptions> = {}): Host {
    const host = new Host({
      definitions: [ledgerDefinition],
      store: this.store,
      transport: this.transport,
      reads: () => null,
      startTimer: (timer) => this.timers.push(timer),
      onLog: (level, message) => this.log.push(`${level}: ${message}`),
      ...options,
    });
    this.transport.attach((delivery) => host.receive(delivery));
    return host;
  }

  async events(id: string): Promise<StoredEvent[]> {
    return collect(this.store.readStream(`credit-${id}`));
  }

  async types(id: string): Promise<string[]> {
    return (await this.events(id)).map((event) => event.type);
  }
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('a message', () => {
  it('is decided, appended, followed by its effects and acknowledged', async () => {
    const world = new World();
    world.host();
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    world.transport.send(account('ann'), send('ann.1', 'bob'), idsOf('m2'));
    await world.transport.emptied();
    expect(await world.types('ann')).toEqual(['Deposited', 'DepositStamped', 'Sent', 'Confirmed']);
    expect(await world.types('bob')).toEqual(['Received']);
    expect(world.published.map((message) => message.target)).toEqual([
      { kind: 'reply', subject: '_INBOX.ledger.ann.1' },
    ]);
    expect(world.timers.map((timer) => timer.command)).toEqual([
      { type: 'Remind', data: { transferId: 'ann.1', attempt: 0 } },
    ]);
  });

  it('is known in advance to change nothing if its actor is in memory', async () => {
    const world = new World();
    const host = world.host();
    expect(host.wouldIgnore(account('ann'), deposit('d1'))).toBe(false);
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    await world.transport.emptied();
    await host.settled();
    expect(host.wouldIgnore(account('ann'), deposit('d1'))).toBe(true);
    expect(host.wouldIgnore(account('ann'), deposit('d2'))).toBe(false);
  });

  it('leaves its ids on every event, so that causes can be followed through the actors', async () => {
    const world = new World();
    world.host();
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    world.transport.send(account('ann'), send('ann.1', 'bob'), idsOf('m2'));
    await world.transport.emptied();
    const [, , sent, confirmed] = await world.events('ann');
    const [received] = await world.events('bob');
    const metadata = (event?: StoredEvent) => eventMetadataSchema.parse(event?.metadata);
    expect(metadata(sent)).toMatchObject({ messageId: 'm2', correlationId: 'flow-m2', causationId: 'm2' });
    expect(metadata(received)).toMatchObject({ correlationId: 'flow-m2', causationId: sent?.id });
    expect(metadata(confirmed)).toMatchObject({ correlationId: 'flow-m2', causationId: received?.id });
    expect(await verifyChain(world.store.readAll())).toEqual({ ok: true, events: 5 });
  });

  it('shares one append with all messages that wait for the same actor', async () => {
    const world = new World();
    let appends = 0;
    const store: EventStore = {
      ...world.store,
      append: async (...args) => {
        appends += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return world.store.append(...args);
      },
    };
    world.host({ store });
    for (let i = 0; i < 65; i += 1) world.transport.send(account('ann'), deposit(`d${i}`), idsOf(`m${i}`));
    await world.transport.emptied();
    expect((await world.events('ann')).length).toBe(130);
    // The first message started a batch at once. The other 64 shared one append.
    expect(appends).toBe(2);
  });

  it('gets its device from the subject, and cannot have the id of another sender’s message', async () => {
    const world = new World();
    world.host();
    world.transport.send(account('ann'), deposit('d1'), idsOf('same id'), 'laptop-1');
    world.transport.send(account('ann'), deposit('d2'), idsOf('same id'), 'laptop-2');
    world.transport.send(account('ann'), deposit('d3'), idsOf('same id'));
    await world.transport.emptied();
    const deposits = (await world.events('ann')).filter((event) => event.type === 'Deposited');
    expect(deposits.map((event) => event.data.device)).toEqual(['laptop-1', 'laptop-2', null]);
  });

  it('gets the rows that were read for it, waits while they cannot be read, and does not hold up others', async () => {
    const world = new World();
    let failures = 1;
    world.host({
      definitions: [inquisitive],
      reads: (_kind, command) => {
        const { transferId } = command.data as { transferId?: string };
        if (transferId === 'd1' && failures-- > 0) throw new Error('projection away');
        return null;
      },
    });
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    world.transport.send(account('ann'), deposit('d2'), idsOf('m2'));
    await world.transport.emptied();
    const keys = (await world.events('ann')).map((event) => event.data.transferId);
    expect(keys).toEqual(['d2', 'd2', 'd1', 'd1']);
    expect(world.log[0]).toContain('projection away');
  });
});

describe('a message that can never be processed', () => {
  const cases: [string, string, LedgerCommand | Uint8Array][] = [
    ['is empty', 'not JSON', new Uint8Array()],
    ['is not JSON', 'not JSON', Buffer.from('hello')],
    ['is bad UTF-8', 'not JSON', Uint8Array.of(0x22, 0xff, 0x22)],
    ['is wrong-typed', 'not a command for account', Buffer.from('{"type":"Deposit","data":7}')],
    [
      'is nested too deeply',
      'not a command for account',
      Buffer.from(`${'['.repeat(50_000)}${']'.repeat(50_000)}`),
    ],
    [
      'has a number that is too large',
      'not a command for account',
      Buffer.from('{"type":"Deposit","data":{"transferId":"d","amount":1e400}}'),
    ],
    ['is refused', 'only 200 of 999 coins', send('ann.9', 'bob', 999)],
    ['meets a bug', 'a bug in decide', misbehave('throw')],
    ['leads to an event that the machine does not know', 'cannot take Unknown', misbehave('unknown event')],
    ['leads to an event that the machine does not allow', 'cannot take Sent', misbehave('guarded event')],
    ['leads to data that is not JSON', 'not JSON', misbehave('no JSON')],
    ['leads to an effect that makes no sense', 'not a time that a timer can wait for', misbehave('no time')],
    ['leads to an event that is too large for the store', 'AppendTooLarge', misbehave('huge', 'h1')],
  ];

  it.each(cases)('because it %s is recorded and ended, and harms no other', async (_name, reason, bad) => {
    const world = new World();
    world.host();
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    if (bad instanceof Uint8Array) world.transport.sendRaw(account('ann'), bad, idsOf('bad'));
    else world.transport.send(account('ann'), bad, idsOf('bad'));
    world.transport.send(account('ann'), deposit('d2'), idsOf('m2'));
    // The refusal needs the sum of both deposits.
    await world.transport.emptied();
    expect(world.transport.deadLetters).toHaveLength(1);
    expect(world.transport.deadLetters[0]).toMatchObject({ kind: 'account', id: 'ann' });
    expect(world.transport.deadLetters[0]?.reason).toContain(reason.replace('200', '100'));
    expect((await world.types('ann')).filter((type) => type === 'Deposited')).toHaveLength(2);
    expect(await verifyChain(world.store.readAll())).toMatchObject({ ok: true });
  });

  it('because its kind is unknown, or it has no id, is recorded and ended', async () => {
    const world = new World();
    world.host();
    const noIds = { messageId: undefined, correlationId: undefined, causationId: undefined };
    world.transport.sendRaw({ kind: 'goblin', id: 'g' }, Buffer.from('{}'), idsOf('m1'));
    world.transport.sendRaw(account('ann'), Buffer.from('{}'), noIds);
    await world.transport.emptied();
    expect(world.transport.deadLetters.map((letter) => letter.reason)).toEqual([
      'There is no actor of kind "goblin".',
      expect.stringContaining('needs an id'),
    ]);
  });

  it('comes back if it cannot be recorded', async () => {
    const world = new World();
    let failures = 1;
    const transport: Transport = {
      publish: (message) => world.transport.publish(message),
      recordDead: (letter) =>
        failures-- > 0 ? Promise.reject(new Error('broker away')) : world.transport.recordDead(letter),
    };
    world.host({ transport });
    world.transport.sendRaw(account('ann'), Buffer.from('?'), idsOf('m1'));
    await world.transport.emptied();
    expect(world.transport.deadLetters).toHaveLength(1);
  });
});

describe('an append', () => {
  it('has no more bytes than the store allows', async () => {
    const world = new World();
    world.host();
    for (let i = 0; i < 5; i += 1)
      world.transport.send(account('ann'), misbehave('big', `b${i}`), idsOf(`m${i}`));
    await world.transport.emptied();
    expect((await world.events('ann')).map((event) => event.data.transferId)).toEqual([
      'b0',
      'b1',
      'b2',
      'b3',
      'b4',
    ]);
    expect(world.transport.deadLetters).toEqual([]);
  });

  it('without an answer is tried again until the store is back, and takes effect once', async () => {
    const world = new World();
    let failures = 3;
    const store: EventStore = {
      ...world.store,
      append: async (...args) => {
        const result = await world.store.append(...args);
        if (failures-- > 0) throw new EventStoreUnavailableError('no answer in time');
        return result;
      },
    };
    world.host({ store });
    world.transport.send(account('ann'), deposit('d1'), idsOf('m1'));
    await world.transport.emptied();
    expect(await world.types('ann')).toEqual(['Deposited', 'DepositStamped']);
  });

  it('of two owners succeeds once: nothing happens twice, and no refusal is based on old state', async () => {
    const world = new World();
    const first = world.host();
    world.transport.send(account('ann'), deposit('d1', 5), idsOf('m1'));
    await world.transport.emptied();
    const second = world.host();
    world.transport.send(account('ann'), deposit('d2', 500), idsOf('m2'));
    await world.transport.emptied();
    // The first owner still has a balance of 5.
    world.transport.attach((delivery) => first.receive(delivery));
    world.transport.send(account('ann'), send('ann.1', 'bob', 100), idsOf('m3'));
    await world.transport.emptied();
    expect(world.transport.deadLetters).toEqual([]);
    world.transport.attach((delivery) => second.receive(delivery));
    world.transport.send(account('ann'), deposit('d3'), idsOf('m4'));
    world.transport.send(account('ann'), deposit('d2', 500), idsOf('m2 under another id'));
    await world.transport.emptied();
    const types = await world.types('ann');
    expect(types.filter((type) => type === 'Deposited')).toHaveLength(3);
    expect(types.filter((type) => type === 'Sent')).toHaveLength(1);
    expect(await verifyChain(world.store.readAll())).toMatchObject({ ok: true });
  });
});

describe('memory', () => {
  it('holds no more actors than its limit, and an actor that left comes back unchanged', async () => {
    const world = new World();
    const host = world.host({ maxActors: 10 });
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 50; i += 1) {
        world.transport.send(account(`a${i}`), deposit(`d${round}`), idsOf(`m${round}-${i}`));
        world.transport.send(account(`a${i}`), deposit(`d${round}`), idsOf(`again ${round}-${i}`));
      }
      await world.transport.emptied();
      await host.settled();
    }
    world.transport.send(account('a0'), deposit('last'), idsOf('last'));
    await world.transport.emptied();
    expect(host.size).toBeLessThanOrEqual(10);
    expect(await world.types('a49')).toHaveLength(6);
  });

  it('holds 2,000 actors, and more only if they had a message in the last 90 s', async () => {
    const world = new World();
    let now = 1_000_000;
    const host = world.host({ clock: { ...systemClock, now: () => now } });
    let made = 0;
    const add = async (count: number) => {
      const end = made + count;
      for (; made < end; made += 1) {
        world.transport.send(account(`a${made}`), deposit('d'), idsOf(`m${made}`));
      }
      await world.transport.emptied();
      await host.settled();
    };
    await add(2_500);
    expect(host.size).toBe(2_500);
    now += 89_000;
    world.transport.send(account('a7'), deposit('again'), idsOf('again'));
    await add(1);
    expect(host.size).toBe(2_501);
    now += 2_000;
    await add(1);
    expect(host.size).toBe(2_000);
    await add(3_000);
    // Those, two before them, and a7.
    expect(host.size).toBe(3_003);
    world.transport.send(account('a8'), deposit('d'), idsOf('the same'));
    await world.transport.emptied();
    expect(await world.types('a8')).toHaveLength(2);
    now += 91_000;
    host.working();
    expect(host.size).toBe(2_000);
  });

  it('releases actors with their partition, after they finish what they have in hand', async () => {
    const world = new World();
    const host = world.host();
    for (let i = 0; i < 20; i += 1) world.transport.send(account(`a${i}`), deposit('d'), idsOf(`m${i}`));
    await world.transport.emptied();
    await host.release((id) => id.length === 2);
    expect(host.size).toBe(10);
  });
});

describe('in any order, with any number of redeliveries', () => {
  it('every transfer takes effect exactly once', async () => {
    const step = fc.record({
      from: fc.integer({ min: 0, max: 3 }),
      to: fc.integer({ min: 0, max: 3 }),
      copies: fc.integer({ min: 1, max: 3 }),
      rank: fc.integer(),
      otherId: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
        const world = new World();
        world.host({ maxActors: 2 });
        for (let i = 0; i < 4; i += 1)
          world.transport.send(account(`a${i}`), deposit(`start${i}`, 1_000), idsOf(`start${i}`));
        await world.transport.emptied();
        const sends = steps.flatMap(({ from, to, copies, rank, otherId }, index) =>
          Array.from({ length: copies }, (_, copy) => ({
            rank: rank + copy,
            from: `a${from}`,
            command: send(`a${from}.${index}`, `a${to}`),
            ids: idsOf(otherId ? `${index}/${copy}` : `${index}`),
          })),
        );
        sends.sort((one, other) => one.rank - other.rank);
        for (const { from, command, ids } of sends) world.transport.send(account(from), command, ids);
        await world.transport.emptied();

        const events = await collect(world.store.readAll({ prefixes: ['credit-'] }));
        for (const type of ['Sent', 'Received', 'Confirmed']) {
          const keys = events.filter((event) => event.type === type).map((event) => event.data.transferId);
          expect(keys).toHaveLength(steps.length);
          expect(new Set(keys).size).toBe(steps.length);
        }
        expect(world.transport.deadLetters).toEqual([]);
        expect(await verifyChain(events)).toMatchObject({ ok: true });
      }),
      { numRuns: 40 },
    );
  });
});
