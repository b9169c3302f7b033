import { UNITS_PER_CREDIT } from '../../../actors/account/credits.ts';
import { table } from '../../output.ts';

/** Longest text in a cell. Longer texts are cut; `--json` shows everything. */
const CELL = 48;
const WHOLE_ROW = 120;

/** Fields that the row's key already shows. */
const IN_KEY: ReadonlySet<string> = new Set(['kind', 'resource', 'taskType', 'account', 'id', 'node']);

/** A table of rows of any projection, with a column for every field that is a text, a number, or a list of these. */
export function rowsTable(rows: readonly (readonly [key: string, row: unknown])[], limit: number): string[] {
  if (rows.length === 0) return ['(no rows)'];
  const shown = rows.slice(0, limit);
  const names = new Set(
    shown.flatMap(([, row]) =>
      Object.entries(row as object)
        .filter(([name, value]) => !IN_KEY.has(name) && value !== undefined && cellOf(value) !== null)
        .map(([name]) => name),
    ),
  );
  const lines = table(shown, [
    { title: 'key', of: ([key]) => key },
    // If no field fits into a column, shows the row as JSON.
    ...(names.size === 0
      ? [
          {
            title: 'row',
            of: ([, row]: readonly [string, unknown]) => clipped(JSON.stringify(row), WHOLE_ROW),
          },
        ]
      : []),
    ...[...names].map((name) => ({
      title: name,
      of: ([, row]: readonly [string, unknown]) => {
        const value = (row as Readonly<Record<string, unknown>>)[name];
        return value === undefined ? '' : (cellOf(value) ?? '');
      },
    })),
  ]);
  const more = rows.length - shown.length;
  return more === 0 ? lines : [...lines, `… and ${more} more; --limit shows them`];
}

/** A value as a short text; null if it has none. */
export function cellOf(value: unknown): string | number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(4));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return clipped(value);
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' || typeof item === 'number')) {
    return clipped(value.join(' '));
  }
  return Array.isArray(value) ? `${value.length} ×` : null;
}

/** A value in one line. Objects and lists as JSON. */
export function valueText(value: unknown): string {
  if (value === undefined) return '(none)';
  if (typeof value === 'number') return String(cellOf(value));
  return clipped(typeof value === 'string' ? value : JSON.stringify(value));
}

function clipped(text: string, most = CELL): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Converts a row's amounts from units to credits. */
export function inCredits(row: unknown): unknown {
  return Object.fromEntries(
    Object.entries(row as object).map(([name, value]) => [
      name,
      typeof value === 'number' ? value / UNITS_PER_CREDIT : value,
    ]),
  );
}
