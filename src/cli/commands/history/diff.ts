import type { Command } from 'commander';
import type { RowsDiff } from '../../../replay/diff.ts';
import { wholeNumber } from '../../arguments.ts';
import { finish } from '../../finish.ts';
import { printJson, printLines } from '../../output.ts';
import { printableLine } from '../../printable.ts';
import { showOption, whereText } from './at.ts';
import { valueText } from './rows.ts';
import { addSourceOptions, type SourceOptions, withHistory } from './source.ts';

interface Options extends SourceOptions {
  readonly show: string;
  readonly limit: number;
  readonly json: boolean;
}

export function addDiffCommand(history: Command): void {
  const command = history
    .command('diff')
    .description('how the rows changed between two moments')
    .argument('<from>', 'a position, a time, "generation:3", "generation:3@cluster" or "end"')
    .argument('<to>', 'the same')
    .addOption(showOption())
    .option(
      '--limit <rows>',
      'maximum number of changes of each kind, without --json',
      wholeNumber(1, 1_000_000),
      20,
    )
    .option('--json', 'print all differences as one JSON object', false);
  addSourceOptions(command).action((from, to, options) => finish(() => showDiff(from, to, options)));
}

async function showDiff(from: string, to: string, options: Options): Promise<number> {
  return withHistory(options, async ({ source, cache, signal }) => {
    const { diffRows } = await import('../../../replay/diff.ts');
    const { foldTo } = await import('../../../replay/fold.ts');
    const { parseMoment } = await import('../../../replay/moment.ts');
    const { projectionsOf, shownRows, tablesOf } = await import('../../../replay/shows.ts');
    const moments = [parseMoment(from), parseMoment(to)] as const;
    const tables = tablesOf(options.show);
    const fold = (moment: (typeof moments)[number]) =>
      foldTo({ source, moment, projections: projectionsOf(tables), cache, signal });
    const [before, after] = [await fold(moments[0]), await fold(moments[1])];
    const diffs = tables.map((table): readonly [string, RowsDiff] => [
      table.name,
      diffRows(new Map(shownRows(before.model, table)), new Map(shownRows(after.model, table))),
    ]);
    const { label, unit } = source;
    if (options.json) {
      const rows = Object.fromEntries(diffs);
      printJson({ source: label, unit, from: before.last, to: after.last, rows });
      return 0;
    }
    printLines([
      `from  ${whereText(before, label, unit)}`,
      `to    ${whereText(after, label, unit)}`,
      ...diffs.flatMap(([show, diff]) => ['', show, ...diffLines(diff, options.limit)]),
    ]);
    return 0;
  });
}

function diffLines({ added, removed, changed }: RowsDiff, limit: number): string[] {
  if (added.length + removed.length + changed.length === 0) return ['(no difference)'];
  const some = <Item>(items: readonly Item[], lineOf: (item: Item) => string): string[] => [
    ...items.slice(0, limit).map((item) => printableLine(lineOf(item))),
    ...(items.length > limit ? [`  … and ${items.length - limit} more; --limit shows them`] : []),
  ];
  return [
    ...some(added, ({ key }) => `+ ${key}`),
    ...some(removed, ({ key }) => `- ${key}`),
    ...some(changed, ({ key, fields }) => {
      const parts = fields.map(({ field, from, to }) => `${field} ${valueText(from)} → ${valueText(to)}`);
      return `~ ${key}  ${parts.join(', ')}`;
    }),
  ];
}
