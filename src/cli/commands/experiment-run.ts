import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { ExperimentConfig } from '../../experiments/config.ts';
import { SUMMARY_FILE, type Summary } from '../../experiments/summary.ts';
import { openExperimentEngine } from '../../network/experiment-engine.ts';
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

/** Options that are parameters of the experiment; a file may have more. */
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
    .argument('[file]', 'parameters as JSON; options on the command line go before those in the file')
    .option('--engine <name>', 'miniature (real inference), simulated (a skill model) or recorded')
    .option('--recordings <file>', 'recorded: answers of an earlier experiment, its model-outputs.jsonl')
    .option('--nodes <count>', 'Nodes of each population, 5 to 10000 (default: 50)')
    .option('--generations <count>', 'generations after the first one (default: 40)')
    .option('--seed <seeds>', 'a number, several with commas, or a range such as 1-10 (default: 1)')
    .option(
      '--arms <names>',
      'evolution, random-search, best-of-n, static, and evolution without something: no-crossover, no-modes, no-mutation … (default: the first four)',
    )
    .option('--tasks-per-node <count>', 'tasks that each Node is judged by in a generation (default: 10)')
    .option('--cluster-size <count>', 'Nodes of a Cluster, 5 to 50 (default: 10)')
    .option('--held-out <count>', 'tasks of each evaluation, which no selection sees (default: 100)')
    .option('--out <folder>', 'where everything is written; it must not exist, or be empty', someText)
    .option(
      '--outputs <file>',
      'answers of models, read and added to (default: in the output folder)',
      someText,
    )
    .addOption(new Option('--resume', 'go on with the experiment in --out').default(false))
    .option('--json', 'print the summary as one JSON object', false)
    .option('--verbose', 'show what happens inside', false)
    .addHelpText(
      'after',
      `
The same parameters give the same history, byte for byte. Ctrl-C ends after what was finished; --resume goes on.
What the files are: docs/experiments.md.`,
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
  const { out } = options;
  if (out === undefined)
    throw new UsageError('Name the folder for what the experiment finds: --out <folder>.');
  const given = parametersOf(options);
  if (options.resume && (file !== undefined || Object.keys(given).length > 0)) {
    throw new UsageError(
      '--resume goes on with the parameters in the folder: leave out all others, or begin anew in another folder.',
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
      else printLines([describe(config, summary, out)]);
      return 0;
    } catch (error) {
      if (signal.aborted) {
        process.stderr.write(
          `\nStopped. Every generation that was finished is kept: go on with --out ${out} --resume.\n`,
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
  throw new UsageError(`${file} holds no JSON object of parameters. Nothing was run.`);
}

function describe(
  { arms, seeds }: ExperimentConfig,
  { simulated }: Pick<Summary, 'simulated'>,
  out: string,
): string {
  const said = simulated ? ' All answers are simulated.' : '';
  return (
    `${arms.length} arms at ${seeds.length} seeds: ${join(out, SUMMARY_FILE)} and figures beside it.${said}\n` +
    `Compare them: dellm experiment compare ${out}`
  );
}
