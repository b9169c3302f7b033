import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { type BenchNetwork, cpuBetween, startNetwork } from './network.ts';
import { multiplication } from './questions.ts';
import { interleaved, load, mean, percentile, ratios, spread } from './statistics.ts';

const BARE = 'bare pipeline';
const NETWORK = 'network, simulated models';
const REPETITIONS = 5;
const WARM_UP = 200;

interface Round {
  readonly perSecond: number;
  readonly eachMs: readonly number[];
  readonly cpuMsPerQuery: Readonly<Record<string, number>>;
}

export const pipeline: Benchmark = {
  name: 'pipeline',
  title: 'A query beside its bare pipeline',
  about:
    'As many flushed appends to the embedded store (six before the reply, ten in all, with as many events of the same ' +
    'sizes) and as many JetStream messages as a simple query has (eleven, and nineteen relayed events), without any ' +
    'domain code: one process for all hops, 64 partitions, a mailbox for each stream. In turn with the whole network ' +
    'whose models are **simulated** and take no time. CPU is that of all processes until everything is settled. Ratios ' +
    'are of the p50 to that of the bare pipeline in the same round. Aim: p50 15 ms alone, 100 queries/s at 64 in flight.',
  unit: 'queries',
  sizes: [100, 1_000],
  least: 20,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const questions = 2 * (WARM_UP + REPETITIONS * size + size);
  const options = { engine: 'instant', questions } as const;
  const bare = await startNetwork({ ...options, home: `${folder}/bare` }, './pipeline-process.js');
  const network = await startNetwork({ ...options, home: `${folder}/network` });
  try {
    const asked = new Map([bare, network].map((one) => [one, 0]));
    const accounts = await network.openAccounts(questions);
    const ask = async (one: BenchNetwork): Promise<void> => {
      const count = asked.get(one) ?? 0;
      asked.set(one, count + 1);
      await one.ask(multiplication(count).question, accounts[count % accounts.length]);
    };
    const measure = async (one: BenchNetwork, count: number, inFlight: number): Promise<Round> => {
      const before = one.usage();
      const { totalMs, eachMs } = await load(count, inFlight, () => ask(one));
      await one.settled();
      return {
        perSecond: (1000 * count) / totalMs,
        eachMs,
        cpuMsPerQuery: cpuBetween(before, one.usage(), count),
      };
    };
    for (const one of [bare, network]) await measure(one, WARM_UP, 16);
    const rows: Row[] = [];
    for (const inFlight of [1, 64]) {
      log(`${inFlight} in flight`);
      const samples = await interleaved(REPETITIONS, {
        [BARE]: () => measure(bare, size, inFlight),
        [NETWORK]: () => measure(network, size, inFlight),
      });
      rows.push(...rowsOf(inFlight, size, samples));
    }
    return [{ title: 'Queries', rows }];
  } finally {
    await network.stop();
    await bare.stop();
  }
}

function rowsOf(inFlight: number, size: number, samples: Readonly<Record<string, Round[]>>): Row[] {
  const p50s = (rounds: readonly Round[] = []) => rounds.map(({ eachMs }) => percentile(eachMs, 0.5));
  return Object.entries(samples).map(([what, rounds]) => {
    const programs = [...new Set(rounds.flatMap(({ cpuMsPerQuery }) => Object.keys(cpuMsPerQuery)))];
    return {
      'in flight': inFlight,
      queries: size,
      what,
      'p50 ms': spread(p50s(rounds)),
      'p99 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.99))),
      'to the bare p50': ratios(p50s(rounds), p50s(samples[BARE])),
      'queries/s': spread(rounds.map(({ perSecond }) => perSecond)),
      ...Object.fromEntries(
        programs.map((program) => [
          `CPU ms each: ${program}`,
          mean(rounds.map(({ cpuMsPerQuery }) => cpuMsPerQuery[program] ?? 0)),
        ]),
      ),
    };
  });
}
