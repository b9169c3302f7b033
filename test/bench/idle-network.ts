import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, Run, Table } from './benchmark.ts';
import { cpuBetween, startNetwork } from './network.ts';

export const idleNetwork: Benchmark = {
  name: 'idle-network',
  title: 'A network that nobody asks',
  about:
    'CPU of each process of a whole network with 50 Nodes and the miniature models, loaded by one question before, ' +
    'while nobody asks anything: percent of one core. Aim: 2 % together.',
  unit: 'seconds',
  sizes: [60],
  least: 5,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const network = await startNetwork({ home: folder, engine: 'llama', questions: 1 });
  try {
    await network.ask('What is 15 × 23?');
    await network.settled();
    log('idle');
    const before = network.usage();
    const began = performance.now();
    await sleep(size * 1000);
    const after = network.usage();
    const percent = cpuBetween(before, after, (performance.now() - began) / 100);
    const rows = Object.entries(percent).map(([what, of]) => ({
      seconds: size,
      what,
      'CPU, % of a core': of,
      'RSS, MB': Math.round((after[what]?.rssBytes ?? 0) / 1e6),
    }));
    const together = Object.values(percent).reduce((sum, of) => sum + of, 0);
    return [
      {
        title: 'Idle network',
        rows: [...rows, { seconds: size, what: 'together', 'CPU, % of a core': together, 'aim, %': 2 }],
      },
    ];
  } finally {
    await network.stop();
  }
}
