import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AllStreamResolvedEvent, AllStreamSubscription } from '@eventstore/db-client';
import {
  BACKWARDS,
  END,
  EventStoreDBClient,
  eventTypeFilter,
  excludeSystemEvents,
  jsonEvent,
  MaxAppendSizeExceededError,
  NO_STREAM,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
  STREAM_EXISTS,
  StreamDeletedError,
  StreamNotFoundError,
  streamNameFilter,
  UnsupportedError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import {
  StreamDeletedError as DellmStreamDeletedError,
  EventStoreUnavailableError,
} from '../../src/eventstore/port.ts';
import { createPump } from '../../src/eventstore/pump.ts';
import type { EmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { collect, event, freshStream, numbered } from '../contracts/event-store.ts';

let folder: string;
let server: EmbeddedEventStore;
let client: EventStoreDBClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-event-store-'));
  server = await launchEmbeddedEventStore({ file: join(folder, 'history.db') });
  client = EventStoreDBClient.connectionString(server.connectionString);
});
afterAll(async () => {
  await client?.dispose();
  await server?.stop();
  await rm(folder, { recursive: true });
});

const thing = (n: number, type = 'Thing') => jsonEvent({ type, data: { n } });

async function numbersIn(stream: string): Promise<unknown[]> {
  const datas = (await collect(client.readStream(stream))).map(({ event }) => event?.data);
  return datas.map((data) => (data as { readonly n: number }).n);
}

