import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LineageRow } from '../projections/lineage.ts';
import { isFilled } from '../replay/export/whole-file.ts';
import { type Arm, type ExperimentConfig, parseExperiment } from './config.ts';
import type { ExperimentEngine } from './engines.ts';
import { figuresOf } from './figures.ts';
import { withFolderLock } from './folder-lock.ts';
import { newick, phylogenyCsv } from './phylogeny.ts';
import { populate, settingsOf } from './population.ts';
import { type ArmOutcome, type ArmRun, runArm } from './run-arm.ts';
import { diskFailure, RunFiles, WORLD_FILE } from './run-files.ts';
import { type Generation, SUMMARY_FILE, SUMMARY_SCHEMA, Summary } from './summary.ts';
import { sampleTasks } from './tasks.ts';

/** The output folder cannot be used: it is not empty, or it has no experiment to resume. Nothing was changed. */
export class ExperimentFolderError extends Error {
  override readonly name = 'ExperimentFolderError';
}

export interface ExperimentOptions {
  readonly config: ExperimentConfig;
  readonly engine: ExperimentEngine;
  readonly folder: string;
  /** Stops the run between two messages. Completed generations are kept. */
  readonly signal: AbortSignal;
  onProgress(progress: ExperimentProgress): void;
}

export interface ExperimentProgress {
  readonly arm: string;
  readonly seed: number;
  readonly generation: number;
  /** All generations of all arms and seeds; those that are done; those that were done before this process started. */
  readonly total: number;
  readonly done: number;
  readonly doneBefore: number;
  readonly record: Generation;
}

const CONFIG_FILE = 'experiment.json';
const RUNS_FOLDER = 'runs';
const PHYLOGENY_FILE = 'phylogeny.csv';
const TREE_FILE = 'phylogeny.nwk';
export const ANSWERS_FILE = 'model-outputs.jsonl';

/**
 * Creates the folder of an experiment. `input` is written into it as it was given, so that the experiment can be
 * resumed.
 */
export async function createExperimentFolder(folder: string, input: object): Promise<ExperimentConfig> {
  const config = parseExperiment(input);
  if (await isFilled(folder)) {
    const advice = existsSync(join(folder, CONFIG_FILE))
      ? 'It has an experiment. Continue that with --resume, or name another folder.'
      : 'Name another folder.';
    throw new ExperimentFolderError(
      `${folder} exists and is not empty, or is not a folder. Nothing was changed. ${advice}`,
    );
  }
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, CONFIG_FILE), `${JSON.stringify(input, null, 2)}\n`);
  return config;
}

