import { type Command, Option } from 'commander';
import type { Folded } from '../../../replay/fold.ts';
import type { Moment } from '../../../replay/moment.ts';
import { id, someText, wholeNumber } from '../../arguments.ts';
import { UsageError } from '../../exit-codes.ts';
import { finish } from '../../finish.ts';
import { printJson, printLines } from '../../output.ts';
import { inCredits, rowsTable } from './rows.ts';
import { addSourceOptions, type SourceOptions, withHistory } from './source.ts';

/** Which moment of the history is meant. */
export interface MomentOptions {
  readonly event?: string;
  readonly time?: string;
  readonly generation?: string;
  readonly cluster?: string;
  readonly end: boolean;
}

interface Options extends SourceOptions, MomentOptions {
  readonly show: string;
  readonly limit: number;
  readonly json: boolean;
}

export function addAtCommand(history: Command): void {
  const command = addMomentOptions(
    history
      .command('at')
      .description('the network at a moment: after an event, at a time, after a generation'),
  )
    .addOption(showOption())
    .option(
      '--limit <rows>',
      'maximum number of rows of each kind, without --json',
      wholeNumber(1, 1_000_000),
      50,
    )
    .option('--json', 'print all rows as one JSON object', false);
  addSourceOptions(command).action((options) => finish(() => showAt(options)));
}

/** The command `history` sets its choices. */
export function showOption(): Option {
  return new Option('--show <what>', 'which rows').default('all');
}

export function addMomentOptions(command: Command): Command {
  return command
    .option('--event <position>', 'up to and including this event (in a file: its line number)', someText)
    .option('--time <time>', 'up to just before the first event that happened later, in ISO 8601', someText)
    .option(
      '--generation <number>',
      'up to the end of a generation in every Cluster; 0 is before the first',
      someText,
    )
    .option('--cluster <id>', 'with --generation: only in this Cluster', id)
    .option('--end', 'everything', false);
}

async function showAt(options: Options): Promise<number> {
  return withHistory(options, async ({ source, cache, signal }) => {
    const { foldTo } = await import('../../../replay/fold.ts');
    const { projectionsOf, shownRows, tablesOf } = await import('../../../replay/shows.ts');
    const moment = await momentOf(options);
    const tables = tablesOf(options.show);
    const folded = await foldTo({ source, moment, projections: projectionsOf(tables), cache, signal });
    const { label, unit } = source;
    if (options.json) {
      const rows = Object.fromEntries(
        tables.map((table) => [
          table.name,
          shownRows(folded.model, table).map(([key, row]) => ({ key, row })),
        ]),
      );
      printJson({ source: label, unit, moment, last: folded.last, events: folded.events, rows });
      return 0;
    }
    printLines([
      whereText(folded, label, unit),
      ...tables.flatMap((table) => [
        '',
        table.name,
        ...rowsTable(readable(table.name, shownRows(folded.model, table)), options.limit),
      ]),
    ]);
    return 0;
  });
}

/** Only for people: `--json` has the unchanged rows. */
function readable(show: string, rows: readonly (readonly [string, unknown])[]): typeof rows {
  return show === 'credits' ? rows.map(([key, row]) => [key, inCredits(row)] as const) : rows;
}

/** One line that says where the fold has ended. */
export function whereText({ last, events }: Folded, label: string, unit: string): string {
  if (!last) return `${label} before its first event`;
  const { stream, revision, position, at } = last;
  return `${label} after ${events} events, up to ${unit} ${position} (revision ${revision} of ${stream}, ${at})`;
}

export async function momentOf({ event, time, generation, cluster, end }: MomentOptions): Promise<Moment> {
  const { eventMoment, generationMoment, timeMoment } = await import('../../../replay/moment.ts');
  const given = [event, time, generation, end || undefined].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new UsageError('Name one moment: --event, --time, --generation or --end.');
  }
  if (cluster !== undefined && generation === undefined) {
    throw new UsageError('--cluster requires --generation.');
  }
  if (event !== undefined) return eventMoment(event);
  if (time !== undefined) return timeMoment(time);
  if (generation !== undefined) return generationMoment(generation, cluster ?? null);
  return { kind: 'end' };
}
