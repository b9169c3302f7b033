import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { ExperimentEngine } from '../../../experiments/engines.ts';
import type { Summary } from '../../../experiments/summary.ts';
import { id, someText, wholeNumber } from '../../arguments.ts';
import { UsageError } from '../../exit-codes.ts';
import { finish } from '../../finish.ts';
import { interruptible } from '../../interrupt.ts';
import { stderrLog } from '../../log.ts';
import { printJson, printLines } from '../../output.ts';
import { progressTo } from '../experiment-progress.ts';
import { addMomentOptions, type MomentOptions, momentOf } from './at.ts';
import { addSourceOptions, type SourceOptions, withHistory } from './source.ts';

interface Options extends SourceOptions, MomentOptions {
  readonly set: readonly string[];
  readonly engine: 'miniature' | 'simulated' | 'recorded';
  readonly recordings?: string;
  readonly world: number;
  readonly generations: number;
  readonly seed: number;
  readonly tasksPerNode: number;
  readonly heldOut: number;
  readonly label: string;
  readonly out: string;
  readonly outputs?: string;
  readonly resume: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

export function addBranchCommand(history: Command): void {
  const command = history
    .command('branch')
    .description('continue a history with other parameters; the history itself is only read');
  addMomentOptions(command)
    .option(
      '--set <key=value>',
      'a parameter of evolution after the fork, such as cullShare=0.3; can be repeated',
      (value: string, all: readonly string[]) => [...all, value],
      [] as readonly string[],
    )
    .option('--engine <name>', 'miniature, simulated or recorded', engineName, 'miniature')
    .option('--recordings <file>', 'recorded: the model-outputs.jsonl of an experiment', someText)
    .option('--world <number>', 'simulated: number of the world', wholeNumber(0, 1_000_000), 1)
    .option('--generations <count>', 'generations after the fork', wholeNumber(1, 10_000), 10)
    .option('--seed <number>', 'seed of the tasks after the fork', wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)
    .option('--tasks-per-node <count>', 'tasks for each Node in a generation', wholeNumber(1, 1000), 10)
    .option('--held-out <count>', 'tasks in each evaluation', wholeNumber(0, 2000), 100)
    .option('--label <name>', 'name of the branch in comparisons', id, 'branch')
    .requiredOption('--out <folder>', 'output folder; it must not exist, or be empty', someText)
    .option('--outputs <file>', 'file of model answers to read and extend', someText)
    .option('--resume', 'continue the branch in --out', false)
    .option('--json', 'print the summary as one JSON object', false)
    .option('--verbose', 'also log information and debug messages', false);
  addSourceOptions(command, { cached: false }).action((options) => finish(() => branch(options)));
}

/** Parameters whose value is a list, written as JSON or as words separated by commas. */
const LISTS: readonly string[] = ['mutations'];

async function branch(options: Options): Promise<number> {
  const { beginBranch, engineOfBranch, inBranchFolder, resumeBranch } = await import(
    '../../../experiments/branch.ts'
  );
  const { out, seed, world, generations, tasksPerNode, heldOut, label } = options;
  const print = (summary: Summary): number => {
    const said = summary.simulated ? ' All answers after the fork are simulated.' : '';
    if (options.json) printJson(summary);
    else
      printLines([
        `The branch is in ${out}.${said} Compare it with another: dellm experiment compare <folder> ${out}`,
      ]);
    return 0;
  };
  if (options.resume) {
    const begun = await engineOfBranch(out);
    const engine = await openEngine(engineName(begun.engine), { ...options, world: begun.world });
    return interruptible(async (signal) => {
      try {
        const onProgress = progressTo(process.stderr, engine);
        return print(await resumeBranch({ engine, folder: out, signal, onProgress }));
      } finally {
        await engine.close();
      }
    });
  }
  const parameters = { set: changesOf(options.set), seed, world, generations, tasksPerNode, heldOut, label };
  const moment = await momentOf(options);
  return withHistory(options, ({ source, signal }) =>
    inBranchFolder(out, async () => {
      const engine = await openEngine(options.engine, options);
      try {
        const onProgress = progressTo(process.stderr, engine);
        const folder = { engine, folder: out, signal, onProgress };
        return print(await beginBranch(source, moment, originOf(options), parameters, folder));
      } finally {
        await engine.close();
      }
    }),
  );
}

async function openEngine(engine: Options['engine'], options: Options): Promise<ExperimentEngine> {
  const { openExperimentEngine } = await import('../../../network/experiment-engine.ts');
  const { ANSWERS_FILE } = await import('../../../experiments/experiment.ts');
  const { out, outputs = join(out, ANSWERS_FILE), recordings, world } = options;
  if (engine === 'recorded' && recordings === undefined) {
    throw new UsageError('The recorded engine needs a file of answers: --recordings <file>.');
  }
  const config = { engine, world, ...(recordings !== undefined && { recordings }) };
  return openExperimentEngine(config, outputs, stderrLog(options));
}

/** Parses `key=value`. A value is JSON, else a word, or words separated by commas. */
function changesOf(set: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    set.map((change) => {
      const at = change.indexOf('=');
      if (at < 1) throw new UsageError(`"${change}" is not a parameter. Write --set key=value.`);
      const key = change.slice(0, at);
      return [key, readValue(key, change.slice(at + 1))];
    }),
  );
}

function readValue(key: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return LISTS.includes(key) ? text.split(',').filter((part) => part !== '') : text;
  }
}

/** The folder of the history. An experiment may have written its devices there. */
function originOf({ from }: Options): string | null {
  if (from === undefined) return null;
  return statSync(from, { throwIfNoEntry: false })?.isDirectory() ? from : dirname(from);
}

function engineName(value: string): Options['engine'] {
  if (value === 'miniature' || value === 'simulated' || value === 'recorded') return value;
  throw new InvalidArgumentError('It must be miniature, simulated or recorded.');
}
