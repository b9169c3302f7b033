import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { EventStore, NewEvent } from '../../src/eventstore/port.ts';
import { openStoreFile } from '../../src/eventstore/server/file.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { sampleEvent } from './sample-events.ts';
import { interleaved, load, percentile, ratios, spread, timed } from './statistics.ts';

const REPETITIONS = 5;
const IN_FLIGHT = 64;
/** Events of one append when a stream to be read is made. */
const CHUNK = 100;

/** One way to append and to read. */
interface Contestant {
  /** Whether it runs in this process and one at a time, so that 64 in flight means 64 events in one append. */
  readonly synchronous: boolean;
  append(stream: string, events: readonly NewEvent[], revision: number): Promise<void>;
  /** Both give how many events came, with their data and metadata parsed. */
  readStream(stream: string): Promise<number>;
  catchUp(count: number): Promise<number>;
}

export const store: Benchmark = {
  name: 'store',
  title: 'Event store: append, read, catch up',
  about:
    'The port (`src/eventstore/esdb.ts`) and the bare `@eventstore/db-client` against one embedded server, beside raw ' +
    'SQLite (libsql, the same tables, WAL, synchronous=FULL) in this process. Every append is one event of 1 KB with ' +
    'the exact expected revision, flushed before it is answered; of 64 in flight, raw SQLite puts 64 into one ' +
    'transaction. Ratios are to raw SQLite in the same round (below 1: slower).',
  unit: 'events',
  sizes: [100, 1_000, 10_000],
  least: 64,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const server = await launchEmbeddedEventStore({ file: join(folder, 'server.sqlite') });
  const port = connectEventStore(server.connectionString);
  const client = EventStoreDBClient.connectionString(server.connectionString);
  const raw = openStoreFile(join(folder, 'raw.sqlite'));
  const contestants: Readonly<Record<string, Contestant>> = {
    'raw SQLite': rawSqlite(raw.database),
    'bare client': bareClient(client),
    port: throughPort(port),
  };
  try {
    return [
      { title: 'Append', rows: await appends(contestants, size, log) },
      { title: 'Read', rows: await reads(contestants, size, log) },
    ];
  } finally {
    await port.close();
    await client.dispose();
    await server.stop();
    raw.close();
  }
}

async function appends(
  contestants: Readonly<Record<string, Contestant>>,
  size: number,
  log: Run['log'],
): Promise<Row[]> {
  let round = 0;
  const rows: Row[] = [];
  for (const inFlight of [1, IN_FLIGHT]) {
    log(`appending, ${inFlight} in flight`);
    const samples = await interleaved(
      REPETITIONS,
      mapped(contestants, (contestant, name) => () => {
        round += 1;
        return appendAll(contestant, `${name.replace(' ', '')}${round}`, size, inFlight);
      }),
    );
    const base = (samples['raw SQLite'] ?? []).map(({ perSecond }) => perSecond);
    for (const [name, rounds] of Object.entries(samples)) {
      const rates = rounds.map(({ perSecond }) => perSecond);
      rows.push({
        'in flight': inFlight,
        events: size,
        what: name,
        'appends/s': spread(rates),
        'p50 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.5))),
        'p99 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.99))),
        'to raw SQLite': ratios(rates, base),
      });
    }
  }
  return rows;
}

async function appendAll(
  contestant: Contestant,
  prefix: string,
  size: number,
  inFlight: number,
): Promise<{ perSecond: number; eachMs: readonly number[] }> {
  const together = contestant.synchronous ? inFlight : 1;
  const workers = contestant.synchronous ? 1 : inFlight;
  const revisions = new Map<string, number>();
  const { totalMs, eachMs } = await load(Math.ceil(size / together), workers, async (index, worker) => {
    const stream = `bench-${prefix}-${worker}`;
    const revision = revisions.get(stream) ?? -1;
    const events = Array.from({ length: Math.min(together, size - index * together) }, sampleEvent);
    await contestant.append(stream, events, revision);
    revisions.set(stream, revision + events.length);
  });
  return { perSecond: (1000 * size) / totalMs, eachMs };
}

