import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Benchmark, Table } from './benchmark.ts';
import { boot } from './boot.ts';
import { command } from './command.ts';
import { experiment } from './experiment.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { idleNetwork } from './idle-network.ts';
import { describeMachine, measureFsync } from './machine.ts';
import { pipeline } from './pipeline.ts';
import { projections } from './projections.ts';
import { query } from './query.ts';
import { rehydration } from './rehydration.ts';
import { replay } from './replay.ts';
import { joined, type Measured, markdown } from './report.ts';
import { restart } from './restart.ts';
import { store } from './store.ts';
import { throughput } from './throughput.ts';

const BENCHMARKS: readonly Benchmark[] = [
  store,
  command,
  pipeline,
  query,
  throughput,
  growth,
  idle,
  idleNetwork,
  rehydration,
  boot,
  restart,
  projections,
  replay,
  experiment,
];

const USAGE = `Measures DELLM beside the libraries underneath it and prints Markdown (progress goes to stderr).

  npm run bench -- [--only name,name] [--scale factor] [--json] [--list]

  --only   some of: ${BENCHMARKS.map((benchmark) => benchmark.name).join(', ')}
  --scale  multiplies all sizes, default 1; 0.01 is a quick look
  --json   prints one JSON object instead
  --list   tells what each measures
`;

// An interrupted run also removes its folders.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.exitCode = await main();

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { chosen, scale, json, list, help } = options;
  if (help || list) {
    const lines = chosen.map(({ name, title, about }) => `${name}: ${title}\n  ${about}\n`);
    process.stdout.write(help ? USAGE : lines.join('\n'));
    return 0;
  }
  const machine = describeMachine(scale);
  const measured: Measured[] = [];
  const failed: string[] = [];
  for (const benchmark of chosen) {
    try {
      measured.push(await measure(benchmark, scale));
    } catch (error) {
      failed.push(benchmark.name);
      process.stderr.write(`${benchmark.name}: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
  process.stdout.write(json ? `${JSON.stringify({ machine, measured })}\n` : markdown(measured, machine));
  if (failed.length > 0)
    process.stderr.write(`Not measured: ${failed.join(', ')}; the reasons stand above.\n`);
  return failed.length > 0 ? 1 : 0;
}

async function measure(benchmark: Benchmark, scale: number): Promise<Measured> {
  const { name, title, about, unit, sizes, least } = benchmark;
  const began = performance.now();
  const root = mkdtempSync(join(tmpdir(), 'dellm-bench-'));
  const remove = () => rmSync(root, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  const seconds = () => (performance.now() - began) / 1000;
  const log = (line: string): void => {
    process.stderr.write(`${seconds().toFixed(1).padStart(7)} s  ${name}: ${line}\n`);
  };
  try {
    const fsyncMs = measureFsync(root);
    const tables: Table[] = [];
    const scaled = new Set(sizes.map((size) => Math.max(least, Math.round(size * scale))));
    for (const size of scaled) {
      log(`${size} ${unit}`);
      const folder = mkdtempSync(join(root, 'run-'));
      tables.push(...(await benchmark.run({ size, folder, log })));
    }
    return {
      benchmark: { name, title, about, unit },
      tables: joined(tables),
      fsyncMs,
      seconds: seconds(),
    };
  } finally {
    process.off('exit', remove);
    remove();
  }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      scale: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 100))
    throw new Error(`--scale takes a number above 0, up to 100, not "${values.scale}".`);
  const names = values.only?.split(',') ?? BENCHMARKS.map((benchmark) => benchmark.name);
  const chosen = names.map((name) => {
    const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
    if (!found) throw new Error(`There is no benchmark "${name}".`);
    return found;
  });
  return { ...values, scale, chosen };
}
