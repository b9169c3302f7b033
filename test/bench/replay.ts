import { join } from 'node:path';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { EventStore } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { PROJECTIONS } from '../../src/projections/index.ts';
import { ReadModel } from '../../src/projections/read-model.ts';
import { recordedOf } from '../../src/projections/recorded.ts';
import { runProjector } from '../../src/projections/runner.ts';
import { foldTo } from '../../src/replay/fold.ts';
import { MemoryModel } from '../../src/replay/memory-model.ts';
import { projectionsOf, tablesOf } from '../../src/replay/shows.ts';
import { snapshotCache } from '../../src/replay/snapshots.ts';
import { fileSource, type HistorySource, storeSource } from '../../src/replay/source.ts';
import { storeFileSource } from '../../src/replay/store-file.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { writeHistory } from './long-history.ts';
import { measuredProcess } from './measured-process.ts';
import type { ReplayMeasured, ReplayTask } from './replay-process.ts';
import { interleaved, ratios, spread, timed } from './statistics.ts';

const REPETITIONS = 3;
/** How far before the end a moment is. */
const BEFORE_THE_END = 10;
/** Projection snapshots of the history: of 1,000,000 events, one every 50,000, which is the default. */
const SNAPSHOTS = 20;

const AIMS: Readonly<Record<string, number>> = {
  'parsed events, folded': 300_000,
  'history.jsonl, read and folded': 150_000,
};

export const replay: Benchmark = {
  name: 'replay',
  title: 'Replaying a history',
  about:
    'A history of 50 Nodes that answer simple questions, recorded by the network with an instant engine and repeated under ' +
    'other ids, folded through all projections in plain maps: from parsed events (up to 100,000 of them) and from ' +
    '`history.jsonl`; beside a plain loop over the lines of that file and `JSON.parse` of each. Then the read model ' +
    'rebuilt through the event store by the projector, and all projections folded through the store and from its file ' +
    'directly; and `history at` ten events before the end, before there are projection snapshots and after. What only ' +
    'reads a file runs in a separate process, as a command does. ' +
    '`BENCH_EVENTS` sets another number of events. Aims: 300,000 and 150,000 events/s folded; 1,000,000 events rebuilt ' +
    'through the store in 60 s, from its file in 8 s; a moment near their end in 1 s.',
  unit: 'events',
  sizes: [Number(process.env.BENCH_EVENTS ?? 100_000)],
  least: 2_000,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  log('recording a history, and repeating it');
  const jsonl = join(folder, 'history.jsonl');
  const sqlite = join(folder, 'history.sqlite');
  const bytes = await writeHistory(size, jsonl, sqlite);
  log(`folding it (${Math.round(bytes / size)} bytes an event)`);
  const folding = await foldings(size, jsonl);
  log('rebuilding from the store and its file');
  const rebuilding = await rebuildings(size, folder, sqlite);
  log('showing a moment near the end');
  return [folding, rebuilding, await moments(size, folder, sqlite, jsonl)];
}

async function foldings(size: number, jsonl: string): Promise<Table> {
  const rate = (task: ReplayTask) => async () => {
    const { ms, events } = await replayed(task, jsonl);
    return (1000 * events) / ms;
  };
  const samples = await interleaved(REPETITIONS, {
    'lines of the file': rate('lines'),
    'lines, JSON.parse': rate('parse'),
    'history.jsonl, read and checked': rate('read'),
    'history.jsonl, read and folded': rate('fold'),
    'parsed events, folded': rate('fold parsed'),
  });
  const rows = Object.entries(samples).map(
    ([what, rates]): Row => ({
      events: size,
      what,
      'events/s': spread(rates),
      'to JSON.parse': ratios(rates, samples['lines, JSON.parse'] ?? []),
      'to the lines': ratios(rates, samples['lines of the file'] ?? []),
      'aim, events/s': AIMS[what] ?? '',
    }),
  );
  return { title: 'Folding', rows };
}

async function rebuildings(size: number, folder: string, sqlite: string): Promise<Table> {
  const rows: Row[] = [];
  const note = async (
    what: string,
    aim: number,
    times: number,
    task: () => Promise<number>,
  ): Promise<void> => {
    const seconds: number[] = [];
    for (let time = 0; time < times; time += 1) seconds.push((await task()) / 1000);
    rows.push({
      events: size,
      what,
      seconds: spread(seconds),
      'events/s': spread(seconds.map((one) => size / one)),
      'aim, s': (aim * size) / 1e6,
    });
  };
  await note('folded from the store’s file', 8, REPETITIONS, async () => {
    const { ms } = await replayed('fold store file', sqlite);
    return ms;
  });
  const server = await launchEmbeddedEventStore({ file: sqlite });
  const store = connectEventStore(server.connectionString);
  try {
    await note('folded through the store', 60, 1, () => timed(() => fold(storeSource(store, ''))));
    await note('read model made by the projector', 60, 1, () =>
      timed(() => rebuild(store, join(folder, 'read-model.sqlite'))),
    );
  } finally {
    await store.close();
    await server.stop();
  }
  return { title: 'Rebuilding', rows };
}

async function moments(size: number, folder: string, sqlite: string, jsonl: string): Promise<Table> {
  const projections = projectionsOf(tablesOf('all'));
  const sources = { 'store’s file': () => storeFileSource(sqlite), 'history.jsonl': () => fileSource(jsonl) };
  const rows: Row[] = [];
  for (const [what, open] of Object.entries(sources)) {
    const source = open();
    const cache = snapshotCache(join(folder, 'cache'), { every: Math.ceil(size / SNAPSHOTS) });
    const position = await lastPosition(source);
    const moment = { kind: 'event', position: position - BEFORE_THE_END } as const;
    const show = () => timed(() => foldTo({ source, moment, projections, cache }));
    const first = await show();
    const later = [await show(), await show(), await show()];
    rows.push({
      events: size,
      what,
      'first, s': first / 1000,
      'later, s': spread(later.map((ms) => ms / 1000)),
      'aim, s': 1,
    });
    await source.close();
  }
  return { title: 'A moment near the end', rows };
}

/** In a separate process, like a replay command. */
function replayed(task: ReplayTask, path: string): Promise<ReplayMeasured> {
  return measuredProcess(`that replays (${task})`, './replay-process.js', [task, path]);
}

async function fold(source: HistorySource): Promise<void> {
  const model = new MemoryModel(PROJECTIONS);
  for await (const { events } of source.batches()) for (const event of events) model.apply(recordedOf(event));
}

async function rebuild(store: EventStore, file: string): Promise<void> {
  const model = new ReadModel(file, PROJECTIONS);
  const stop = new AbortController();
  await runProjector({ store, model, signal: stop.signal, onCaughtUp: () => stop.abort() });
  model.close();
}

async function lastPosition(source: HistorySource): Promise<number> {
  let position = 0;
  for await (const { cursor } of source.batches()) position = cursor.position;
  return position;
}
