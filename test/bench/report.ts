import type { Benchmark, Cell, Row, Table } from './benchmark.ts';
import type { Spread } from './statistics.ts';

/** All that one benchmark measured, at all its sizes. */
export interface Measured {
  readonly benchmark: Pick<Benchmark, 'name' | 'title' | 'about' | 'unit'>;
  readonly tables: readonly Table[];
  /** Median and 99th percentile of writing and flushing 4 KiB, right before, in milliseconds. */
  readonly fsyncMs: { readonly p50: number; readonly p99: number };
  readonly seconds: number;
}

/** Tables of the same title are one, size after size. */
export function joined(tables: readonly Table[]): readonly Table[] {
  const titles = [...new Set(tables.map((table) => table.title))];
  return titles.map((title) => ({
    title,
    rows: tables.filter((table) => table.title === title).flatMap((table) => table.rows),
  }));
}

export function markdown(measured: readonly Measured[], machine: string): string {
  const sections = measured.map(({ benchmark, tables, fsyncMs, seconds }) =>
    [
      `### ${benchmark.title}`,
      benchmark.about,
      `fsync p50 ${number(fsyncMs.p50)} ms, p99 ${number(fsyncMs.p99)} ms; measured in ${number(seconds)} s.`,
      ...tables.map((table) => `**${table.title}**\n\n${markdownTable(table.rows)}`),
    ].join('\n\n'),
  );
  return `${[machine, ...sections].join('\n\n')}\n`;
}

function markdownTable(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const isText = (column: string) => rows.every((row) => typeof (row[column] ?? '') === 'string');
  return [
    line(columns),
    line(columns.map((column) => (isText(column) ? '---' : '---:'))),
    ...rows.map((row) => line(columns.map((column) => cell(row[column])))),
  ].join('\n');
}

function cell(value: Cell | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return number(value);
  return spreadText(value);
}

function spreadText({ median, min, max }: Spread): string {
  if (min === max) return number(median);
  return `${number(median)} (${number(min)}–${number(max)})`;
}

/** Three significant digits, thousands apart. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? Math.round(rounded).toLocaleString('en') : String(rounded);
}