describe("the embedded server, as EventStoreDB's own client sees it", () => {
  it('appends, and reports a wrong expected revision', async () => {
    const stream = freshStream();
    const result = await client.appendToStream(stream, [thing(0), thing(1)], { expectedRevision: NO_STREAM });
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
    const wrong: unknown = await client
      .appendToStream(stream, thing(2), { expectedRevision: 0n })
      .catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(WrongExpectedVersionError);
    expect(wrong).toMatchObject({ streamName: stream, expectedVersion: 0n, actualVersion: 1n });
    await expect(
      client.appendToStream(freshStream(), thing(0), { expectedRevision: STREAM_EXISTS }),
    ).rejects.toMatchObject({ actualVersion: 'no_stream', expectedVersion: 'stream_exists' });
  });

  it('accepts the other kind of append, too, which the client uses with credentials', async () => {
    const stream = freshStream();
    const credentials = { username: 'admin', password: 'changeit' };
    const result = await client.appendToStream(stream, [thing(0), thing(1)], { credentials });
    expect(result).toMatchObject({ success: true, nextExpectedRevision: 1n });
    await expect(
      client.appendToStream(stream, thing(2), { credentials, expectedRevision: 5n }),
    ).rejects.toThrow(WrongExpectedVersionError);
    const large = jsonEvent({ type: 'Large', data: { text: 'x'.repeat(1024 * 1024) } });
    await expect(client.appendToStream(stream, large, { credentials })).rejects.toThrow(
      MaxAppendSizeExceededError,
    );
    expect(await numbersIn(stream)).toEqual([0, 1]);
  });

  it('accepts an append in several messages as one, and refuses one that is too large', async () => {
    const stream = freshStream();
    const many = Array.from({ length: 20 }, (_, n) => thing(n));
    await client.appendToStream(stream, many, { expectedRevision: NO_STREAM, batchAppendSize: 200 });
    expect(await numbersIn(stream)).toEqual(many.map((_, n) => n));
    const bulky = Array.from({ length: 60 }, () =>
      jsonEvent({ type: 'Bulky', data: { text: 'x'.repeat(100_000) } }),
    );
    await expect(client.appendToStream(stream, bulky)).rejects.toThrow(MaxAppendSizeExceededError);
    await expect(client.appendToStream(stream, thing(20), { expectedRevision: 19n })).resolves.toMatchObject({
      nextExpectedRevision: 20n,
    });
  });

  it('stores binary events unchanged', async () => {
    const stream = freshStream();
    const data = new Uint8Array([0, 255, 7]);
    await client.appendToStream(stream, {
      id: randomUUID(),
      type: 'Raw',
      contentType: 'application/octet-stream',
      data,
      metadata: undefined,
    });
    const [read] = await collect(client.readStream(stream));
    expect(read?.event?.isJson).toBe(false);
    expect(Buffer.from(read?.event?.data as Uint8Array)).toEqual(Buffer.from(data));
  });

  it('deletes softly: the stream is not found, and a later append continues its revisions', async () => {
    const stream = freshStream();
    await client.appendToStream(stream, [thing(0), thing(1)]);
    await expect(client.deleteStream(stream, { expectedRevision: 7n })).rejects.toThrow(
      WrongExpectedVersionError,
    );
    const deleted = await client.deleteStream(stream, { expectedRevision: 1n });
    expect(deleted.position?.commit).toBeGreaterThan(0n);
    await expect(collect(client.readStream(stream))).rejects.toThrow(StreamNotFoundError);
    await expect(
      client.appendToStream(stream, thing(9), { expectedRevision: STREAM_EXISTS }),
    ).rejects.toThrow(StreamDeletedError);
    const again = await client.appendToStream(stream, thing(2), { expectedRevision: NO_STREAM });
    expect(again.nextExpectedRevision).toBe(2n);
    expect(await numbersIn(stream)).toEqual([2]);
  });

  it('tombstones: the stream can no longer be written or read', async () => {
    const stream = freshStream();
    await client.appendToStream(stream, thing(0));
    await client.tombstoneStream(stream);
    await expect(collect(client.readStream(stream))).rejects.toThrow(StreamDeletedError);
    await expect(client.appendToStream(stream, thing(1))).rejects.toThrow(StreamDeletedError);
    await expect(client.deleteStream(stream)).rejects.toThrow(StreamDeletedError);
    const [last] = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    expect(last?.event).toMatchObject({ type: '$streamDeleted', revision: 2n ** 63n - 1n });

    const store = connectEventStore(server.connectionString);
    await expect(store.append(stream, numbered(1), 'any')).rejects.toThrow(DellmStreamDeletedError);
    await expect(collect(store.readStream(stream))).rejects.toThrow(DellmStreamDeletedError);
    await store.close();
  });

  it('obeys $maxCount and $tb, and keeps metadata as events of $$ streams', async () => {
    const stream = freshStream();
    await client.appendToStream(
      stream,
      [0, 1, 2, 3].map((n) => thing(n)),
    );
    await client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await numbersIn(stream)).toEqual([2, 3]);
    await client.setStreamMetadata(stream, { truncateBefore: 1 });
    expect(await numbersIn(stream)).toEqual([1, 2, 3]);
    expect((await client.getStreamMetadata(stream)).metadata).toMatchObject({ truncateBefore: 1 });
    const types = (await collect(client.readAll())).flatMap(({ event }) =>
      event?.streamId === `$$${stream}` ? [event.type] : [],
    );
    expect(types).toEqual(['$metadata', '$metadata']);
  });

  it('reads $all from a position, including the event at it', async () => {
    const stream = freshStream();
    await client.appendToStream(stream, [thing(0), thing(1), thing(2)]);
    const [first, second] = await collect(client.readStream(stream));
    const fromPosition = second?.event?.position;
    if (fromPosition === undefined) throw new Error('the event has no position');
    const forwards = await collect(client.readAll({ fromPosition, maxCount: 1 }));
    expect(forwards[0]?.event?.id).toBe(second?.event?.id);
    const backwards = await collect(client.readAll({ fromPosition, direction: BACKWARDS, maxCount: 1 }));
    expect(backwards[0]?.event?.id).toBe(first?.event?.id);
  });

  it('reports a checkpoint for every 32 events considered by a filter', async () => {
    const prefix = freshStream();
    await client.appendToStream(
      `${prefix}-noise`,
      Array.from({ length: 100 }, (_, n) => thing(n)),
    );
    const positions: bigint[] = [];
    const subscription = client.subscribeToAll({
      fromPosition: START,
      filter: streamNameFilter({
        prefixes: [`${prefix}-nothing`],
        checkpointInterval: 2,
        checkpointReached: async (_subscription, position) => {
          positions.push(position.commit);
        },
      }),
    });
    expect(await untilCaughtUp(subscription)).toEqual([]);
    const all = await collect(client.readAll());
    const every64th = all.filter((_, i) => (i + 1) % 64 === 0).map(({ event }) => event?.position.commit);
    expect(positions).toEqual(every64th);
  });

  it('filters by regular expression and by event type', async () => {
    const stream = freshStream();
    await client.appendToStream(stream, [thing(0, `Wanted-${stream}`), thing(1, 'Unwanted')]);
    const byType = client.subscribeToAll({ filter: eventTypeFilter({ prefixes: [`Wanted-${stream}`] }) });
    expect((await untilCaughtUp(byType)).map(({ event }) => event?.type)).toEqual([`Wanted-${stream}`]);
    const byName = client.subscribeToAll({ filter: streamNameFilter({ regex: `^${stream}$` }) });
    expect(await untilCaughtUp(byName)).toHaveLength(2);
    const noSystem = client.subscribeToAll({ filter: excludeSystemEvents() });
    for (const { event } of await untilCaughtUp(noSystem)) expect(event?.type.startsWith('$')).toBe(false);
  });

  it('subscribes to one stream, from a revision, even before it exists', async () => {
    const stream = freshStream();
    const seen: bigint[] = [];
    const subscription = client.subscribeToStream(stream, { fromRevision: 0n });
    subscription.pause();
    await once(subscription, 'confirmation');
    await client.appendToStream(stream, [thing(0), thing(1), thing(2)]);
    for await (const { event } of subscription) {
      if (event !== undefined) seen.push(event.revision);
      if (seen.length === 2) break;
    }
    await subscription.unsubscribe();
    expect(seen).toEqual([1n, 2n]);
  });

  it('is found by clients that use discovery', async () => {
    const discovering = EventStoreDBClient.connectionString(
      `esdb+discover://127.0.0.1:${server.port}?tls=false`,
    );
    await discovering.appendToStream(freshStream(), thing(0));
    await discovering.dispose();
  });

  it('says which features it does not have', async () => {
    const stream = freshStream();
    await client.appendToStream(stream, thing(0));
    await expect(collect(client.readStream(stream, { resolveLinkTos: true }))).rejects.toThrow(
      'does not have links',
    );
    await expect(collect(client.readStream('$ce-node'))).rejects.toThrow('does not have projections');
    await expect(client.setStreamMetadata(stream, { maxAge: 5 })).rejects.toThrow('$maxAge');
    await expect(client.setStreamMetadata(stream, { acl: { readRoles: ['$admins'] } })).rejects.toThrow(
      '$acl',
    );
    await expect(
      client.createPersistentSubscriptionToStream(
        stream,
        'group',
        persistentSubscriptionToStreamSettingsFromDefaults(),
      ),
    ).rejects.toSatisfy(
      (error) => error instanceof UnsupportedError || String(error).includes('does not implement'),
    );
  });
});

