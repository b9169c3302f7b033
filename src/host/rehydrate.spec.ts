import { beforeAll, describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { type LedgerCommand, ledgerDefinition } from '../../test/support/ledger.ts';
import type { ActorDefinition } from '../actors/actor.ts';
import { SNAPSHOT_PREFIX } from '../events/envelope.ts';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { persistedState, UnhandledEventError } from './fold.ts';
import { Host } from './host.ts';
import { LocalTransport } from './local-transport.ts';
import { recordedEffects, rehydrate } from './rehydrate.ts';
import { SNAPSHOT_EVERY } from './snapshots.ts';

const snapshots = `${SNAPSHOT_PREFIX}credit-ann`;

/** An account with this many deposits, two events each. */
async function storeWith(deposits: number): Promise<EventStore> {
  const store = createMemoryEventStore();
  await fill(store, deposits);
  return store;
}

async function fill(store: EventStore, deposits: number): Promise<void> {
  const transport = new LocalTransport();
  const host = new Host({
    definitions: [ledgerDefinition],
    store,
    transport,
    reads: () => null,
    startTimer: () => {},
    onLog: () => {},
  });
  transport.attach((delivery) => host.receive(delivery));
  for (let i = 0; i < deposits; i += 1) {
    const command: LedgerCommand = { type: 'Deposit', data: { transferId: `d${i}`, amount: 1 } };
    const messageId = `m${i}`;
    transport.send({ kind: 'account', id: 'ann' }, command, {
      messageId,
      correlationId: messageId,
      causationId: messageId,
    });
  }
  await transport.emptied();
  await host.settled();
}

let recorded: readonly StoredEvent[] = [];
beforeAll(async () => {
  recorded = await collect((await storeWith(600)).readAll());
});

/** An account with 600 deposits, 1,200 events, and its snapshot at the 1,000th or soon after. */
async function longStore(): Promise<EventStore> {
  const store = createMemoryEventStore();
  for (const event of recorded) await store.append(event.stream, [event], 'any');
  await store.keepLast(snapshots, 1);
  return store;
}

/** The same store, counting how many events of the account's stream are read forwards. */
function counting(store: EventStore): { store: EventStore; read: () => number } {
  let read = 0;
  return {
    read: () => read,
    store: {
      ...store,
      async *readStream(stream, options) {
        for await (const event of store.readStream(stream, options)) {
          if (stream === 'credit-ann' && options?.direction !== 'backwards') read += 1;
          yield event;
        }
      },
    },
  };
}

async function collect(events: AsyncIterable<StoredEvent>): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const fold = (store: EventStore, definition: ActorDefinition = ledgerDefinition) =>
  rehydrate(definition, 'ann', store, 0);

describe('an actor', () => {
  it('without events starts in its first state, without reading a snapshot', async () => {
    const actor = await fold(createMemoryEventStore());
    expect(actor.head.revision).toBe(-1);
    expect(actor.head.snapshot.context).toMatchObject({ balance: 0 });
  });

  it('comes back from its events with its revision, its hash and its recent messages', async () => {
    const store = await storeWith(20);
    const actor = await fold(store);
    expect(actor.head.revision).toBe(39);
    expect(actor.head.snapshot.context.balance).toBe(20);
    expect(actor.recent.get('m19')).toMatchObject({ first: 38, last: 39 });
    expect(actor.recent.get('unknown')).toBeUndefined();
  });

  it('with a history that its machine cannot handle is an error', async () => {
    const store = await storeWith(2);
    const [first] = await collect(store.readStream('credit-ann'));
    if (!first) throw new Error('there is one');
    await store.append('credit-ann', [{ ...first, id: crypto.randomUUID(), type: 'Forgotten' }], 'any');
    await expect(fold(store)).rejects.toThrow(UnhandledEventError);
  });
});

describe('a snapshot', () => {
  it('is taken every 500 events, replaces the one before, and saves folding the events that it covers', async () => {
    const { store, read } = counting(await longStore());
    const [snapshot, ...others] = await collect(store.readStream(snapshots));
    expect(others).toEqual([]);
    expect(snapshot?.data.revision).toBeGreaterThanOrEqual(2 * SNAPSHOT_EVERY);
    const actor = await fold(store);
    expect(actor.head.revision).toBe(1199);
    expect(actor.head.snapshot.context.balance).toBe(600);
    expect(actor.snapshotRevision).toBe(snapshot?.data.revision);
    expect(read()).toBe(SNAPSHOT_EVERY + 1200 - Number(snapshot?.data.revision));
  });

  it('replaces the one before also if the first could not be written', async () => {
    const memory = createMemoryEventStore();
    let refused = 0;
    await fill(
      {
        ...memory,
        async append(stream, events, expected) {
          if (stream === snapshots && refused++ === 0) throw new Error('the disk is full');
          return memory.append(stream, events, expected);
        },
      },
      2 * SNAPSHOT_EVERY,
    );
    expect(refused).toBeGreaterThan(2);
    expect(await collect(memory.readStream(snapshots))).toHaveLength(1);
  });

  it('gives exactly the state and the hash that the full fold gives', async () => {
    const store = await longStore();
    const fromSnapshot = await fold(store);
    await store.append(
      snapshots,
      [{ id: crypto.randomUUID(), type: 'Nonsense', data: {}, metadata: {} }],
      'any',
    );
    const folded = await fold(store);
    expect(fromSnapshot.snapshotRevision).toBeGreaterThan(0);
    expect(folded.snapshotRevision).toBe(-1);
    const { machine } = ledgerDefinition;
    expect(persistedState(machine, fromSnapshot.head.snapshot)).toEqual(
      persistedState(machine, folded.head.snapshot),
    );
    expect(fromSnapshot.head.hash).toBe(folded.head.hash);
    expect(fromSnapshot.head.eventId).toBe(folded.head.eventId);
  });

  it('remembers the recent messages that it covers, because they may come back', async () => {
    const actor = await fold(await longStore());
    const before = Math.floor(actor.snapshotRevision / 2) - 1;
    expect(actor.recent.get(`m${before}`)).toBeDefined();
  });

  it.each([
    ['names an event that is not there', { eventId: 'another' }],
    ['was made by another machine', { machineHash: 'another' }],
    ['has another shape', { snapshot: 'no object' }],
    ['stands beyond the end of the stream', { revision: 100_000 }],
    ['holds a state that the machine does not have', { snapshot: { value: 'gone', status: 'active' } }],
  ])('that %s is not believed', async (_name, lie) => {
    const store = await longStore();
    const [snapshot] = await collect(store.readStream(snapshots));
    if (!snapshot) throw new Error('there is one');
    await store.append(
      snapshots,
      [{ id: crypto.randomUUID(), type: snapshot.type, data: { ...snapshot.data, ...lie }, metadata: {} }],
      'any',
    );
    const actor = await fold(store);
    expect(actor.snapshotRevision).toBe(-1);
    expect(actor.head.snapshot.context.balance).toBe(600);
  });

  it.each([
    ['serves', {}],
    ['is not believed if it names another event', { eventId: 'another' }],
    ['is not used if it is newer', { revision: 1199 }],
  ])('%s when the effects of recorded events are found again', async (_name, lie) => {
    const store = await longStore();
    const [snapshot] = await collect(store.readStream(snapshots));
    if (!snapshot) throw new Error('there is one');
    if (Object.keys(lie).length > 0) {
      const state = { ...(snapshot.data.snapshot as object), context: { balance: -7 } };
      const data = { ...snapshot.data, snapshot: state, ...lie };
      await store.append(
        snapshots,
        [{ id: crypto.randomUUID(), type: snapshot.type, data, metadata: {} }],
        'any',
      );
    }
    const telling: ActorDefinition = {
      ...ledgerDefinition,
      react: ({ type }, { context }) => [{ kind: 'reply', subject: `_INBOX.${type}`, body: context.balance }],
    };
    const wanted = new Map([['m599', { first: 1198, last: 1199 }]]);
    const effects = await recordedEffects(telling, 'ann', store, wanted);
    expect(effects.get('m599')?.map(({ effect }) => effect)).toEqual([
      { kind: 'reply', subject: '_INBOX.Deposited', body: 600 },
      { kind: 'reply', subject: '_INBOX.DepositStamped', body: 600 },
    ]);
  });

  it('of a machine that has changed since is not used', async () => {
    const store = await longStore();
    const changed = setup({ types: { context: {} as { balance: number } } }).createMachine({
      id: 'ledger',
      context: { balance: 0 },
      initial: 'open',
      states: { open: { on: { '*': { actions: assign({ balance: -1 }) } } } },
    });
    const actor = await fold(store, { ...ledgerDefinition, machine: changed });
    expect(actor.snapshotRevision).toBe(-1);
    expect(actor.head.snapshot.context.balance).toBe(-1);
  });
});
