import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { nanos } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  COMMANDS,
  DEAD,
  deviceConsumer,
  EVENTS,
  ensureDeviceConsumer,
  ensureStreams,
  partitionConsumer,
  WORK,
} from '../../src/messaging/streams.ts';
import { commandSubject, PARTITIONS, partitionOf, workSubject } from '../../src/messaging/subjects.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

describe('streams as code', () => {
  let nats: TestNats;
  beforeAll(async () => {
    nats = await startTestNats();
  });
  afterAll(() => nats.stop());

  it('exist once, also if three processes create them at the same time, repeatedly', async () => {
    const clients = await Promise.all([nats.connect(), nats.connect(), nats.connect()]);
    await Promise.all(clients.map((nc) => ensureStreams(jetstream(nc))));
    await ensureStreams(jetstream(await nats.connect()));
    const jsm = await jetstreamManager(await nats.connect());
    const names: string[] = [];
    for await (const info of jsm.streams.list()) names.push(info.config.name);
    expect(names.sort()).toEqual([COMMANDS, DEAD, EVENTS, WORK]);
    const consumers: string[] = [];
    for await (const info of jsm.consumers.list(COMMANDS)) {
      consumers.push(info.name);
      expect(info.config).toMatchObject({ max_ack_pending: 256, ack_wait: nanos(5_000) });
    }
    expect(consumers).toHaveLength(PARTITIONS);
  });

  it('are changed back to the configuration in the code, and keep their messages', async () => {
    const nc = await nats.connect();
    const js = jetstream(nc);
    const jsm = await js.jetstreamManager();
    const target = { kind: 'node', id: 'drift' };
    const consumer = partitionConsumer(partitionOf(target.id));
    await js.publish(commandSubject(target), 'kept');
    await jsm.streams.update(EVENTS, { max_age: nanos(1_000_000) });
    await jsm.consumers.update(COMMANDS, consumer, { ack_wait: nanos(30_000), max_ack_pending: 1 });
    await ensureStreams(js);
    expect((await jsm.streams.info(EVENTS)).config.max_age).toBe(nanos(86_400_000));
    expect((await jsm.consumers.info(COMMANDS, consumer)).config).toMatchObject({
      ack_wait: nanos(5_000),
      max_ack_pending: 256,
    });
    const message = await (await js.consumers.get(COMMANDS, consumer)).next({ expires: 10_000 });
    expect(message?.string()).toBe('kept');
    expect(await message?.ackAck()).toBe(true);
    expect((await jsm.streams.info(COMMANDS)).state.messages).toBe(0);
  });

  it('report with a clear error what cannot be changed in place', async () => {
    const nc = await nats.connect();
    const js = jetstream(nc);
    const jsm = await js.jetstreamManager();
    await jsm.streams.delete(DEAD);
    await jsm.streams.add({ name: DEAD, subjects: ['dellm.dead.>'], storage: 'memory' as never });
    await expect(ensureStreams(js)).rejects.toThrow(/refused the stream DELLM_DEAD.*Nothing was deleted/);
    await jsm.streams.delete(DEAD);
    await ensureStreams(js);
  });

  it('keep their messages over a crash of the broker', async () => {
    const nc = await nats.connect();
    const js = jetstream(nc);
    await ensureDeviceConsumer(js, 'laptop');
    await ensureDeviceConsumer(js, 'laptop');
    await js.publish(workSubject('laptop'), 'order');
    await nats.restart();
    const consumer = await js.consumers.get(WORK, deviceConsumer('laptop'));
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.string()).toBe('order');
    await message?.ackAck();
  });
});
