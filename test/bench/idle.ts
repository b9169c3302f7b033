import type { Benchmark, Run, Table } from './benchmark.ts';
import type { IdleKind, IdleMeasured } from './idle-process.ts';
import { measuredProcess } from './measured-process.ts';
import { interleaved, spread } from './statistics.ts';

const REPETITIONS = 3;
const KINDS: Readonly<Record<IdleKind, string>> = {
  xstate: 'XState actors alone',
  rehydrated: 'Nodes behind the host, rehydrated',
  born: 'Nodes behind the host, born, with the in-memory store of their events',
};

export const idle: Benchmark = {
  name: 'idle',
  title: 'Idle Node actors in one process',
  about:
    'Memory that an idle Node takes, beyond a process that has just handled 500 of them: each run in a separate ' +
    'process, after garbage collection. Rehydrated Nodes are what a fleet holds (its store is another process); the row ' +
    'below counts the events in memory too. Aim: 12 KB of RSS each at 10,000.',
  unit: 'Nodes',
  sizes: [1_000, 10_000],
  least: 1_000,
  run,
};

async function run({ size, log }: Run): Promise<readonly Table[]> {
  const kinds = Object.keys(KINDS) as IdleKind[];
  const samples = await interleaved(
    REPETITIONS,
    Object.fromEntries(
      kinds.map((kind) => [
        kind,
        () => {
          log(KINDS[kind]);
          return measure(kind, size);
        },
      ]),
    ),
    0,
  );
  const rows = kinds.map((kind) => {
    const measured = samples[kind] ?? [];
    return {
      Nodes: size,
      what: KINDS[kind],
      'RSS each, KB': spread(measured.map(({ rssBytes }) => rssBytes / size / 1000)),
      'heap each, KB': spread(measured.map(({ heapBytes }) => heapBytes / size / 1000)),
      'to make each, µs': spread(measured.map(({ ms }) => (1000 * ms) / size)),
      'aim, KB': kind === 'rehydrated' ? 12 : '',
    };
  });
  return [{ title: 'Memory', rows }];
}

function measure(kind: IdleKind, size: number): Promise<IdleMeasured> {
  return measuredProcess(
    `with ${size} idle Nodes`,
    './idle-process.js',
    [kind, String(size)],
    ['--expose-gc'],
  );
}
