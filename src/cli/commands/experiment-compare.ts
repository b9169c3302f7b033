import { mkdir, rmdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Named } from '../../experiments/compare.ts';
import type { Output } from '../../replay/export/whole-file.ts';
import { someText } from '../arguments.ts';
import { UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { printJson, printLines } from '../output.ts';

interface Options {
  readonly json: boolean;
  readonly out?: string;
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
  const { readSummary } = await import('../../experiments/summary-file.ts');
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
