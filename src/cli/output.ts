import { printable, printableJson, printableLine } from './printable.ts';

/** Results go to standard output; all other text goes to standard error. */

export function printJson(value: unknown): void {
  process.stdout.write(`${printableJson(value)}\n`);
}

export function printLines(lines: readonly string[]): void {
  process.stdout.write(`${printable(lines.join('\n'))}\n`);
}

/** One fact per line, with the names in a column. */
export function facts(entries: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${printableLine(value)}`);
}

export interface Column<Row> {
  readonly title: string;
  /** Numbers are aligned right, texts left. */
  readonly of: (row: Row) => string | number;
}

/** A table with titles. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map(({ of }) => shown(of(row))));
  const widths = columns.map(({ title }, i) =>
    Math.max(title.length, ...cells.map((row) => String(row[i] ?? '').length)),
  );
  const line = (texts: readonly string[], right: readonly boolean[]): string =>
    texts
      .map((text, i) => (right[i] ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  const right = columns.map((_, i) => cells.length > 0 && cells.every((row) => typeof row[i] === 'number'));
  return [
    line(
      columns.map(({ title }) => title),
      right,
    ),
    ...cells.map((row) => line(row.map(String), right)),
  ];
}

function shown(cell: string | number): string | number {
  return typeof cell === 'string' ? printableLine(cell) : cell;
}

export function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}

/** Rounds to three decimals. */
export function short(number: number): number {
  return Number(number.toFixed(3));
}