describe('the adapter, when the server is not there', () => {
  it('gives up an append after its deadline, and says that the result is unknown', async () => {
    const store = connectEventStore(`esdb://127.0.0.1:${await freePort()}?tls=false`);
    const started = performance.now();
    await expect(store.append(freshStream(), numbered(1), 'any', { deadlineMs: 600 })).rejects.toThrow(
      /no answer to the append.*repeat it with the same event ids/,
    );
    const took = performance.now() - started;
    expect(took).toBeGreaterThan(550);
    expect(took).toBeLessThan(10_000);
    await store.close();
  });

  it('gives up many parallel appends in the same time', async () => {
    const store = connectEventStore(`esdb://127.0.0.1:${await freePort()}?tls=false`);
    const started = performance.now();
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, () => store.append(freshStream(), numbered(1), 'any', { deadlineMs: 600 })),
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    for (const result of results) {
      expect(result.status === 'rejected' && result.reason).toBeInstanceOf(EventStoreUnavailableError);
    }
    await store.close();
  });

  it('gives up a read', async () => {
    const store = connectEventStore(`esdb://127.0.0.1:${await freePort()}?tls=false`);
    await expect(collect(store.readStream(freshStream()))).rejects.toThrow(EventStoreUnavailableError);
    await store.close();
  }, 20_000);

  it('connects as soon as the server runs, and waiting appends succeed', async () => {
    const port = await freePort();
    const store = connectEventStore(`esdb://127.0.0.1:${port}?tls=false`);
    const stop = new AbortController();
    const stream = freshStream();
    const appended = store.append(stream, [event('Early')], 'no-stream', { deadlineMs: 15_000 });
    const heard = (async () => {
      for await (const delivery of store.subscribe({ prefixes: [stream], signal: stop.signal })) {
        if (delivery.kind === 'event') return delivery.event.type;
      }
      return undefined;
    })();
    const late = await launchEmbeddedEventStore({ file: join(folder, 'late.db'), port });
    expect(await appended).toMatchObject({ outcome: 'appended', revision: 0 });
    expect(await heard).toBe('Early');
    stop.abort();
    await store.close();
    await late.stop();
  });

  it('treats silence as a fault, and appends again over a new connection', async () => {
    const proxy = await stallingProxy(server.port);
    const store = connectEventStore(`esdb://127.0.0.1:${proxy.port}?tls=false`);
    const stream = freshStream();
    await store.append(stream, numbered(1), 'no-stream');
    proxy.stall();
    const result = await store.append(stream, numbered(1), 0, { deadlineMs: 6_000 });
    expect(result).toMatchObject({ outcome: 'appended', revision: 1 });
    await store.close();
    proxy.close();
  });

  it('never treats a read as complete that a replaced connection has cut off', async () => {
    const slow = await launchEmbeddedEventStore({ file: join(folder, 'slow.db') });
    const store = connectEventStore(slow.connectionString);
    const stream = freshStream();
    const count = 1_000;
    for (let from = 0; from < count; from += 500) {
      await store.append(stream, numbered(500), from === 0 ? 'no-stream' : from - 1);
    }
    let stopped = false;
    const lengths: number[] = [];
    const readers = Array.from({ length: 12 }, async () => {
      while (!stopped) lengths.push((await collect(store.readStream(stream))).length);
    });
    // Twice, the server does not answer for longer than a read waits.
    for (let round = 0; round < 2; round += 1) {
      const before = lengths.length;
      await expect.poll(() => lengths.length).toBeGreaterThan(before + 5);
      process.kill(slow.pid, 'SIGSTOP');
      await sleep(1_800);
      process.kill(slow.pid, 'SIGCONT');
    }
    stopped = true;
    await Promise.all(readers);
    expect(new Set(lengths)).toEqual(new Set([count]));
    await store.close();
    await slow.stop();
  }, 60_000);

  it('refuses an invalid connection string', () => {
    expect(() => connectEventStore('http://somewhere')).toThrow(/esdb:\/\//);
  });
});

