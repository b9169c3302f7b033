import { join } from 'node:path';
import { simulatedEngine } from '../../src/experiments/engines.ts';
import { createExperimentFolder, runExperiment } from '../../src/experiments/experiment.ts';

export interface ExperimentSize {
  readonly nodes: number;
  readonly generations: number;
  readonly tasksPerNode: number;
}

export interface ExperimentMeasured {
  /** The whole run, with its files. */
  readonly ms: number;
  /** Judged tasks. */
  readonly tasks: number;
  /** Most memory that the process has had. */
  readonly peakBytes: number;
}

async function measure(folder: string, size: ExperimentSize): Promise<ExperimentMeasured> {
  const input = { ...size, engine: 'simulated', arms: ['evolution'], clusterSize: 50, heldOut: 0 };
  const path = join(folder, 'experiment');
  const config = await createExperimentFolder(path, input);
  const engine = simulatedEngine(config.world);
  const begun = performance.now();
  const { arms } = await runExperiment({
    config,
    engine,
    folder: path,
    signal: new AbortController().signal,
    onProgress: () => {},
  });
  const ms = performance.now() - begun;
  const tasks = arms.reduce((sum, arm) => sum + arm.tasks, 0);
  return { ms, tasks, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

const [folder = '', size = '{}'] = process.argv.slice(2);
process.stdout.write(JSON.stringify(await measure(folder, JSON.parse(size) as ExperimentSize)));