/** The parameters of the experiment in a folder. */
export async function openExperimentFolder(folder: string): Promise<ExperimentConfig> {
  const path = join(folder, CONFIG_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new ExperimentFolderError(
      `${folder} has no experiment to resume: ${path} cannot be read. Nothing was changed.`,
      { cause },
    );
  }
  try {
    return parseExperiment(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ExperimentFolderError(
      `${path} is not the file that an experiment wrote. Nothing was changed. ${why}`,
      {
        cause,
      },
    );
  }
}

/**
 * Runs every arm at every seed, one after another, and writes the results. All arms of a seed begin with the same
 * population and have the same budget of tasks. Completed runs in the folder are not repeated.
 */
export function runExperiment(options: ExperimentOptions): Promise<Summary> {
  return withFolderLock(options.folder, () => runAll(options));
}

async function runAll(options: ExperimentOptions): Promise<Summary> {
  const { config, engine, folder, signal } = options;
  const runs = config.seeds.flatMap((seed) => config.arms.map((arm) => ({ seed, arm })));
  const arms: Summary['arms'] = [];
  let shown: { readonly lives: readonly LineageRow[]; readonly caption: string } | null = null;
  const total = runs.length * (config.generations + 1);
  let done = 0;
  let doneBefore = 0;
  for (const { seed, arm } of runs) {
    signal.throwIfAborted();
    const path = join(folder, runFolderName(arm.name, seed));
    const files = new RunFiles(path);
    done += files.committed.length;
    doneBefore += files.committed.length;
    try {
      const run = plannedRun(config, arm, seed, engine);
      await writeWorld(path, run);
      const outcome = await runArm({
        run,
        engine,
        files,
        signal,
        onGeneration(record) {
          done += 1;
          const { generation } = record;
          options.onProgress({ arm: arm.name, seed, generation, total, done, doneBefore, record });
        },
      });
      if (shown === null || !outcome.wasWhole || !hasLives(path)) {
        const lives = await outcome.lives();
        await writeLives(path, lives);
        shown ??= { lives, caption: `${arm.name} at seed ${seed}` };
      }
      arms.push(summarised(arm.name, seed, config.heldOut, outcome));
    } finally {
      files.close();
    }
  }
  return writeResults(
    folder,
    {
      schema: SUMMARY_SCHEMA,
      simulated: engine.simulated,
      engine: engine.kind,
      config: { ...config },
      arms,
    },
    shown,
  );
}

/** Folder of one run, inside the experiment's folder. */
export function runFolderName(arm: string, seed: number): string {
  return join(RUNS_FOLDER, `${arm}-seed-${seed}`);
}

/** Writes what a branch of a run needs in addition to the run's history. */
export async function writeWorld(
  folder: string,
  { seedVariants, devices }: Pick<ArmRun, 'seedVariants' | 'devices'>,
): Promise<void> {
  await replaceFile(join(folder, WORLD_FILE), `${JSON.stringify({ seedVariants, devices })}\n`);
}

/** `phylogeny.csv` and `phylogeny.nwk`: every life of a run. */
export async function writeLives(folder: string, lives: readonly LineageRow[]): Promise<void> {
  await replaceFile(join(folder, PHYLOGENY_FILE), phylogenyCsv(lives));
  await replaceFile(join(folder, TREE_FILE), newick(lives));
}

function hasLives(folder: string): boolean {
  return [PHYLOGENY_FILE, TREE_FILE].every((name) => existsSync(join(folder, name)));
}

/**
 * Writes the figures, then the summary. If the summary exists, the experiment is complete. The same results give the
 * same bytes.
 */
export async function writeResults(
  folder: string,
  found: Summary,
  shown: { readonly lives: readonly LineageRow[]; readonly caption: string } | null,
): Promise<Summary> {
  // Results that were read from an earlier run have their members in another order.
  const summary = Summary.parse(found);
  const figures = figuresOf(summary, shown?.lives, shown?.caption);
  for (const [name, svg] of Object.entries(figures)) await replaceFile(join(folder, name), svg);
  await replaceFile(join(folder, SUMMARY_FILE), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** Removes the files of an experiment that did not begin. */
export async function abandonExperimentFolder(folder: string): Promise<void> {
  if (existsSync(join(folder, RUNS_FOLDER))) return;
  await rm(join(folder, CONFIG_FILE), { force: true });
  if (!(await isFilled(folder))) await rm(folder, { recursive: true, force: true });
}

export function summarised(
  arm: string,
  seed: number,
  heldOutSize: number,
  { tasks, inferences, generations }: ArmOutcome,
): Summary['arms'][number] {
  return { arm, seed, tasks, inferences, heldOutSize, generations: [...generations] };
}

/** Replaces a file in one step. A reader sees either the old or the new content. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const unfinished = `${path}.part`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw diskFailure(dirname(path), error);
  }
}

function plannedRun(config: ExperimentConfig, arm: Arm, seed: number, engine: ExperimentEngine): ArmRun {
  const settings = settingsOf(config, arm, engine.genePool);
  const { devices, geneses } = populate(config, seed, settings);
  const { generations, tasksPerNode, heldOutEvery, seedVariants } = config;
  return {
    seed,
    strategy: arm.strategy,
    generations,
    tasksPerNode,
    heldOut: sampleTasks(engine.tasks.heldOut, config.heldOut, 'held out'),
    heldOutEvery,
    seedVariants,
    devices,
    begin: { kind: 'genesis', geneses, minTasks: settings.minTasks },
  };
}
