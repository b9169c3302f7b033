import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { JsMsg } from '@nats-io/jetstream';
import { AckPolicy, jetstream, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { headers, nanos } from 'nats';
import { encodeJson, HEADER } from '../../src/events/envelope.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { Host } from '../../src/host/host.ts';
import { NatsTransport } from '../../src/host/nats-transport.ts';
import { ensureStreams } from '../../src/messaging/streams.ts';
import { commandSubject, PARTITIONS } from '../../src/messaging/subjects.ts';
import { startTestNats } from '../support/nats.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { counter } from './counter.ts';
import { sampleEvent } from './sample-events.ts';
import { interleaved, load, percentile, ratios, spread } from './statistics.ts';

const REPETITIONS = 5;
const BARE_STREAM = 'BENCH';
const TEXT = 'x'.repeat(300);

/** One way that a command goes: `send` resolves when it has been acknowledged. */
interface Way {
  send(actor: string, number: number): Promise<void>;
  close(): Promise<void>;
}

export const command: Benchmark = {
  name: 'command',
  title: 'A command through the host',
  about:
    'From publishing to its acknowledgement: an actor with one command and one event behind the host (read, validate, ' +
    'decide, append, apply, ack), with the embedded store and with one in memory, beside bare JetStream (publish, ' +
    'consume, ack of a message of the same size) and beside the same with a bare append to the embedded store before ' +
    'the ack. Sender and receiver share a process. Every sender has its own actor. Ratios are of the rate to ' +
    'bare JetStream in the same round.',
  unit: 'commands',
  sizes: [100, 1_000, 10_000],
  least: 64,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const nats = await startTestNats();
  const server = await launchEmbeddedEventStore({ file: join(folder, 'server.sqlite') });
  const store = connectEventStore(server.connectionString);
  const rows: Row[] = [];
  try {
    const nc = await nats.connect();
    await ensureStreams(jetstream(nc));
    await ensureBareStream(nc);
    for (const inFlight of [1, 64]) {
      log(`${inFlight} in flight`);
      const samples = await interleaved(REPETITIONS, {
        'bare JetStream': () => measure(() => bareWay(nc), size, inFlight),
        'bare JetStream and append': () => measure(() => bareWay(nc, store), size, inFlight),
        'host, store in memory': () => measure(() => hostWay(nc, createMemoryEventStore()), size, inFlight),
        'host, embedded store': () => measure(() => hostWay(nc, store), size, inFlight),
      });
      const base = (samples['bare JetStream'] ?? []).map(({ perSecond }) => perSecond);
      for (const [what, rounds] of Object.entries(samples)) {
        const rates = rounds.map(({ perSecond }) => perSecond);
        rows.push({
          'in flight': inFlight,
          commands: size,
          what,
          'commands/s': spread(rates),
          'p50 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.5))),
          'p99 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.99))),
          'to bare JetStream': ratios(rates, base),
        });
      }
    }
  } finally {
    await store.close();
    await server.stop();
    await nats.stop();
  }
  return [{ title: 'Commands', rows }];
}

async function measure(
  open: () => Promise<Way>,
  size: number,
  inFlight: number,
): Promise<{ perSecond: number; eachMs: readonly number[] }> {
  const way = await open();
  const round = randomUUID().slice(0, 8);
  const numbers = new Map<string, number>();
  try {
    const { totalMs, eachMs } = await load(size, inFlight, async (_index, worker) => {
      const actor = `${round}-${worker}`;
      const number = (numbers.get(actor) ?? 0) + 1;
      numbers.set(actor, number);
      await way.send(actor, number);
    });
    return { perSecond: (1000 * size) / totalMs, eachMs };
  } finally {
    await way.close();
  }
}

/** The messages on their way, by id. */
class Pending {
  readonly #resolvers = new Map<string, () => void>();

  /** Resolves when `publish` and the acknowledgement are over. */
  async sent(publish: (messageId: string) => Promise<unknown>): Promise<void> {
    const messageId = randomUUID();
    const acknowledged = new Promise<void>((resolve) => this.#resolvers.set(messageId, resolve));
    await Promise.all([publish(messageId), acknowledged]);
  }

  acknowledged(messageId: string | undefined): void {
    if (messageId === undefined) return;
    this.#resolvers.get(messageId)?.();
    this.#resolvers.delete(messageId);
  }
}

function commandBody(number: number): Uint8Array {
  return encodeJson({ type: 'Count', data: { number, text: TEXT } });
}

async function hostWay(nc: NatsConnection, store: EventStore): Promise<Way> {
  const pending = new Pending();
  const onLog = (level: string, message: string): void => {
    if (level !== 'info' && level !== 'debug') process.stderr.write(`${level}: ${message}\n`);
  };
  const transport = new NatsTransport(nc, onLog);
  const host = new Host({
    definitions: [counter],
    store,
    transport,
    reads: () => null,
    startTimer: () => {},
    onLog,
  });
  const consumers = Array.from({ length: PARTITIONS }, (_, partition) =>
    transport.consume(partition, (delivery) => {
      host.receive({
        ...delivery,
        ack() {
          delivery.ack();
          pending.acknowledged(delivery.headers.messageId);
        },
      });
    }),
  );
  return {
    send: (actor, number) =>
      pending.sent((messageId) =>
        transport.publish({
          target: { kind: 'command', to: { kind: 'account', id: actor } },
          body: commandBody(number),
          messageId,
          correlationId: messageId,
          causationId: messageId,
        }),
      ),
    async close() {
      await host.settled();
      await Promise.all(consumers.map((consumer) => consumer.stop()));
    },
  };
}

async function bareWay(nc: NatsConnection, store?: EventStore): Promise<Way> {
  const js = jetstream(nc);
  const pending = new Pending();
  const revisions = new Map<string, number>();
  const consumer = await js.consumers.get(BARE_STREAM, BARE_STREAM);
  const handle = async (message: JsMsg): Promise<void> => {
    if (store) {
      const stream = `credit-bare-${message.subject.slice(message.subject.lastIndexOf('.') + 1)}`;
      const revision = revisions.get(stream) ?? -1;
      revisions.set(stream, revision + 1);
      await store.append(stream, [sampleEvent()], revision < 0 ? 'no-stream' : revision);
    }
    message.ack();
    pending.acknowledged(message.headers?.get(HEADER.messageId));
  };
  const messages = await consumer.consume({ callback: (message) => void handle(message) });
  return {
    send: (actor, number) =>
      pending.sent((messageId) => {
        const meta = headers();
        meta.set(HEADER.messageId, messageId);
        meta.set(HEADER.correlationId, messageId);
        meta.set(HEADER.causationId, messageId);
        const subject = commandSubject({ kind: 'account', id: actor }).replace('dellm.cmd', 'bench');
        return js.publish(subject, commandBody(number), { headers: meta });
      }),
    async close() {
      await messages.close();
    },
  };
}

/** As the commands' own stream and consumers are, in one. */
async function ensureBareStream(nc: NatsConnection): Promise<void> {
  const jsm = await jetstream(nc).jetstreamManager();
  await jsm.streams.add({
    name: BARE_STREAM,
    subjects: ['bench.>'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    duplicate_window: nanos(120_000),
  });
  await jsm.consumers.add(BARE_STREAM, {
    durable_name: BARE_STREAM,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(5_000),
    max_ack_pending: 256,
  });
}
