import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SPECIES } from '../../src/inference/species.ts';
import { PROJECTIONS } from '../../src/projections/index.ts';
import type { AnyProjection } from '../../src/projections/projection.ts';
import { ReadModel } from '../../src/projections/read-model.ts';
import { recordedOf } from '../../src/projections/recorded.ts';
import { runProjector } from '../../src/projections/runner.ts';
import { LocalNetwork } from '../support/local-network.ts';
import type { Benchmark, Run, Table } from './benchmark.ts';
import { multiplication } from './questions.ts';
import { interleaved, ratios, spread, timed } from './statistics.ts';

const REPETITIONS = 5;
/** A simple query leaves about so many events behind. */
const EVENTS_PER_QUERY = 19;
const COMMIT_EVERY = 1_000;

export const projections: Benchmark = {
  name: 'projections',
  title: 'Folding history into the read models',
  about:
    'A history of simple queries (50 Nodes, recorded by the network itself with simulated models) folded from memory ' +
    'into all read models of an in-memory SQLite file, by the runner that the projector role uses and by the model ' +
    'alone, and into each one by itself; beside `JSON.parse` of the same events alone. Ratios are to `JSON.parse`.',
  unit: 'events',
  sizes: [1_000, 10_000, 50_000],
  least: 500,
  run,
};

async function run({ size, log }: Run): Promise<readonly Table[]> {
  log('recording a history');
  const history = await recordHistory(size);
  const lines = history.map((event) => JSON.stringify(event));
  const store = await storeOf(history);
  const perSecond = (fold: () => unknown) => async () => (1000 * history.length) / (await timed(fold));
  log('folding it');
  const samples = await interleaved(REPETITIONS, {
    'JSON.parse alone': perSecond(() => lines.map((line) => JSON.parse(line))),
    'all read models, by the runner': perSecond(() => runAll(store)),
    'all read models': perSecond(() => fold(history, PROJECTIONS)),
    ...Object.fromEntries(
      PROJECTIONS.map((projection) => [
        `only ${projection.name}`,
        perSecond(() => fold(history, [projection])),
      ]),
    ),
  });
  const base = samples['JSON.parse alone'] ?? [];
  const rows = Object.entries(samples).map(([what, rates]) => ({
    events: history.length,
    what,
    'events/s': spread(rates),
    'to JSON.parse': ratios(rates, base),
  }));
  return [{ title: 'Folding', rows }];
}

function fold(history: readonly StoredEvent[], chosen: readonly AnyProjection[]): void {
  const model = new ReadModel(':memory:', chosen);
  for (const [index, event] of history.entries()) {
    model.apply(recordedOf(event));
    if (index % COMMIT_EVERY === 0) model.commit();
  }
  model.commit();
  model.close();
}

async function runAll(store: EventStore): Promise<void> {
  const model = new ReadModel(':memory:', PROJECTIONS);
  const stop = new AbortController();
  await runProjector({ store, model, signal: stop.signal, onCaughtUp: () => stop.abort() });
  model.close();
}

async function recordHistory(size: number): Promise<readonly StoredEvent[]> {
  const table = Array.from({ length: Math.ceil(size / EVENTS_PER_QUERY) }, (_, index) =>
    multiplication(index),
  );
  const network = new LocalNetwork(
    createInstantEngine({
      answers: new Map(table.map(({ question, answer }) => [question, answer])),
      errorRates: new Map(
        SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0] as const)),
      ),
      seed: 1,
    }),
  );
  await network.begin();
  for (const { question } of table) await network.ask(question);
  const events = await network.events();
  await network.close();
  return events.filter(({ stream }) => !stream.startsWith('snapshot-')).slice(0, size);
}

/** The history in a separate store, with the positions and revisions that it has there. */
async function storeOf(history: readonly StoredEvent[]): Promise<EventStore> {
  const store = createMemoryEventStore();
  for (const { stream, id, type, data, metadata } of history) {
    await store.append(stream, [{ id, type, data, metadata }], 'any');
  }
  return store;
}
