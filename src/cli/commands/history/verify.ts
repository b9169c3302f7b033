import { join } from 'node:path';
import type { Command } from 'commander';
import type { LiveRows } from '../../../replay/live-rows.ts';
import type { Verification } from '../../../replay/verify.ts';
import { EXIT } from '../../exit-codes.ts';
import { finish } from '../../finish.ts';
import { facts, printJson, printLines } from '../../output.ts';
import { printableLine } from '../../printable.ts';
import { addSourceOptions, type SourceOptions, withHistory } from './source.ts';

interface Options extends SourceOptions {
  readonly rows: boolean;
  readonly json: boolean;
}

const SHOWN_FAULTS = 20;

export function addVerifyCommand(history: Command): void {
  const command = history
    .command('verify')
    .description('fold everything from the first event, and check chains, ids, order and the read model')
    .option('--no-rows', 'do not check the read model')
    .option('--json', 'print one JSON object', false);
  addSourceOptions(command, { cached: false }).action((options) => finish(() => verify(options)));
}

async function verify(options: Options): Promise<number> {
  return withHistory(options, async ({ source, home, signal }) => {
    const { PROJECTIONS } = await import('../../../projections/index.ts');
    const { verifyHistory } = await import('../../../replay/verify.ts');
    const { live, note } = options.rows && home !== null ? await liveRows(home) : { live: null, note: null };
    const onProgress = process.stderr.isTTY
      ? (events: number): void => {
          process.stderr.write(`\r${events} events`);
        }
      : undefined;
    const found = await verifyHistory({
      source,
      projections: PROJECTIONS,
      live,
      signal,
      ...(onProgress && { onProgress }),
    });
    if (onProgress) process.stderr.write('\r\x1b[K');
    if (options.json) printJson({ source: source.label, unit: source.unit, note, ...found });
    else printLines(reportLines(found, source.label, source.unit, note));
    return found.ok ? EXIT.ok : EXIT.failed;
  });
}

async function liveRows(home: string): Promise<{ live: LiveRows | null; note: string | null }> {
  const { PROJECTIONS } = await import('../../../projections/index.ts');
  const { liveRowsOfFile } = await import('../../../replay/live-rows.ts');
  try {
    const live = liveRowsOfFile(join(home, 'read-model.sqlite'), PROJECTIONS);
    return { live, note: live ? null : 'The data folder has no read model to compare with.' };
  } catch (error) {
    if (error instanceof Error && error.name === 'ForeignReadModelError')
      return { live: null, note: error.message };
    throw error;
  }
}

function reportLines(found: Verification, label: string, unit: string, note: string | null): string[] {
  const { ok, events, streams, faults, stopped, rows } = found;
  const lines = facts([
    ['history', label],
    ['checked', `${events} events in ${streams} streams`],
    ...(rows
      ? ([
          [
            'rows',
            `${rows.compared} rows of ${rows.projections.length} projections at ${unit} ${rows.position} of ${rows.label}: ` +
              (rows.differences.length === 0
                ? 'all equal the fold of the history'
                : `${rows.differences.length} differ from the fold of the history`),
          ],
        ] as const)
      : []),
    [
      'found',
      ok
        ? 'no faults'
        : faults.length > 0
          ? `${faults.length} faults, in order`
          : 'not everything could be checked',
    ],
  ]);
  if (note !== null) lines.push(printableLine(note));
  for (const { kind, stream, revision, type, position, what } of faults.slice(0, SHOWN_FAULTS)) {
    const where =
      stream === null ? '' : ` revision ${revision} of ${stream}${type === null ? '' : ` (${type})`},`;
    lines.push(printableLine(`${kind}:${where} ${unit} ${position}: ${what}`));
  }
  if (faults.length > SHOWN_FAULTS)
    lines.push(`… and ${faults.length - SHOWN_FAULTS} more; --json shows them`);
  if (stopped !== null) lines.push(printableLine(`stopped: ${stopped}`));
  for (const { projection, key, what, fields } of (rows?.differences ?? []).slice(0, SHOWN_FAULTS)) {
    lines.push(
      printableLine(
        `row ${projection} ${key}: ${what}${fields.length > 0 ? ` in ${fields.join(', ')}` : ''}`,
      ),
    );
  }
  return lines;
}
