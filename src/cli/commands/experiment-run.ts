import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { ExperimentConfig } from '../../experiments/config.ts';
import { someText } from '../arguments.ts';
import { UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { interruptible } from '../interrupt.ts';
import { stderrLog } from '../log.ts';
import { printJson, printLines } from '../output.ts';
import { progressTo } from './experiment-progress.ts';

interface Options {
  readonly engine?: string;
  readonly recordings?: string;
  readonly nodes?: string;
  readonly generations?: string;
  readonly seed?: string;
  readonly arms?: string;
  readonly tasksPerNode?: string;
  readonly clusterSize?: string;
  readonly heldOut?: string;
  readonly out?: string;
  readonly outputs?: string;
  readonly resume: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Options that are parameters of the experiment. A file may have more parameters. */
const PARAMETERS = [
  'engine',
  'recordings',
  'nodes',
  'generations',
  'seed',
  'arms',
  'tasksPerNode',
  'clusterSize',
  'heldOut',
] as const;

export function addExperimentRunCommand(experiment: Command): void {
  experiment
    .command('run')
    .description('run every arm at every seed, and write histories, lineages, a summary and figures')
    .argument('[file]', 'parameters as JSON; options on the command line take precedence')
    .option('--engine <name>', 'miniature (real inference), simulated (a model of skill) or recorded')
    .option('--recordings <file>', 'recorded: the model-outputs.jsonl of an earlier experiment')
    .option('--nodes <count>', 'Nodes of each population, 5 to 10000 (default: 50)')
    .option('--generations <count>', 'generations after generation 0 (default: 40)')
    .option('--seed <seeds>', 'a number, several with commas, or a range such as 1-10 (default: 1)')
    .option(
      '--arms <names>',
      'evolution, random-search, best-of-n, static, or evolution without one thing: no-crossover, no-modes, no-mutation … (default: the first four)',
    )
    .option('--tasks-per-node <count>', 'tasks for each Node in a generation (default: 10)')
    .option('--cluster-size <count>', 'Nodes in a Cluster at the start, 5 to 50 (default: 10)')
    .option('--held-out <count>', 'tasks in each evaluation; no selection sees them (default: 100)')
    .option('--out <folder>', 'output folder; it must not exist, or be empty', someText)
    .option(
      '--outputs <file>',
      'file of model answers to read and extend (default: in the output folder)',
      someText,
    )
    .addOption(new Option('--resume', 'continue the experiment in --out').default(false))
    .option('--json', 'print the summary as one JSON object', false)
    .option('--verbose', 'also log information and debug messages', false)
    .addHelpText(
      'after',
      `
The same parameters give the same history, byte for byte. Ctrl-C stops and keeps completed generations; --resume continues.
docs/experiments.md describes the files.`,
    )
    .action((file, options) => finish(() => run(file, options)));
}

async function run(file: string | undefined, options: Options): Promise<number> {
  const {
    abandonExperimentFolder,
    createExperimentFolder,
    openExperimentFolder,
    runExperiment,
    ANSWERS_FILE,
  } = await import('../../experiments/experiment.ts');
  const { SUMMARY_FILE } = await import('../../experiments/summary.ts');
  const { openExperimentEngine } = await import('../../network/experiment-engine.ts');
  const { out } = options;
  if (out === undefined) throw new UsageError('Name the output folder: --out <folder>.');
  const given = parametersOf(options);
  if (options.resume && (file !== undefined || Object.keys(given).length > 0)) {
    throw new UsageError(
      '--resume uses the parameters in the folder. Leave out all other parameters, or start a new experiment in another folder.',
    );
  }
  const input = { ...(file === undefined ? {} : await parametersIn(file)), ...given };
  const config = options.resume ? await openExperimentFolder(out) : await createExperimentFolder(out, input);
  const onLog = stderrLog(options);
  const outputs = options.outputs ?? join(out, ANSWERS_FILE);
  return interruptible(async (signal) => {
    const engine = await openExperimentEngine(config, outputs, onLog).catch(async (error: unknown) => {
      if (!options.resume) await abandonExperimentFolder(out);
      throw error;
    });
    try {
      const onProgress = progressTo(process.stderr, engine);
      const summary = await runExperiment({ config, engine, folder: out, signal, onProgress });
      if (options.json) printJson(summary);
      else printLines([describe(config, summary.simulated, out, SUMMARY_FILE)]);
      return 0;
    } catch (error) {
      if (signal.aborted) {
        process.stderr.write(
          `\nStopped. All completed generations are kept. Continue with --out ${out} --resume.\n`,
        );
      }
      throw error;
    } finally {
      await engine.close();
    }
  });
}

function parametersOf(options: Options): Record<string, string> {
  return Object.fromEntries(
    PARAMETERS.flatMap((name) => {
      const value = options[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

async function parametersIn(file: string): Promise<object> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`The parameters in ${file} cannot be read: ${why}. Nothing was run.`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw new UsageError(`${file} is not a JSON object with parameters. Nothing was run.`);
}

function describe({ arms, seeds }: ExperimentConfig, simulated: boolean, out: string, file: string): string {
  const said = simulated ? ' All answers are simulated.' : '';
  return (
    `${arms.length} arms at ${seeds.length} seeds: ${join(out, file)} and figures in the same folder.${said}\n` +
    `Compare them: dellm experiment compare ${out}`
  );
}
