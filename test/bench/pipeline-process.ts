import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsMsg } from '@nats-io/jetstream';
import { jetstream } from '@nats-io/jetstream';
import { headers } from 'nats';
import { decodeJson, encodeJson, GENESIS_HASH, HEADER } from '../../src/events/envelope.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { NewEvent } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { launchNatsServer } from '../../src/messaging/nats-server.ts';
import { NETWORK_USER } from '../../src/messaging/permissions.ts';
import { runRelay } from '../../src/messaging/relay.ts';
import {
  COMMANDS,
  deviceConsumer,
  ensureDeviceConsumer,
  ensureStreams,
  partitionConsumer,
  WORK,
} from '../../src/messaging/streams.ts';
import { commandSubject, PARTITIONS, workSubject } from '../../src/messaging/subjects.ts';
import { loadNatsUsers } from '../../src/messaging/users.ts';
import type { NetworkProcessOptions, NetworkReady } from './network-process.ts';

/** One message of a query and the append that follows from it. */
interface Hop {
  readonly kind: 'account' | 'query' | 'superCluster' | 'node';
  /** Bytes of data in each of the events, as in a recorded simple query. */
  readonly events: readonly number[];
  /** Which hops this one makes happen. */
  readonly next: readonly number[];
  /** Whether the device works in between. */
  readonly viaDevice?: true;
}

const HOPS: readonly Hop[] = [
  { kind: 'account', events: [500], next: [1] },
  { kind: 'query', events: [350, 200, 280, 200], next: [2] },
  { kind: 'superCluster', events: [1260], next: [3] },
  { kind: 'node', events: [370], next: [4], viaDevice: true },
  { kind: 'node', events: [215, 215, 445], next: [5] },
  // The client has its answer now.
  { kind: 'query', events: [450, 960, 80, 60, 80], next: [6, 7, 8, 9] },
  { kind: 'node', events: [245], next: [] },
  { kind: 'superCluster', events: [135], next: [] },
  { kind: 'account', events: [220], next: [] },
  { kind: 'account', events: [280], next: [] },
];
const REPLY_AFTER = 5;
const NODES = 50;
const DEVICE = 'bench';
const MAILBOX = 64;

interface Body {
  readonly hop: number;
  readonly queryId: string;
  readonly account: string;
  readonly node: string;
  readonly replyTo: string;
}

const { home } = JSON.parse(process.argv[2] ?? '{}') as NetworkProcessOptions;
mkdirSync(home, { recursive: true });
const [network, ...users] = await loadNatsUsers(home, []);
if (!network) throw new Error('The broker has no users.');
const broker = await launchNatsServer({ dataDir: join(home, 'nats'), port: 0, users: [network, ...users] });
const server = await launchEmbeddedEventStore({ file: join(home, 'history.sqlite') });
const store = connectEventStore(server.connectionString);
const nc = await connectNats({
  url: broker.url,
  user: NETWORK_USER,
  password: network.password,
  name: 'pipeline',
});
const js = jetstream(nc);
await ensureStreams(js);
await ensureDeviceConsumer(js, DEVICE);

const ending = new AbortController();
const relay = runRelay({ nc, store, signal: ending.signal });
for (let partition = 0; partition < PARTITIONS; partition += 1) {
  const consumer = await js.consumers.get(COMMANDS, partitionConsumer(partition));
  await consumer.consume({ callback: receive });
}
const work = await js.consumers.get(WORK, deviceConsumer(DEVICE));
await work.consume({ callback: (message) => void passOn(message) });
let asked = 0;
nc.subscribe('dellm.ask', {
  callback(_error, message) {
    const { account = 'owner' } = decodeJson(message.data) as { account?: string };
    const node = `node-${asked++ % NODES}`;
    void send({ hop: 0, queryId: randomUUID(), account, node, replyTo: message.reply ?? '' });
  },
});
await nc.flush();
process.once('disconnect', () => void stop());
const ready: NetworkReady = { natsUrl: broker.url, storeUrl: server.connectionString };
process.send?.(ready);

async function stop(): Promise<void> {
  ending.abort();
  await relay;
  await nc.close();
  await store.close();
  await Promise.all([server.stop(), broker.stop()]);
  process.exit(0);
}

function hopOf({ hop }: Body): Hop {
  const found = HOPS[hop];
  if (!found) throw new Error(`There is no hop ${hop}.`);
  return found;
}

function actorOf(body: Body): string {
  const ids = { account: body.account, query: body.queryId, superCluster: 'main', node: body.node };
  return ids[hopOf(body).kind];
}

async function send(body: Body): Promise<void> {
  await publish(commandSubject({ kind: hopOf(body).kind, id: actorOf(body) }), body);
}

async function publish(subject: string, body: Body): Promise<void> {
  const meta = headers();
  const id = randomUUID();
  meta.set(HEADER.messageId, id);
  meta.set(HEADER.correlationId, body.queryId);
  meta.set(HEADER.causationId, id);
  // As heavy as commands are.
  await js.publish(subject, encodeJson({ ...body, text: 'x'.repeat(200) }), { headers: meta });
}

/** The device: its order is held until the next command is stored. */
async function passOn(message: JsMsg): Promise<void> {
  await send(decodeJson(message.data) as Body);
  message.ack();
}

interface Waiting {
  readonly body: Body;
  readonly message: JsMsg;
}

/** The messages that wait for each stream. They share the next append, like messages in a mailbox. */
const mailboxes = new Map<string, Waiting[]>();
const revisions = new Map<string, number>();

function receive(message: JsMsg): void {
  const body = decodeJson(message.data) as Body;
  const stream = `${hopOf(body).kind}-${actorOf(body)}`;
  const waiting = mailboxes.get(stream);
  if (waiting) waiting.push({ body, message });
  else {
    mailboxes.set(stream, [{ body, message }]);
    void empty(stream);
  }
}

async function empty(stream: string): Promise<void> {
  const waiting = mailboxes.get(stream) ?? [];
  while (waiting.length > 0) {
    const batch = waiting.splice(0, MAILBOX);
    const events = batch.flatMap(({ body }) => hopOf(body).events.map((bytes) => eventOf(body, bytes)));
    const revision = revisions.get(stream) ?? -1;
    const result = await store.append(stream, events, revision < 0 ? 'no-stream' : revision);
    if (result.outcome !== 'appended') throw new Error(`${stream}: somebody else wrote.`);
    revisions.set(stream, result.revision);
    await Promise.all(batch.map(follow));
  }
  mailboxes.delete(stream);
}

async function follow({ body, message }: Waiting): Promise<void> {
  const { next, viaDevice } = hopOf(body);
  if (body.hop === REPLY_AFTER) {
    nc.publish(body.replyTo, encodeJson({ queryId: body.queryId, outcome: 'answered', answer: null }));
  }
  await Promise.all(
    next.map((hop) => (viaDevice ? publish(workSubject(DEVICE), { ...body, hop }) : send({ ...body, hop }))),
  );
  message.ack();
}

function eventOf({ queryId }: Body, bytes: number): NewEvent {
  const id = randomUUID();
  return {
    id,
    type: 'HopRecorded',
    data: { text: 'x'.repeat(bytes) },
    metadata: {
      schemaVersion: 1,
      messageId: id,
      causationId: id,
      correlationId: queryId,
      prevHash: GENESIS_HASH,
    },
  };
}
