import { mkdir, readdir, readFile, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { z } from 'zod';
import type { Named } from '../../experiments/compare.ts';
import { SUMMARY_FILE, SUMMARY_SCHEMA, Summary } from '../../experiments/summary.ts';
import type { Output } from '../../replay/export/whole-file.ts';
import { someText } from '../arguments.ts';
import { UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { printJson, printLines } from '../output.ts';

interface Options {
  readonly json: boolean;
  readonly out?: string;
}

/** The summary of an experiment cannot be read. Nothing was written. */
class UnreadableExperimentError extends Error {
  override readonly name = 'UnreadableExperimentError';
}

export function addCompareCommand(experiment: Command): void {
  experiment
    .command('compare')
    .description(
      'compare the arms of one or several experiments: differences, intervals, effect sizes, tests',
    )
    .argument('<folders...>', 'folders of experiments, each with a summary.json')
    .option('--json', 'print one JSON object', false)
    .addOption(
      new Option(
        '--out <folder>',
        'also write comparison.json, comparison.md and comparison.svg there',
      ).argParser(someText),
    )
    .addHelpText(
      'after',
      '\nThe folder for --out is made; one that exists must be empty. Arms with the same seeds are compared in pairs.',
    )
    .action((folders, options) => finish(() => compare(folders, options)));
}

async function compare(folders: readonly string[], { json, out }: Options): Promise<number> {
  refuseRepeated(folders);
  if (out !== undefined) await refuseFilled(out);
  const { compareSummaries, renderComparison } = await import('../../experiments/compare.ts');
  const names = namesOf(folders);
  const named: Named[] = [];
  for (const [index, folder] of folders.entries()) {
    named.push({ name: names[index] ?? folder, summary: await readSummary(folder) });
  }
  const comparison = compareSummaries(named);
  const rendered = renderComparison(comparison);
  if (out !== undefined) {
    const { comparisonFigure } = await import('../../experiments/comparison-figure.ts');
    await writeAll(out, {
      'comparison.json': `${JSON.stringify(comparison, null, 2)}\n`,
      'comparison.md': rendered,
      'comparison.svg': comparisonFigure(comparison),
    });
  }
  if (json) printJson(comparison);
  else printLines([rendered.trimEnd()]);
  return 0;
}

function refuseRepeated(folders: readonly string[]): void {
  const seen = new Set<string>();
  for (const folder of folders) {
    if (seen.has(resolve(folder))) {
      throw new UsageError(`${folder} is given twice. An experiment cannot be compared with itself.`);
    }
    seen.add(resolve(folder));
  }
}

/** The last part of each path if these differ, else the whole paths. */
function namesOf(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : folders.map((folder) => resolve(folder));
}

async function readSummary(folder: string): Promise<Summary> {
  const file = join(folder, SUMMARY_FILE);
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UnreadableExperimentError(
      error.code === 'ENOENT'
        ? `There is no folder ${folder}.`
        : error.code === 'ENOTDIR'
          ? `${folder} is not a folder. Give the output folder of an experiment.`
          : `${folder} cannot be read: ${error.message}.`,
      { cause: error },
    );
  });
  if (!entries.includes(SUMMARY_FILE)) {
    throw new UnreadableExperimentError(
      `${folder} has no ${SUMMARY_FILE}: it is not the folder of an experiment, or the experiment has not finished.`,
    );
  }
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UnreadableExperimentError(`${file} cannot be read: ${error.message}.`, { cause: error });
  });
  return parseSummary(file, text);
}

function parseSummary(file: string, text: string): Summary {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnreadableExperimentError(
      `${file} is not JSON (${error instanceof Error ? error.message : String(error)}). It was cut off or edited. Run the experiment again into a new folder.`,
      { cause: error },
    );
  }
  const found = z.object({ schema: z.string() }).safeParse(value);
  if (found.success && found.data.schema !== SUMMARY_SCHEMA) {
    throw new UnreadableExperimentError(
      `${file} has the schema ${found.data.schema}, and this version reads ${SUMMARY_SCHEMA}. Use the version of dellm that wrote it, or a later one.`,
    );
  }
  const parsed = Summary.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const place = first && first.path.length > 0 ? `${first.path.map(String).join('.')}: ` : '';
    const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
    throw new UnreadableExperimentError(
      `${file} is not the summary of an experiment: ${place}${first?.message ?? 'it has another form'}${more}.`,
    );
  }
  return parsed.data;
}

async function refuseFilled(out: string): Promise<void> {
  const { isFilled } = await import('../../replay/export/whole-file.ts');
  if (await isFilled(out)) {
    throw new UsageError(
      `${out} is not empty, is a file, or is below a file. Nothing was changed. Give --out a new folder.`,
    );
  }
}

/** Writes all of the files or none, into a folder that is new or empty. */
async function writeAll(out: string, files: Readonly<Record<string, string>>): Promise<void> {
  const { writeWholeFolder } = await import('../../replay/export/whole-file.ts');
  const folder = resolve(out);
  await mkdir(dirname(folder), { recursive: true });
  // Fails if something was put into the folder after the check.
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await writeWholeFolder(
    folder,
    Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, (output: Output) => output.write(text)]),
    ),
  );
}
