import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { headers } from 'nats';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeJson, HEADER, verifyChain } from '../../src/events/envelope.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore } from '../../src/eventstore/port.ts';
import { type Fleet, runFleet } from '../../src/host/fleet.ts';
import { NatsTransport } from '../../src/host/nats-transport.ts';
import { type Outgoing, UnpublishableError } from '../../src/host/transport.ts';
import { NatsUnavailableError } from '../../src/messaging/errors.ts';
import { readMembers } from '../../src/messaging/membership.ts';
import { FLEETS_BUCKET } from '../../src/messaging/permissions.ts';
import { isUnstorable } from '../../src/messaging/publish.ts';
import { COMMANDS, DEAD, ensureStreams, WORK } from '../../src/messaging/streams.ts';
import { commandSubject, PARTITIONS, partitionOf } from '../../src/messaging/subjects.ts';
import { type LedgerCommand, ledgerDefinition } from '../support/ledger.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';

/** A fleet that disappears without leaving must have a successor within this time, in milliseconds. */
const HANDOVER_MS = 8_000;

interface Running {
  readonly id: string;
  readonly fleet: Fleet;
  readonly nats: NatsConnection;
  readonly log: string[];
  stop(): Promise<void>;
}

describe('fleets', () => {
  let broker: TestNats;
  let client: NatsConnection;
  let store: EventStore;
  let running: Running[] = [];
  let count = 0;

  beforeAll(async () => {
    broker = await startTestNats({ devices: ['laptop-1'] });
    client = await broker.connect();
    await ensureStreams(jetstream(client));
  });
  afterAll(() => broker.stop());
  beforeEach(() => {
    store = createMemoryEventStore();
    return async () => {
      await Promise.all(running.map((one) => one.stop()));
      running = [];
    };
  });

  async function start(): Promise<Running> {
    const id = `fleet-${count++}`;
    const abort = new AbortController();
    const nats = await broker.connect();
    const log: string[] = [];
    const fleet = await runFleet({
      id,
      // Devices may send only to Nodes.
      definitions: [ledgerDefinition, { ...ledgerDefinition, kind: 'node', category: 'node' }],
      store,
      nats,
      reads: () => null,
      openDeadlines: async () => [],
      onLog: (level, message) => log.push(`${level}: ${message}`),
      signal: abort.signal,
    });
    const one: Running = {
      id,
      fleet,
      nats,
      log,
      async stop() {
        abort.abort();
        await fleet.stopped;
      },
    };
    running.push(one);
    return one;
  }

  async function send(
    id: string,
    command: LedgerCommand | Uint8Array,
    messageId: string,
    nats = client,
    device?: string,
  ): Promise<void> {
    const head = headers();
    head.set(HEADER.messageId, messageId);
    const body = command instanceof Uint8Array ? command : encodeJson(command);
    const subject = commandSubject({ kind: device === undefined ? 'account' : 'node', id }, device);
    await jetstream(nats).publish(subject, body, { headers: head });
  }

  async function typesOf(id: string): Promise<string[]> {
    const types: string[] = [];
    for await (const event of store.readStream(`credit-${id}`)) types.push(event.type);
    return types;
  }

  async function devicesOf(stream: string): Promise<unknown[]> {
    const devices: unknown[] = [];
    for await (const { type, data } of store.readStream(stream))
      if (type === 'Deposited') devices.push(data.device);
    return devices;
  }

  async function until(
    what: string,
    condition: () => boolean | Promise<boolean>,
    ms = 20_000,
  ): Promise<void> {
    const deadline = performance.now() + ms;
    while (!(await condition())) {
      if (performance.now() > deadline) throw new Error(`timed out after ${ms} ms waiting until ${what}`);
      await sleep(20);
    }
  }

  const deposit = (transferId: string): LedgerCommand => ({
    type: 'Deposit',
    data: { transferId, amount: 100 },
  });

  it('share the partitions, and actors on different fleets reach each other', async () => {
    const [one, two] = [await start(), await start()];
    await until('both have their share', () => {
      const all = [...one.fleet.partitions(), ...two.fleet.partitions()];
      return all.length === PARTITIONS && new Set(all).size === PARTITIONS;
    });
    expect(one.fleet.partitions().length).toBeGreaterThan(PARTITIONS / 4);
    expect(two.fleet.partitions().length).toBeGreaterThan(PARTITIONS / 4);

    for (let i = 0; i < 20; i += 1) {
      await send(`a${i}`, deposit(`d${i}`), `deposit-${i}`);
      await until('the deposit is there', async () => (await typesOf(`a${i}`)).includes('Deposited'));
      const to = `a${(i + 1) % 20}`;
      await send(`a${i}`, { type: 'Send', data: { transferId: `a${i}.1`, to, amount: 5 } }, `send-${i}`);
    }
    await until('all is confirmed', async () => {
      const types = await Promise.all(Array.from({ length: 20 }, (_, i) => typesOf(`a${i}`)));
      return types.every((type) => type.includes('Confirmed') && type.includes('Received'));
    });
    expect(one.fleet.actors()).toBeGreaterThan(0);
    expect(two.fleet.actors()).toBeGreaterThan(0);
    expect(await verifyChain(store.readAll())).toMatchObject({ ok: true });
  });

  it('leave in order: the others take over at once', async () => {
    const [one, two] = [await start(), await start()];
    await until('both have their share', () => one.fleet.partitions().length < PARTITIONS);
    await one.stop();
    // The fleet has left explicitly, so nobody waits for its key to expire.
    expect((await readMembers(client, FLEETS_BUCKET)).map(({ id }) => id)).not.toContain(one.id);
    await until('the other one serves all', () => two.fleet.partitions().length === PARTITIONS);
    for (let i = 0; i < 10; i += 1) await send(`b${i}`, deposit(`d${i}`), `left-${i}`);
    await until('all are answered', async () => {
      const types = await Promise.all(Array.from({ length: 10 }, (_, i) => typesOf(`b${i}`)));
      return types.every((type) => type.length === 2);
    });
  });

  it('that disappear without leaving have a successor within 8 s', async () => {
    const [one, two] = [await start(), await start()];
    await until('both have their share', () => one.fleet.partitions().length < PARTITIONS);
    const id = Array.from({ length: 1_000 }, (_, i) => `c${i}`).find((candidate) =>
      one.fleet.partitions().includes(partitionOf(candidate)),
    );
    if (id === undefined) throw new Error('one of a thousand ids must be there');
    const vanishedAt = performance.now();
    await one.nats.close();
    await send(id, deposit('d'), 'to-the-successor');
    await until('its successor answers', async () => (await typesOf(id)).length === 2, HANDOVER_MS);
    expect(performance.now() - vanishedAt).toBeLessThan(HANDOVER_MS);
    // The first fleet is cut off, so it may not serve any more.
    await until('it has noticed', () => one.fleet.partitions().length === 0);
    await until('the other one serves all', () => two.fleet.partitions().length === PARTITIONS);
  });

  it('continue when the broker was killed and came back', async () => {
    const { fleet } = await start();
    await send('d1', deposit('before'), 'before-the-crash');
    await until('it is there', async () => (await typesOf('d1')).length === 2);
    await broker.restart();
    await until('it serves again', () => fleet.partitions().length === PARTITIONS, 15_000);
    await send('d1', deposit('after'), 'after-the-crash');
    await until('it is there', async () => (await typesOf('d1')).length === 4, 15_000);
  });

  it('give the actor the device that sent a command, from the subject that only this device may use', async () => {
    await start();
    const laptop = await broker.connect({ device: 'laptop-1' });
    await send('e1', deposit('from-laptop'), 'device-message', laptop, 'laptop-1');
    await until('it is there', async () => (await devicesOf('node-e1')).length === 1);
    expect(await devicesOf('node-e1')).toEqual(['laptop-1']);
    await expect(send('e1', deposit('forged'), 'forged', laptop, 'laptop-2')).rejects.toThrow();
  });

  it('record dead messages on the dead subject, and remove them from the queue', async () => {
    await start();
    const jsm = await jetstreamManager(client);
    await jsm.streams.purge(DEAD);
    await send('f1', Buffer.from('garbage'), 'bad-1');
    await send('f1', { type: 'Misbehave', data: { how: 'throw' } }, 'bad-2');
    const wrongPartition = (partitionOf('f1') + 1) % PARTITIONS;
    const head = headers();
    head.set(HEADER.messageId, 'bad-3');
    await jetstream(client).publish(`dellm.cmd.${wrongPartition}.account.f1`, encodeJson(deposit('x')), {
      headers: head,
    });
    await until('all three are kept', async () => (await jsm.streams.info(DEAD)).state.messages >= 3);
    await until('the queue is empty', async () => (await jsm.streams.info(COMMANDS)).state.messages === 0);
    const last = await jsm.streams.getMessage(DEAD, { last_by_subj: 'dellm.dead.account.f1' });
    expect(last?.json()).toMatchObject({ reason: 'TypeError: a bug in decide', messageId: 'bad-2' });
  });

  describe('publish effects', () => {
    const ids = { messageId: 'm', correlationId: 'c', causationId: 'e' };
    const body = encodeJson({});
    const to = (subject: string): Outgoing => ({ ...ids, target: { kind: 'reply', subject }, body });

    it('to inboxes only, if they are replies', async () => {
      const transport = new NatsTransport(client, () => {});
      for (const subject of [
        'dellm.cmd.1.account.alice',
        'dellm.evt.node.n1.VoteCast',
        '$JS.API.INFO',
        '>',
      ]) {
        await expect(transport.publish(to(subject))).rejects.toThrow(UnpublishableError);
      }
      const heard: string[] = [];
      const inbox = '_INBOX_network.someone';
      const watch = client.subscribe('>', { callback: (_, { subject }) => void heard.push(subject) });
      await transport.publish(to(inbox));
      await client.flush();
      watch.unsubscribe();
      expect(heard.filter((subject) => subject.startsWith('_INBOX') && subject.includes('some'))).toEqual([
        inbox,
      ]);
    });

    it('never again, if the broker cannot store them: then the effect alone is given up', async () => {
      const transport = new NatsTransport(client, () => {});
      const jsm = await jetstreamManager(client);
      const { config } = await jsm.streams.info(WORK);
      const work: Outgoing = { ...ids, target: { kind: 'work', device: 'd1' }, body };
      await expect(transport.publish({ ...work, correlationId: 'two\nlines' })).rejects.toThrow(
        UnpublishableError,
      );
      await jsm.streams.update(WORK, { ...config, max_msg_size: 256 });
      const large = { ...work, body: encodeJson({ text: 'x'.repeat(256) }) };
      await expect(transport.publish(large)).rejects.toThrow(UnpublishableError);
      await jsm.streams.update(WORK, config);
    });

    it.each([
      [503, 10077, 'maximum bytes exceeded'],
      [400, 10002, 'resource limits exceeded for account'],
    ])('again later, when the broker has no room: %i %i', (code, err_code, description) => {
      expect(isUnstorable(new JetStreamApiError({ code, err_code, description }))).toBe(false);
    });

    it('again later, when their connection is closed', async () => {
      const closed = await broker.connect();
      const transport = new NatsTransport(closed, () => {});
      await closed.close();
      const command: Outgoing = {
        ...ids,
        target: { kind: 'command', to: { kind: 'account', id: 'g1' } },
        body,
      };
      for (const message of [command, to('_INBOX.x')]) {
        await expect(transport.publish(message)).rejects.toThrow(NatsUnavailableError);
      }
    });
  });
});
