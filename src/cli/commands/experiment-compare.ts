import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Named } from '../../experiments/compare.ts';
import type { Summary } from '../../experiments/summary.ts';
import { someText } from '../arguments.ts';
import { UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { printJson, printLines } from '../output.ts';

interface Options {
  readonly json: boolean;
  readonly out?: string;
}

const SUMMARY = 'summary.json';

/** What an experiment left behind cannot be read. Nothing was written. */
class UnreadableExperimentError extends Error {
  override readonly name = 'UnreadableExperimentError';
}

export function addCompareCommand(experiment: Command): void {
  experiment
    .command('compare')
    .description(
      'arms of one experiment or of several beside each other: differences, intervals, effect sizes, tests',
    )
    .argument('<folders...>', 'folders of experiments, each with its summary.json')
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
      throw new UsageError(`${folder} is given twice: an experiment is not compared with itself.`);
    }
    seen.add(resolve(folder));
  }
}

/** The last part of each path where that tells them apart, else the whole of it. */
function namesOf(folders: readonly string[]): string[] {
  const short = folders.map((folder) => basename(resolve(folder)));
  return new Set(short).size === short.length ? short : folders.map((folder) => resolve(folder));
}

async function readSummary(folder: string): Promise<Summary> {
  const file = join(folder, SUMMARY);
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UnreadableExperimentError(
      error.code === 'ENOENT'
        ? `There is no folder ${folder}.`
        : error.code === 'ENOTDIR'
          ? `${folder} is no folder: give the folder that an experiment was written to.`
          : `${folder} cannot be read: ${error.message}.`,
      { cause: error },
    );
  });
  if (!entries.includes(SUMMARY)) {
    throw new UnreadableExperimentError(
      `${folder} has no ${SUMMARY}: it is not the folder of an experiment, or the experiment has not ended yet.`,
    );
  }
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UnreadableExperimentError(`${file} cannot be read: ${error.message}.`, { cause: error });
  });
  return parseSummary(file, text);
}

async function parseSummary(file: string, text: string): Promise<Summary> {
  const { Summary: schema, SUMMARY_SCHEMA } = await import('../../experiments/summary.ts');
  const { z } = await import('zod');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnreadableExperimentError(
      `${file} is no JSON (${error instanceof Error ? error.message : String(error)}): it was cut off or edited. Run the experiment again into a new folder.`,
      { cause: error },
    );
  }
  const found = z.object({ schema: z.string() }).safeParse(value);
  if (found.success && found.data.schema !== SUMMARY_SCHEMA) {
    throw new UnreadableExperimentError(
      `${file} is of the schema ${found.data.schema}, and this version reads ${SUMMARY_SCHEMA}: use the version of dellm that wrote it, or a later one.`,
    );
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const place = first && first.path.length > 0 ? `${first.path.map(String).join('.')}: ` : '';
    const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
    throw new UnreadableExperimentError(
      `${file} is no summary of an experiment: ${place}${first?.message ?? 'it has another shape'}${more}.`,
    );
  }
  return parsed.data;
}

async function refuseFilled(out: string): Promise<void> {
  const entries = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new UsageError(
      error.code === 'ENOTDIR'
        ? `${out} is a file or stands below one: --out is a folder that does not exist yet or is empty.`
        : `${out} cannot be used for --out: ${error.message}.`,
    );
  });
  if (entries.length > 0) {
    throw new UsageError(`${out} is not empty: nothing in it was changed. Give --out a new folder.`);
  }
}

/** All of the files or none: they are written beside the folder, which then takes its name. */
async function writeAll(out: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = resolve(out);
  const partial = join(dirname(folder), `.${basename(folder)}.${randomUUID()}`);
  try {
    await mkdir(partial, { recursive: true });
    for (const [name, text] of Object.entries(files))
      await writeFile(join(partial, name), text, { flag: 'wx' });
    // Fails where something has come to be in the folder since it was looked at.
    await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rename(partial, folder);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw new Error(
      `${out} could not be written (${error instanceof Error ? error.message : String(error)}): none of the comparison's files are there.`,
      { cause: error },
    );
  }
}
