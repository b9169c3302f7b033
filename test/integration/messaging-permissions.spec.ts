import { setImmediate } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { headers } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announce, ensureMembersBucket, readMembers } from '../../src/messaging/membership.ts';
import { AGENTS_BUCKET } from '../../src/messaging/permissions.ts';
import {
  COMMANDS,
  deviceConsumer,
  EVENTS,
  ensureDeviceConsumer,
  ensureStreams,
  partitionConsumer,
  WORK,
} from '../../src/messaging/streams.ts';
import {
  commandSubject,
  deadSubject,
  GATEWAY_INBOX,
  partitionOf,
  workSubject,
} from '../../src/messaging/subjects.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

describe("a device's user", () => {
  let nats: TestNats;
  let network: NatsConnection;
  let agent: NatsConnection;
  let other: NatsConnection;
  const errors = new Map<NatsConnection, string[]>();

  beforeAll(async () => {
    nats = await startTestNats({ devices: ['a', 'b'] });
    network = await nats.connect();
    const js = jetstream(network);
    await ensureStreams(js);
    for (const device of ['a', 'b']) await ensureDeviceConsumer(js, device);
    await ensureMembersBucket(network, AGENTS_BUCKET);
    agent = await nats.connect({ device: 'a' });
    other = await nats.connect({ device: 'b' });
  });
  afterAll(() => nats.stop());

  /** The violation that the broker reports for `act`; null if it allowed it. */
  async function violationOf(connection: NatsConnection, act: () => void): Promise<string | null> {
    const seen = errorsOf(connection);
    const before = seen.length;
    act();
    await connection.flush();
    // The broker sends its refusal before its answer to the flush. Listeners get it in this turn.
    await setImmediate();
    return seen[before] ?? null;
  }

  /** Everything that the broker has refused since the first call. It listens as long as the connection exists. */
  function errorsOf(connection: NatsConnection): readonly string[] {
    const known = errors.get(connection);
    if (known) return known;
    const seen: string[] = [];
    errors.set(connection, seen);
    void (async () => {
      for await (const status of connection.status()) {
        if (status.type === 'error') seen.push(status.error.message);
      }
    })();
    return seen;
  }

  async function messagesIn(stream: string): Promise<number> {
    const jsm = await jetstream(network).jetstreamManager();
    return (await jsm.streams.info(stream)).state.messages;
  }

  it('pulls its own work, holds it, and acknowledges it', async () => {
    await jetstream(network).publish(workSubject('a'), 'order for a');
    const consumer = await jetstream(agent).consumers.get(WORK, deviceConsumer('a'));
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.string()).toBe('order for a');
    message?.working();
    expect(await message?.ackAck()).toBe(true);
    expect(await messagesIn(WORK)).toBe(0);
  });

  it('keeps consuming its own work', async () => {
    const consumer = await jetstream(agent).consumers.get(WORK, deviceConsumer('a'));
    const messages = await consumer.consume({ max_messages: 2 });
    const heard: string[] = [];
    const done = (async () => {
      for await (const message of messages) {
        heard.push(message.string());
        message.ack();
        if (heard.length === 3) break;
      }
    })();
    for (const text of ['1', '2', '3']) await jetstream(network).publish(workSubject('a'), text);
    await done;
    expect(heard).toEqual(['1', '2', '3']);
    await messages.close();
  });

  it('sends commands to Nodes with its own id, and announces itself', async () => {
    const subject = commandSubject({ kind: 'node', id: 'n1' }, 'a');
    const ack = await jetstream(agent).publish(subject, '{}', { msgID: 'one' });
    expect(ack.stream).toBe(COMMANDS);
    const consumer = await jetstream(network).consumers.get(COMMANDS, partitionConsumer(partitionOf('n1')));
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.subject).toBe(subject);
    await message?.ackAck();
    const announcement = await announce({
      nc: agent,
      bucket: AGENTS_BUCKET,
      id: 'a',
      info: () => ({ slots: 10 }),
    });
    expect(await readMembers(network, AGENTS_BUCKET)).toEqual([{ id: 'a', info: { slots: 10 } }]);
    await announcement.leave();
  });

  it('cannot remove the announcements of others with its own', async () => {
    const other = await announce({ nc: network, bucket: AGENTS_BUCKET, id: 'b' });
    const rollup = headers();
    rollup.set('Nats-Rollup', 'all');
    const own = jetstream(agent).publish(`$KV.${AGENTS_BUCKET}.a`, '{}', { headers: rollup });
    await expect(own).rejects.toThrow('rollup not permitted');
    expect((await readMembers(network, AGENTS_BUCKET)).map(({ id }) => id)).toContain('b');
    await other.leave();
  });

  const node = { kind: 'node', id: 'n1' };
  it.each([
    ['work of another device', workSubject('b')],
    ['its own work', workSubject('a')],
    ['a command in the name of another device', commandSubject(node, 'b')],
    ['a command in the name of the network', commandSubject(node)],
    ['a command to an account', commandSubject({ kind: 'account', id: 'alice' }, 'a')],
    ['an event', 'dellm.evt.node.n1.VoteCast'],
    ['a question', 'dellm.ask'],
    ["another device's announcement", `$KV.${AGENTS_BUCKET}.b`],
    ["another device's inbox", '_INBOX_agent-b.x'],
    ["the network's inbox", '_INBOX_network.x'],
    ["a client's inbox", '_INBOX.x'],
    ["a gateway's inbox", `${GATEWAY_INBOX}.x.y`],
    ["another device's acknowledgement", `$JS.ACK.${WORK}.${deviceConsumer('b')}.1.1.1.1.0`],
    ["another device's next work", `$JS.API.CONSUMER.MSG.NEXT.${WORK}.${deviceConsumer('b')}`],
    ['the next command', `$JS.API.CONSUMER.MSG.NEXT.${COMMANDS}.${partitionConsumer(0)}`],
    ['a new consumer', `$JS.API.CONSUMER.CREATE.${WORK}`],
    ['a new durable consumer', `$JS.API.CONSUMER.DURABLE.CREATE.${WORK}.mine`],
    ['the deletion of a consumer', `$JS.API.CONSUMER.DELETE.${WORK}.${deviceConsumer('a')}`],
    ['the deletion of a stream', `$JS.API.STREAM.DELETE.${EVENTS}`],
    ['the purge of a stream', `$JS.API.STREAM.PURGE.${WORK}`],
    ['a stored message', `$JS.API.STREAM.MSG.GET.${WORK}`],
    ['a stored message by the direct way', `$JS.API.DIRECT.GET.KV_${AGENTS_BUCKET}`],
    ['the list of streams', '$JS.API.STREAM.LIST'],
    ['the account', '$JS.API.INFO'],
    ['the system', '$SYS.REQ.SERVER.PING'],
  ])('may not publish %s', async (_, subject) => {
    expect(await violationOf(agent, () => agent.publish(subject, 'x'))).toMatch(/permissions violation/i);
  });

  it.each([
    ['all', '>'],
    ["another device's work", workSubject('b')],
    ["another device's inbox", '_INBOX_agent-b.>'],
    ['all inboxes', '_INBOX.>'],
    ["the network's inbox", '_INBOX_network.>'],
    ["gateways' inboxes", `${GATEWAY_INBOX}.>`],
    ['commands', 'dellm.cmd.>'],
    ['events', 'dellm.evt.>'],
    ['announcements', `$KV.${AGENTS_BUCKET}.>`],
  ])('may not subscribe to %s', async (_, subject) => {
    const violation = await violationOf(agent, () => {
      agent.subscribe(subject, { callback: () => undefined });
    });
    expect(violation).toMatch(/permissions violation/i);
  });

  it("cannot take another device's work", async () => {
    await jetstream(network).publish(workSubject('b'), 'order for b');
    await expect(jetstream(agent).consumers.get(WORK, deviceConsumer('b'))).rejects.toThrow();
    const consumer = await jetstream(other).consumers.get(WORK, deviceConsumer('b'));
    const message = await consumer.next({ expires: 10_000 });
    expect(message?.string()).toBe('order for b');
    await message?.ackAck();
  });

  it('is the only one with these rights: a client without a user reads events, but no commands', async () => {
    const client = await nats.connect('client');
    for (const subject of [
      commandSubject(node),
      workSubject('a'),
      'dellm.evt.node.n1.VoteCast',
      'dellm.view.network',
      deadSubject(node),
      '$JS.API.STREAM.LIST',
      `${GATEWAY_INBOX}.x.y`,
    ]) {
      expect(await violationOf(client, () => client.publish(subject, 'x'))).toMatch(/permissions violation/i);
    }
    for (const subject of [
      'dellm.cmd.>',
      '_INBOX_network.>',
      '_INBOX_agent-a.>',
      `${GATEWAY_INBOX}.>`,
      '>',
    ]) {
      const subscribe = (): void => void client.subscribe(subject, { callback: () => undefined });
      expect(await violationOf(client, subscribe)).toMatch(/permissions violation/i);
    }
    const subscribe = (): void => void client.subscribe('dellm.evt.>', { callback: () => undefined });
    expect(await violationOf(client, subscribe)).toBeNull();
    expect(await messagesIn(COMMANDS)).toBe(0);
  });
});
