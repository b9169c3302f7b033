import { type Command, Option } from 'commander';
import { someText } from '../../arguments.ts';
import { finish } from '../../finish.ts';
import { facts, printJson, printLines } from '../../output.ts';
import { addSourceOptions, type Opened, type SourceOptions, withHistory } from './source.ts';

type Format = 'jsonl' | 'csv' | 'parquet' | 'phylogeny';

interface Options extends SourceOptions {
  readonly format: Format;
  readonly out: string;
  readonly json: boolean;
}

export function addExportCommand(history: Command): void {
  const command = history
    .command('export')
    .description('write the history for other programs; never overwrites a file')
    .addOption(
      new Option('--format <format>', 'phylogeny: a folder with phylogeny.csv (ALife standard) and tree.nwk')
        .choices(['jsonl', 'csv', 'parquet', 'phylogeny'])
        .default('jsonl'),
    )
    .requiredOption('--out <path>', 'output file, or output folder of a phylogeny', someText)
    .option('--json', 'print one JSON object', false);
  addSourceOptions(command, { cached: false }).action((options) => finish(() => exportHistory(options)));
}

async function exportHistory(options: Options): Promise<number> {
  return withHistory(options, async (opened) => {
    const count = await write(options, opened);
    const what = options.format === 'phylogeny' ? 'lives' : 'events';
    const { format, out } = options;
    if (options.json) printJson({ source: opened.source.label, format, out, [what]: count });
    else printLines(facts([['written', `${out} (${format}, ${count} ${what} of ${opened.source.label})`]]));
    return 0;
  });
}

async function write({ format, out }: Options, opened: Opened): Promise<number> {
  const { source } = opened;
  const { writeWhole } = await import('../../../replay/export/whole-file.ts');
  if (format === 'phylogeny') return writePhylogeny(out, opened);
  const { exportCsv, exportJsonl } = await import('../../../replay/export/text.ts');
  let count = 0;
  await writeWhole(out, async (output) => {
    if (format === 'parquet') {
      const { exportParquet } = await import('../../../replay/export/parquet.ts');
      count = await exportParquet(source, output);
    } else count = await (format === 'csv' ? exportCsv : exportJsonl)(source, output);
  });
  return count;
}

async function writePhylogeny(out: string, { source, signal }: Opened): Promise<number> {
  const { newick, phylogenyCsv } = await import('../../../experiments/phylogeny.ts');
  const { livesIn } = await import('../../../replay/lives.ts');
  const { writeWholeFolder } = await import('../../../replay/export/whole-file.ts');
  const lives = await livesIn(source, signal);
  const [csv, tree] = [phylogenyCsv(lives), newick(lives)];
  await writeWholeFolder(out, {
    'phylogeny.csv': (output) => output.write(csv),
    'tree.nwk': (output) => output.write(tree),
  });
  return lives.length;
}
