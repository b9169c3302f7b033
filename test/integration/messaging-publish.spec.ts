import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publisher } from '../../src/messaging/publish.ts';
import { ensureStreams, WORK } from '../../src/messaging/streams.ts';
import { workSubject } from '../../src/messaging/subjects.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

describe('publisher', () => {
  let nats: TestNats;
  let nc: NatsConnection;
  beforeAll(async () => {
    nats = await startTestNats({ devices: ['laptop'] });
    nc = await nats.connect();
    await ensureStreams(jetstream(nc));
  });
  afterAll(() => nats.stop());

  const message = (text: string, messageId: string = randomUUID()) => ({
    subject: workSubject('laptop'),
    body: Buffer.from(text),
    messageId,
  });

  async function stored(): Promise<number> {
    const jsm = await jetstream(nc).jetstreamManager();
    return (await jsm.streams.info(WORK)).state.messages;
  }

  it('sends the message id in a header, and leaves the detection of duplicates to the receiver', async () => {
    const publish = publisher(nc);
    const before = await stored();
    await publish(message('x', 'same'));
    const { seq } = await publish(message('x', 'same'));
    expect(await stored()).toBe(before + 2);
    const jsm = await jetstream(nc).jetstreamManager();
    expect((await jsm.streams.getMessage(WORK, { seq }))?.header.get('Dellm-Message')).toBe('same');
  });

  it('stores every message, many at a time, while the broker is killed and comes back', async () => {
    const publish = publisher(nc, { maxInFlight: 32, deadlineMs: 15_000 });
    const before = await stored();
    const all = Promise.all(Array.from({ length: 600 }, (_, n) => publish(message(String(n)))));
    await nats.restart();
    await all;
    expect(await stored()).toBeGreaterThanOrEqual(before + 600);
  });

  it('gives up at its deadline, and says that the result is unknown', async () => {
    await nats.server().kill();
    const publish = publisher(nc, { deadlineMs: 700 });
    const started = performance.now();
    await expect(publish(message('lost'))).rejects.toThrow(
      /may or may not be stored. Publish it again with the same message id/,
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    await nats.restart();
  });

  it('does not retry what the broker can never accept', async () => {
    const publish = publisher(nc, { deadlineMs: 10_000 });
    const started = performance.now();
    await expect(publish({ ...message('x'), body: new Uint8Array(1024 ** 2 + 1) })).rejects.toThrow(
      /max_payload/,
    );
    await expect(publish({ ...message('x'), subject: 'a b' })).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('fails at once without permission, although the broker sends no answer', async () => {
    const publish = publisher(await nats.connect({ device: 'laptop' }), { deadlineMs: 60_000 });
    await expect(publish(message('x'))).rejects.toThrow(/Permissions Violation/i);
  });

  it('refuses headers that contain line breaks', async () => {
    const publish = publisher(nc, { deadlineMs: 60_000 });
    await expect(publish({ ...message('x'), headers: { Name: 'a\r\nb: c' } })).rejects.toThrow(/line break/);
  });

  it('rejects publications in progress when its connection is closed', async () => {
    const connection = await nats.connect();
    const publish = publisher(connection, { deadlineMs: 60_000 });
    const underWay = expect(publish({ ...message('x'), subject: 'dellm.nobody' })).rejects.toThrow();
    await connection.close();
    await underWay;
  });
});