async function reads(
  contestants: Readonly<Record<string, Contestant>>,
  size: number,
  log: Run['log'],
): Promise<Row[]> {
  const { 'raw SQLite': raw, port } = contestants;
  log('making the stream to be read');
  for (let done = 0; done < size; done += CHUNK) {
    const events = Array.from({ length: Math.min(CHUNK, size - done) }, sampleEvent);
    await raw?.append('bench-read', events, done - 1);
    await port?.append('bench-read', events, done - 1);
  }
  const rows: Row[] = [];
  for (const [what, read] of [
    ['one stream', (contestant: Contestant) => contestant.readStream('bench-read')],
    ['catch up', (contestant: Contestant) => contestant.catchUp(size)],
  ] as const) {
    log(what);
    const samples = await interleaved(
      REPETITIONS,
      mapped(contestants, (contestant) => async () => {
        let count = 0;
        const ms = await timed(async () => {
          count = await read(contestant);
        });
        if (count !== size) throw new Error(`${what}: ${count} of ${size} events came.`);
        return (1000 * count) / ms;
      }),
    );
    const base = samples['raw SQLite'] ?? [];
    for (const [name, rates] of Object.entries(samples)) {
      rows.push({
        read: what,
        events: size,
        what: name,
        'events/s': spread(rates),
        'to raw SQLite': ratios(rates, base),
      });
    }
  }
  return rows;
}

function throughPort(port: EventStore): Contestant {
  return {
    synchronous: false,
    async append(stream, events, revision) {
      const result = await port.append(stream, events, revision < 0 ? 'no-stream' : revision);
      if (result.outcome !== 'appended') throw new Error(`The append to ${stream} met a conflict.`);
    },
    async readStream(stream) {
      let count = 0;
      for await (const _event of port.readStream(stream)) count += 1;
      return count;
    },
    async catchUp(limit) {
      const abort = new AbortController();
      let count = 0;
      for await (const delivery of port.subscribe({ signal: abort.signal })) {
        if (delivery.kind === 'event') count += 1;
        if (count === limit) break;
      }
      abort.abort();
      return count;
    },
  };
}

function bareClient(client: EventStoreDBClient): Contestant {
  return {
    synchronous: false,
    async append(stream, events, revision) {
      const expectedRevision = revision < 0 ? 'no_stream' : BigInt(revision);
      const own = events.map(({ id, type, data, metadata }) =>
        jsonEvent({ id, type, data: { ...data }, metadata: { ...metadata } }),
      );
      await client.appendToStream(stream, own, { expectedRevision });
    },
    async readStream(stream) {
      let count = 0;
      for await (const _event of client.readStream(stream)) count += 1;
      return count;
    },
    async catchUp(limit) {
      const subscription = client.subscribeToAll();
      let count = 0;
      for await (const _event of subscription) {
        count += 1;
        if (count === limit) break;
      }
      await subscription.unsubscribe();
      return count;
    },
  };
}

function rawSqlite(database: ReturnType<typeof openStoreFile>['database']): Contestant {
  const insert = database.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const last = database.prepare('select max(revision) as revision from events where stream = ?');
  const ofStream = database.prepare('select * from events where stream = ? order by revision');
  const ofAll = database.prepare('select * from events order by position limit ?');
  let position = 0;
  const put = (stream: string, events: readonly NewEvent[], expected: number): void => {
    const found = last.get(stream) as { revision: number | null };
    if ((found.revision ?? -1) !== expected) throw new Error(`${stream} is not at revision ${expected}.`);
    for (const [index, { id, type, data, metadata }] of events.entries()) {
      position += 100;
      const [body, meta] = [Buffer.from(JSON.stringify(data)), Buffer.from(JSON.stringify(metadata))];
      const revision = expected + 1 + index;
      insert.run(position, stream, revision, id, type, 'application/json', Date.now(), body, meta);
    }
  };
  const parse = (rows: readonly unknown[]): number => {
    for (const row of rows as { data: ArrayBuffer; metadata: ArrayBuffer }[]) {
      JSON.parse(Buffer.from(row.data).toString());
      JSON.parse(Buffer.from(row.metadata).toString());
    }
    return rows.length;
  };
  return {
    synchronous: true,
    async append(stream, events, revision) {
      database.exec('begin immediate');
      put(stream, events, revision);
      database.exec('commit');
    },
    async readStream(stream) {
      return parse(ofStream.all(stream));
    },
    async catchUp(limit) {
      return parse(ofAll.all(limit));
    },
  };
}

function mapped<From, To>(
  record: Readonly<Record<string, From>>,
  change: (from: From, name: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([name, from]) => [name, change(from, name)]));
}