/** Everything that a subscription delivers until it has caught up. Then ends it. */
async function untilCaughtUp(subscription: AllStreamSubscription): Promise<AllStreamResolvedEvent[]> {
  const pump = createPump<AllStreamResolvedEvent, 'caught up'>(
    subscription,
    new AbortController().signal,
    10_000,
  );
  subscription.on('caughtUp', () => pump.mark('caught up'));
  const events: AllStreamResolvedEvent[] = [];
  for await (const item of pump) {
    if (item.kind === 'mark') break;
    events.push(item.object);
  }
  await subscription.unsubscribe();
  return events;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  return port;
}

function portOf(listening: Server): number {
  const address = listening.address();
  if (typeof address !== 'object' || address === null)
    throw new Error('the server does not listen on a port');
  return address.port;
}

/**
 * Forwards to a port. `stall` makes the open connections swallow everything, like a lost host. Later
 * connections work.
 */
async function stallingProxy(
  target: number,
): Promise<{ port: number; stall: () => void; close: () => void }> {
  const open = new Set<Socket>();
  const proxy = createServer((inbound) => {
    const outbound = connect(target, '127.0.0.1');
    for (const socket of [inbound, outbound]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => open.delete(socket));
    }
    inbound.pipe(outbound).pipe(inbound);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: portOf(proxy),
    stall: () => {
      for (const socket of open) socket.unpipe().resume();
    },
    close: () => {
      proxy.close();
      for (const socket of open) socket.destroy();
    },
  };
}
