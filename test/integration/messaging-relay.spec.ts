import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { headers } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { EVENT_HEADER, runRelay } from '../../src/messaging/relay.ts';
import { EVENTS, ensureStreams } from '../../src/messaging/streams.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

interface Relay {
  stop(): Promise<void>;
}

describe('the relay', () => {
  let nats: TestNats;
  let store: EventStore;
  let now = Date.now();
  let nc: NatsConnection;
  const relays: Relay[] = [];
  const statuses: string[] = [];

  beforeEach(async () => {
    statuses.length = 0;
    nats = await startTestNats();
    now = Date.now();
    store = createMemoryEventStore({ now: () => now });
    nc = await nats.connect();
    await ensureStreams(jetstream(nc));
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.stop()));
    await store.close();
    await nats.stop();
  });

  async function append(count: number, stream = 'node-a', text = 'x'): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const event = { id: randomUUID(), type: 'VoteCast', data: { n, text }, metadata: {} };
      await store.append(stream, [event], 'any');
    }
  }

  async function startRelay(connection?: NatsConnection, from = store): Promise<Relay> {
    const controller = new AbortController();
    const own = connection ?? (await nats.connect());
    const onStatus = (message: string) => statuses.push(message);
    const done = runRelay({ store: from, nc: own, signal: controller.signal, onStatus });
    const relay = {
      async stop() {
        controller.abort();
        await done;
      },
    };
    relays.push(relay);
    return relay;
  }

  async function lastSequence(): Promise<number> {
    const jsm = await jetstream(nc).jetstreamManager();
    return (await jsm.streams.info(EVENTS)).state.last_seq;
  }

  /** Everything on `dellm.evt` in order, with the ids from the headers. */
  async function published(): Promise<{ ids: string[]; positions: number[]; subjects: string[] }> {
    const js = jetstream(nc);
    const { messages } = (await (await js.jetstreamManager()).streams.info(EVENTS)).state;
    const ids: string[] = [];
    const positions: number[] = [];
    const subjects: string[] = [];
    if (messages > 0) {
      const consumer = await js.consumers.get(EVENTS);
      for await (const message of await consumer.fetch({ max_messages: messages, expires: 5_000 })) {
        ids.push(message.headers?.get('Nats-Msg-Id') ?? '');
        positions.push(Number(message.headers?.get(EVENT_HEADER.position)));
        subjects.push(message.subject);
      }
    }
    return { ids, positions, subjects };
  }

  async function stored(): Promise<StoredEvent[]> {
    const events: StoredEvent[] = [];
    for await (const event of store.readAll()) events.push(event);
    return events;
  }

  async function expectAllPublishedOnce(): Promise<void> {
    const events = await stored();
    const jsm = await jetstream(nc).jetstreamManager();
    const count = async () => (await jsm.streams.info(EVENTS)).state.messages;
    await expect.poll(count).toBe(events.length);
    const { ids, positions } = await published();
    expect(ids).toEqual(events.map(({ id }) => id));
    expect(positions).toEqual(events.map(({ position }) => position));
  }

  it('publishes stored events in order, with headers, and then new ones', async () => {
    await append(3);
    await startRelay();
    await append(700, 'cluster-b.c');
    await expectAllPublishedOnce();
    const { subjects } = await published();
    expect(subjects[0]).toBe('dellm.evt.node.a.VoteCast');
    expect(subjects[3]).toBe('dellm.evt.cluster.b=2Ec.VoteCast');
    const jsm = await jetstream(nc).jetstreamManager();
    const message = await jsm.streams.getMessage(EVENTS, { seq: 2 });
    expect(message?.header.get(EVENT_HEADER.stream)).toBe('node-a');
    expect(message?.header.get(EVENT_HEADER.revision)).toBe('1');
    expect(message?.json()).toEqual((await stored())[1]);
  });

  it('leaves out snapshots, and the text of an event that is too long for a message', async () => {
    await append(1, 'snapshot-node-a');
    await append(1, 'query-long', 'y'.repeat(1_042_000));
    await append(1);
    await startRelay();
    await expect.poll(lastSequence).toBe(2);
    const jsm = await jetstream(nc).jetstreamManager();
    const message = await jsm.streams.getMessage(EVENTS, { seq: 1 });
    expect(message?.header.get(EVENT_HEADER.omitted)).toBe('data');
    expect(message?.json()).toMatchObject({ stream: 'query-long', type: 'VoteCast', data: null });
  });

  it('leaves neither gaps nor duplicates when two run at once', async () => {
    await append(500);
    await Promise.all([startRelay(), startRelay()]);
    for (let round = 0; round < 10; round += 1) await append(100, `node-${round}`);
    await expectAllPublishedOnce();
    // The leading relay stops, and the other one continues.
    await relays.shift()?.stop();
    await append(50);
    await expectAllPublishedOnce();
  });

  it('does not publish out of order when another relay is ahead of it', async () => {
    await append(6);
    const events = await stored();
    const publishAsOther = async (event: StoredEvent, lastSequence: number): Promise<void> => {
      const meta = headers();
      meta.set(EVENT_HEADER.stream, event.stream);
      meta.set(EVENT_HEADER.revision, String(event.revision));
      meta.set(EVENT_HEADER.position, String(event.position));
      const options = { msgID: event.id, headers: meta, expect: { lastSequence } };
      await jetstream(nc).publish('dellm.evt.node.a.VoteCast', JSON.stringify(event), options);
    };
    // The other relay began with the third event, after the first relay had read the checkpoint of an empty
    // stream.
    let overtaken = false;
    const overtaking: EventStore = {
      ...store,
      async *subscribe(options) {
        if (!overtaken && events[2] !== undefined) await publishAsOther(events[2], 0);
        overtaken = true;
        yield* store.subscribe(options);
      },
    };
    await startRelay(nc, overtaking);
    await expect.poll(lastSequence).toBe(4);
    expect((await published()).ids).toEqual(events.slice(2).map(({ id }) => id));
  });

  it('continues without a gap when it is cut off and another one takes over', async () => {
    await append(2_000);
    for (let round = 0; round < 4; round += 1) {
      const before = await lastSequence();
      const connection = await nats.connect();
      const relay = await startRelay(connection);
      await expect.poll(lastSequence, { interval: 1 }).toBeGreaterThan(before);
      await connection.close();
      await relay.stop();
      await append(200, `node-${round}`);
    }
    await startRelay();
    await expectAllPublishedOnce();
  });

  it('continues after the broker was killed', async () => {
    await startRelay();
    await append(300);
    const more = append(300, 'node-b');
    await nats.restart();
    await more;
    await append(300, 'node-c');
    await expectAllPublishedOnce();
  });

  it('fills an empty stream with the events of the last 24 hours', async () => {
    now = Date.now() - 25 * 60 * 60 * 1000;
    await append(5, 'node-old');
    now = Date.now();
    await append(4, 'node-new');
    const relay = await startRelay();
    await expect.poll(lastSequence).toBe(4);
    const fresh = (await stored()).slice(5).map(({ id }) => id);
    expect((await published()).ids).toEqual(fresh);

    const jsm = await jetstream(nc).jetstreamManager();
    await jsm.streams.purge(EVENTS);
    await append(1, 'node-new');
    await expect.poll(async () => (await published()).ids.length).toBe(1);
    await relay.stop();
    await jsm.streams.purge(EVENTS);
    await startRelay();
    await expect.poll(async () => (await published()).ids.length).toBe(5);

    await jsm.streams.delete(EVENTS);
    await append(1, 'node-new');
    await expect.poll(async () => (await published().catch(() => null))?.ids.length).toBe(6);
  });

  it('empties a stream of another history, and fills it with its own', async () => {
    await append(30, 'node-ä b');
    const relay = await startRelay();
    await expectAllPublishedOnce();
    await relay.stop();
    // The same history continues without a message.
    const again = await startRelay();
    await append(1, 'node-ä b');
    await expectAllPublishedOnce();
    await again.stop();
    expect(statuses).toEqual([]);

    const before = await lastSequence();
    await store.close();
    store = createMemoryEventStore({ now: () => now });
    await append(5, 'node-ä b');
    await Promise.all([startRelay(), startRelay()]);
    await expectAllPublishedOnce();
    await append(20, 'node-b');
    await expectAllPublishedOnce();
    expect(await lastSequence()).toBe(before + 25);
    expect(statuses).toContainEqual(expect.stringContaining('another history'));
  });

  it('empties a stream of another history also while its own is empty', async () => {
    await append(3);
    const relay = await startRelay();
    await expectAllPublishedOnce();
    await relay.stop();
    await store.close();
    store = createMemoryEventStore({ now: () => now });
    await startRelay();
    await expectAllPublishedOnce();
    await append(2);
    await expectAllPublishedOnce();
  });

  it('ends at the signal, also while the broker is away', async () => {
    const relay = await startRelay();
    await append(1);
    await expect.poll(lastSequence).toBe(1);
    await nats.server().kill();
    await append(1);
    const started = performance.now();
    await relay.stop();
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
