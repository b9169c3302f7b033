import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Benchmark, Run, Table } from './benchmark.ts';
import type { ExperimentMeasured, ExperimentSize } from './experiment-process.ts';
import { measuredProcess } from './measured-process.ts';

const NODES = 50;
const MANY_NODES = 10_000;
const MANY_GENERATIONS = 20;
/** Without a limit, Node lets the heap grow to what the machine has. */
const HEAP = '--max-old-space-size=1500';

export const experiment: Benchmark = {
  name: 'experiment',
  title: 'Experiments in virtual time',
  about:
    'Simulated experiments as `dellm experiment run` does them, with their files but without evaluations: one arm, ' +
    'evolution, in Clusters of at most 50, each in a separate process. Generations of 50 Nodes of which each answers ' +
    'one task, and ten, a generation; and, for growth, 20 generations of more and more Nodes with one task each. Aims: ' +
    '1,000 generations of 50 Nodes in 20 s; 10,000 Nodes in 2 GB, growing with the Nodes. Node’s heap is held to 1,500 MB.',
  unit: 'generations',
  sizes: [100, 1_000],
  least: 5,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const measured = async (what: ExperimentSize) => {
    log(`${what.generations} generations of ${what.nodes} Nodes, ${what.tasksPerNode} tasks each`);
    const { ms, tasks, peakBytes } = await measure(folder, what);
    return {
      Nodes: what.nodes,
      generations: what.generations,
      'tasks each': what.tasksPerNode,
      seconds: ms / 1000,
      'ms a generation': ms / (what.generations + 1),
      'µs a task': (1000 * ms) / tasks,
      'peak RSS, MB': peakBytes / 1e6,
    };
  };
  const speed = [];
  for (const tasksPerNode of [1, 10]) {
    speed.push(await measured({ nodes: NODES, generations: size, tasksPerNode }));
  }
  // The largest population takes minutes: it belongs to the largest size, and grows with the scale.
  const largest = Math.round((MANY_NODES * size) / 1_000);
  const growth = [];
  for (const nodes of [largest / 4, largest / 2, largest].map(Math.round)) {
    if (nodes < NODES) continue;
    growth.push(await measured({ nodes, generations: MANY_GENERATIONS, tasksPerNode: 1 }));
  }
  return [{ title: 'Speed', rows: speed }, ...(growth.length > 0 ? [{ title: 'Growth', rows: growth }] : [])];
}

async function measure(folder: string, size: ExperimentSize): Promise<ExperimentMeasured> {
  const own = await mkdtemp(join(folder, 'run-'));
  try {
    const what = `of an experiment with ${size.nodes} Nodes`;
    return await measuredProcess(what, './experiment-process.js', [own, JSON.stringify(size)], [HEAP]);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
