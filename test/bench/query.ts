import { fileURLToPath } from 'node:url';
import { runWorkOrder } from '../../src/agent/work.ts';
import type { WorkOrder } from '../../src/events/node.ts';
import { QUERY_ENDINGS } from '../../src/events/query.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import { loadCatalogue, modelPath } from '../../src/inference/catalogue.ts';
import { createLlamaEngine } from '../../src/inference/llama/engine.ts';
import { SPECIES, seedGenome } from '../../src/inference/species.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { eventsAfter, startNetwork } from './network.ts';
import { multiplication } from './questions.ts';
import { grouped, mean, percentile, type Spread, spread } from './statistics.ts';

const QUESTION = 'What is 15 × 23?';
const ROUNDS = 5;
const WARM_UP = 20;

/** A query as its asker saw it; times in milliseconds since 1970. */
interface Asked {
  readonly queryId: string;
  readonly began: number;
  readonly ended: number;
  readonly ms: number;
}

/** One append on the way of a query. */
interface Step {
  readonly name: string;
  /** The host's clock when it was decided. */
  readonly decided: number;
  /** The store's clock when it was written, before the flush. */
  readonly stored: number;
}

/** The appends of a simple query by their first event; whatever else there is counts as `another attempt`. */
const STEPS: Readonly<Record<string, string>> = {
  CreditsReserved: '1 reserve (account)',
  QueryAsked: '2 ask, analyse, plan (query)',
  SubtaskRouted: '3 route (super cluster)',
  TaskAccepted: '4 accept (node)',
  ModelAnswered: '5 both models, vote (node)',
  SubtaskAnswered: '6 verdict, synthesis, ending (query)',
};

export const query: Benchmark = {
  name: 'query',
  title: 'A simple query beside calling its two models',
  about:
    `“${QUESTION}” asked one at a time over \`dellm.ask\` (six appends, all flushed, before the reply), in turn with the ` +
    'same two miniature models called directly through the llama engine, loaded and warm in both cases; and asked of a ' +
    'network whose models are **simulated** and take no time. The overhead is the difference of the medians of one ' +
    'round. Aim: p50 below 15 ms where fsync p50 is 0.3 ms or less.',
  unit: 'queries',
  sizes: [20, 200, 2_000],
  least: 10,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const perRound = Math.ceil(size / ROUNDS);
  const real = await withModels(folder, perRound, log);
  const instant = await withInstantEngine(`${folder}-instant`, perRound, log);
  const direct = spread(real.direct.map((round) => percentile(round, 0.5)));
  const row = (what: string, p50: Spread, p99: Spread | ''): Row => ({
    queries: size,
    what,
    'p50 ms': p50,
    'p99 ms': p99,
  });
  const latencies: Row[] = [
    row('both models directly', direct, spread(real.direct.map((round) => percentile(round, 0.99)))),
    row('dellm.ask, miniature models', ...spreads(real.asked)),
    {
      ...row(
        'overhead',
        spread(real.asked.map((round, index) => medianOf(round) - percentile(real.direct[index] ?? [], 0.5))),
        '',
      ),
      'aim, ms': 15,
    },
    { ...row('dellm.ask, simulated models', ...spreads(instant.asked)), 'aim, ms': 15 },
  ];
  return [
    { title: 'Latency', rows: latencies },
    {
      title: 'Where the time goes (mean, simulated models)',
      rows: instant.breakdown.map((part) => ({ queries: size, ...part })),
    },
    {
      title: 'Where the time goes (mean, miniature models)',
      rows: real.breakdown.map((part) => ({ queries: size, ...part })),
    },
    { title: 'What a query takes (mean)', rows: [{ queries: size, ...instant.taken }] },
  ];
}

interface Measured {
  readonly asked: readonly (readonly Asked[])[];
  readonly breakdown: readonly Row[];
  readonly taken: Row;
}

async function withInstantEngine(home: string, perRound: number, log: Run['log']): Promise<Measured> {
  log('simulated models');
  return measure(home, 'instant', perRound, async () => {});
}

async function withModels(
  home: string,
  perRound: number,
  log: Run['log'],
): Promise<Measured & { readonly direct: readonly (readonly number[])[] }> {
  const folder = fileURLToPath(new URL('../../models/miniature', import.meta.url));
  const catalogue = await loadCatalogue(folder);
  const engine = createLlamaEngine({
    modelPath(id) {
      const entry = catalogue.find(id);
      return entry && modelPath(entry, { miniature: folder, pulled: folder });
    },
  });
  const direct: number[][] = [];
  let count = 0;
  try {
    log('miniature models, in turn with calling them directly');
    const measured = await measure(home, 'llama', perRound, async (round) => {
      const times: number[] = [];
      for (let index = 0; index < (round < 0 ? WARM_UP : perRound); index += 1) {
        const began = performance.now();
        const { data } = await runWorkOrder(engine, workOrder(count++));
        times.push(performance.now() - began);
        if (data.failure) log(data.failure);
      }
      if (round >= 0) direct.push(times);
    });
    return { ...measured, direct };
  } finally {
    await engine.close();
  }
}

