import { historyLine } from '../history-file.ts';
import type { HistorySource } from '../source.ts';
import { COLUMN_NAMES, rowOf } from './columns.ts';
import type { Output } from './whole-file.ts';

/** `history.jsonl`: canonical, and readable by every other command. */
export async function exportJsonl(source: HistorySource, output: Output): Promise<number> {
  let count = 0;
  for await (const { events } of source.batches()) {
    for (const event of events) await output.write(historyLine(event));
    count += events.length;
  }
  return count;
}

/** One event per record, by RFC 4180: lines end in CR LF, and the first line names the columns. */
export async function exportCsv(source: HistorySource, output: Output): Promise<number> {
  let count = 0;
  await output.write(recordOf(COLUMN_NAMES));
  for await (const { events } of source.batches()) {
    for (const event of events) {
      const row = rowOf(event);
      await output.write(recordOf(COLUMN_NAMES.map((name) => row[name])));
    }
    count += events.length;
  }
  return count;
}

function recordOf(fields: readonly (string | number)[]): string {
  return `${fields.map((field) => quoted(String(field))).join(',')}\r\n`;
}

/** By RFC 4180. */
export function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}
