import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { type BenchNetwork, cpuBetween, startNetwork } from './network.ts';
import { multiplication } from './questions.ts';
import { interleaved, load, mean, percentile, spread } from './statistics.ts';

const IN_FLIGHT = [8, 64, 256];
/** With very many queries one round of the middle is enough; the point is then whether history makes it slower. */
const MANY = 2_000;
const REPETITIONS = 3;
const WARM_UP = 100;

interface Round {
  readonly perSecond: number;
  readonly eachMs: readonly number[];
  readonly answered: number;
  readonly cpuMsPerQuery: Readonly<Record<string, number>>;
  readonly messagesPerQuery: number;
}

export const throughput: Benchmark = {
  name: 'throughput',
  title: 'Queries per second with an instant engine',
  about:
    'The whole network as `dellm up` runs it, with 50 Nodes whose models are **simulated**: ' +
    'they answer at once from a table, so that only the network counts. Clients in this process ask different ' +
    'multiplications over `dellm.ask` and wait for their answers. CPU is that of the network’s processes until all ' +
    'books are settled. Aim: 100 queries/s at 64 in flight on two cores.',
  unit: 'queries',
  sizes: [50, 500, 5_000],
  least: 20,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const inFlights = size >= MANY ? [64] : IN_FLIGHT;
  const repetitions = size >= MANY ? 1 : REPETITIONS;
  const total = WARM_UP + size * inFlights.length * repetitions;
  const network = await startNetwork({ home: folder, engine: 'instant', questions: total });
  try {
    let asked = 0;
    const ask = async (accounts: readonly string[]): Promise<boolean> => {
      const { question, answer } = multiplication(asked);
      asked += 1;
      const got = await network.ask(question, accounts[asked % accounts.length]);
      return got.answer === answer;
    };
    const round = async (inFlight: number): Promise<Round> => {
      log(`${size} queries, ${inFlight} in flight, after ${asked}`);
      return measure(network, size, inFlight, ask);
    };
    await measure(network, WARM_UP, 16, ask);
    const contestants = Object.fromEntries(
      inFlights.map((inFlight) => [String(inFlight), () => round(inFlight)]),
    );
    const samples = await interleaved(repetitions, contestants, 0);
    return [{ title: 'Queries', rows: Object.entries(samples).map(([of, rounds]) => row(of, size, rounds)) }];
  } finally {
    await network.stop();
  }
}

async function measure(
  network: BenchNetwork,
  size: number,
  inFlight: number,
  ask: (accounts: readonly string[]) => Promise<boolean>,
): Promise<Round> {
  const accounts = await network.openAccounts(size);
  await network.settled();
  const usedBefore = network.usage();
  const before = await network.messages();
  let answered = 0;
  const { totalMs, eachMs } = await load(size, inFlight, async () => {
    if (await ask(accounts)) answered += 1;
  });
  await network.settled();
  const after = await network.messages();
  return {
    perSecond: (1000 * size) / totalMs,
    eachMs,
    answered: answered / size,
    cpuMsPerQuery: cpuBetween(usedBefore, network.usage(), size),
    messagesPerQuery: (after.commands - before.commands + after.work - before.work) / size,
  };
}

function row(inFlight: string, size: number, rounds: readonly Round[]): Row {
  const programs = [...new Set(rounds.flatMap(({ cpuMsPerQuery }) => Object.keys(cpuMsPerQuery)))];
  return {
    'in flight': Number(inFlight),
    queries: size,
    'queries/s': spread(rounds.map(({ perSecond }) => perSecond)),
    aim: inFlight === '64' ? 100 : '',
    'p50 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.5))),
    'p99 ms': spread(rounds.map(({ eachMs }) => percentile(eachMs, 0.99))),
    'answered right': mean(rounds.map(({ answered }) => answered)),
    'commands and work orders each': mean(rounds.map(({ messagesPerQuery }) => messagesPerQuery)),
    ...Object.fromEntries(
      programs.map((program) => [
        `CPU ms each: ${program}`,
        mean(rounds.map(({ cpuMsPerQuery }) => cpuMsPerQuery[program] ?? 0)),
      ]),
    ),
  };
}