/** The task as a mathematical Node would hand it to its device. */
function workOrder(index: number): WorkOrder {
  const species = SPECIES.find(({ specialization }) => specialization === 'mathematical');
  if (!species) throw new Error('There is no mathematical species.');
  const { modelA, modelB, samplingParams, promptTemplates } = seedGenome(species, 'miniature');
  return {
    node: 'bench',
    taskId: `bench-${index}`,
    prompt: QUESTION,
    system: promptTemplates.system,
    models: [modelA, modelB],
    params: samplingParams,
    seed: index,
    dueAt: new Date(Date.now() + 60_000).toISOString(),
  };
}

async function measure(
  home: string,
  engine: 'llama' | 'instant',
  perRound: number,
  inTurn: (round: number) => Promise<void>,
): Promise<Measured> {
  const network = await startNetwork({ home, engine, questions: 1 });
  const question = engine === 'instant' ? multiplication(0).question : QUESTION;
  const askMany = async (count: number, accounts: readonly string[]): Promise<Asked[]> => {
    const asked: Asked[] = [];
    for (let index = 0; index < count; index += 1) {
      const began = performance.timeOrigin + performance.now();
      const { queryId } = await network.ask(question, accounts[index % accounts.length]);
      const ended = performance.timeOrigin + performance.now();
      asked.push({ queryId, began, ended, ms: ended - began });
    }
    return asked;
  };
  try {
    const accounts = await network.openAccounts(WARM_UP + ROUNDS * perRound);
    await inTurn(-1);
    await askMany(WARM_UP, accounts);
    const start = await network.settled();
    const before = await network.messages();
    const asked: Asked[][] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await inTurn(round);
      asked.push(await askMany(perRound, accounts));
      await network.settled();
    }
    const after = await network.messages();
    const events = await eventsAfter(network.store, start);
    const queries = asked.flat();
    return {
      asked,
      breakdown: breakdownOf(queries, events),
      taken: {
        ...appendsOf(queries, events),
        'commands and work orders':
          (after.commands - before.commands + after.work - before.work) / queries.length,
        'dellm.evt messages': (after.events - before.events) / queries.length,
      },
    };
  } finally {
    await network.stop();
  }
}

/** The mean of each part of a query's way: until it is decided (which includes the flush before), and until it is written. */
function breakdownOf(queries: readonly Asked[], events: readonly StoredEvent[]): readonly Row[] {
  const waits = new Map<string, number[]>();
  const writes = new Map<string, number[]>();
  const replies: number[] = [];
  const put = (map: Map<string, number[]>, name: string, ms: number) =>
    map.set(name, [...(map.get(name) ?? []), ms]);
  const byQuery = grouped(events, ({ metadata }) => String(metadata.correlationId));
  for (const { queryId, began, ended } of queries) {
    let last = began;
    for (const { name, decided, stored } of stepsOf(byQuery.get(queryId) ?? [])) {
      put(waits, name, decided - last);
      put(writes, name, stored - decided);
      last = stored;
    }
    replies.push(ended - last);
  }
  const rows: Row[] = [...waits].map(([name, times]) => ({
    step: name,
    'flush before, message, handling, ms': mean(times),
    'to the store, ms': mean(writes.get(name) ?? []),
    'per query': times.length / queries.length,
  }));
  return [
    ...rows,
    {
      step: '7 flush, reply',
      'flush before, message, handling, ms': mean(replies),
      'to the store, ms': '',
      'per query': 1,
    },
    {
      step: 'sum',
      'flush before, message, handling, ms': mean(queries.map(({ ms }) => ms)),
      'to the store, ms': '',
      'per query': '',
    },
  ];
}

/** The appends up to the ending, in the order of the store. */
function stepsOf(events: readonly StoredEvent[]): readonly Step[] {
  const ending = events.find(({ type }) => (QUERY_ENDINGS as readonly string[]).includes(type));
  const before = events.filter(({ position }) => position <= (ending?.position ?? Number.POSITIVE_INFINITY));
  return [...grouped(before, appendOf).values()].flatMap(([first]) => {
    if (!first) return [];
    return {
      name: STEPS[first.type] ?? 'another attempt',
      decided: Date.parse(String(first.data.at)),
      stored: Date.parse(first.created),
    };
  });
}

function appendOf({ stream, metadata }: StoredEvent): string {
  return `${stream} ${String(metadata.messageId)}`;
}

function appendsOf(queries: readonly Asked[], events: readonly StoredEvent[]): Row {
  const own = new Set(queries.map(({ queryId }) => queryId));
  const ofQueries = events.filter(({ metadata }) => own.has(String(metadata.correlationId)));
  const byQuery = grouped(ofQueries, ({ metadata }) => String(metadata.correlationId));
  const beforeReply = [...byQuery.values()].map((one) => stepsOf(one).length);
  return {
    'appends before the reply': mean(beforeReply),
    'appends in all': new Set(ofQueries.map(appendOf)).size / queries.length,
    events: ofQueries.length / queries.length,
  };
}

function spreads(rounds: readonly (readonly Asked[])[]): [Spread, Spread] {
  const times = rounds.map((round) => round.map(({ ms }) => ms));
  return [
    spread(times.map((round) => percentile(round, 0.5))),
    spread(times.map((round) => percentile(round, 0.99))),
  ];
}

function medianOf(round: readonly Asked[]): number {
  return percentile(
    round.map(({ ms }) => ms),
    0.5,
  );
}
