import type { Benchmark, Cell, Row, Run, Table } from './benchmark.ts';
import { type BenchNetwork, cpuBetween, startNetwork, type Usage } from './network.ts';
import { multiplication } from './questions.ts';
import { load, percentile } from './statistics.ts';

/** Shares of all queries after which it is measured. */
const MARKS = [0.01, 0.1, 0.2, 0.5, 1];
const IN_FLIGHT = 64;
/** Questions are asked again after so many, so that the table of the simulated models does not grow. */
const QUESTIONS = 5_000;

/** What the network takes after so many queries. */
interface Mark {
  readonly after: number;
  readonly p50Ms: number;
  readonly perSecond: number;
  readonly cpuMsPerQuery: Readonly<Record<string, number>>;
  readonly usage: Readonly<Record<string, Usage>>;
}

export const growth: Benchmark = {
  name: 'growth',
  title: 'The same network after many queries',
  about:
    'One network of 50 Nodes whose models are **simulated**, asked again and again. At each mark, when everything is ' +
    'settled: a hundredth of all queries with 64 in flight (rate, CPU of each process) and a fifth of that one at a time ' +
    '(p50), and the memory that each process has then. The last row compares the last mark with the first; memory with ' +
    'that at a tenth of all queries. Aim: within 10 % of 1.',
  unit: 'queries',
  sizes: [50_000],
  least: 1_000,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const network = await startNetwork({ home: folder, engine: 'instant', questions: QUESTIONS });
  try {
    const accounts = await network.openAccounts(size * (1 + 2 * MARKS.length * 0.01));
    let asked = 0;
    const ask = async (count: number, inFlight: number) =>
      load(count, inFlight, async () => {
        const index = asked++;
        await network.ask(multiplication(index % QUESTIONS).question, accounts[index % accounts.length]);
      });
    const marks: Mark[] = [];
    for (const share of MARKS) {
      const until = Math.round(size * share);
      await ask(Math.max(0, until - asked), IN_FLIGHT);
      marks.push(await measure(network, asked, Math.ceil(size / 100), ask));
      const { after, perSecond, usage } = marks.at(-1) ?? { after: 0, perSecond: 0, usage: {} };
      const memory = Object.entries(usage).map(([name, { rssBytes }]) => `${name} ${megabytes(rssBytes)} MB`);
      log(`after ${after}: ${perSecond.toFixed(0)}/s, ${memory.join(', ')}`);
    }
    return [{ title: 'Growth', rows: rowsOf(marks) }];
  } finally {
    await network.stop();
  }
}

async function measure(
  network: BenchNetwork,
  after: number,
  count: number,
  ask: (count: number, inFlight: number) => ReturnType<typeof load>,
): Promise<Mark> {
  await network.settled();
  const before = network.usage();
  const together = await ask(count, IN_FLIGHT);
  await network.settled();
  const usage = network.usage();
  const alone = await ask(Math.ceil(count / 5), 1);
  return {
    after,
    p50Ms: percentile(alone.eachMs, 0.5),
    perSecond: (1000 * count) / together.totalMs,
    cpuMsPerQuery: cpuBetween(before, usage, count),
    usage,
  };
}

function rowsOf(marks: readonly Mark[]): Row[] {
  const programs = [...new Set(marks.flatMap(({ usage }) => Object.keys(usage)))];
  const row = (queries: Cell, mark: (key: (mark: Mark) => number) => number): Row => ({
    'after queries': queries,
    'p50 ms alone': mark(({ p50Ms }) => p50Ms),
    'queries/s at 64': mark(({ perSecond }) => perSecond),
    ...Object.fromEntries(
      programs.map((name) => [
        `CPU ms each: ${name}`,
        mark(({ cpuMsPerQuery }) => cpuMsPerQuery[name] ?? Number.NaN),
      ]),
    ),
  });
  const memory = (of: (name: string) => number): Row =>
    Object.fromEntries(programs.map((name) => [`MB: ${name}`, of(name)]));
  const [first, tenth] = marks;
  const last = marks.at(-1);
  const bytes = (mark: Mark | undefined, name: string) => mark?.usage[name]?.rssBytes ?? Number.NaN;
  const rows = marks.map((mark) => ({
    ...row(mark.after, (key) => key(mark)),
    ...memory((name) => megabytes(bytes(mark, name))),
  }));
  if (!first || !last) return rows;
  const compared = {
    ...row('last to first', (key) => key(last) / key(first)),
    ...memory((name) => bytes(last, name) / bytes(tenth, name)),
  };
  return [...rows, compared];
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
