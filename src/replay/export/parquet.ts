import { ByteWriter, type ColumnSource, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import type { HistorySource } from '../source.ts';
import { type EventRow, rowOf } from './columns.ts';
import type { Output } from './whole-file.ts';

/** A row group is written when it reaches this many rows or characters of data. It is kept in memory until then. */
const GROUP_ROWS = 20_000;
const GROUP_DATA = 16 * 1024 * 1024;

/** Parquet with the columns of the CSV: numbers, a timestamp in UTC, and `data` as JSON; Snappy. */
export async function exportParquet(source: HistorySource, output: Output): Promise<number> {
  const writer = new ByteWriter();
  const flush = async (): Promise<void> => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    await output.write(bytes);
  };
  const parquet = new ParquetWriter({
    writer: Object.assign(writer, { flush, finish: flush }),
    schema: schemaFromColumnData({ columnData: columnsOf([]) }),
    createdBy: 'dellm',
  });
  let count = 0;
  let rows: EventRow[] = [];
  let size = 0;
  const writeGroup = async (): Promise<void> => {
    if (rows.length === 0) return;
    await parquet.write({ columnData: columnsOf(rows), rowGroupSize: rows.length });
    rows = [];
    size = 0;
  };
  for await (const { events } of source.batches()) {
    for (const event of events) {
      const row = rowOf(event);
      rows.push(row);
      size += row.data.length;
      if (rows.length >= GROUP_ROWS || size >= GROUP_DATA) await writeGroup();
    }
    count += events.length;
  }
  await writeGroup();
  await parquet.finish();
  return count;
}

function columnsOf(rows: readonly EventRow[]): ColumnSource[] {
  const text = (name: keyof EventRow): ColumnSource => ({
    name,
    data: rows.map((row) => row[name]),
    type: 'STRING',
    nullable: false,
  });
  const number = (name: 'revision' | 'schema_version'): ColumnSource => ({
    name,
    data: rows.map((row) => row[name]),
    type: 'INT32',
    nullable: false,
  });
  return [
    text('stream'),
    number('revision'),
    text('type'),
    {
      name: 'at',
      data: rows.map(({ at }) => (Number.isNaN(Date.parse(at)) ? null : new Date(at))),
      type: 'TIMESTAMP',
      nullable: true,
    },
    text('id'),
    text('message_id'),
    text('causation_id'),
    text('correlation_id'),
    number('schema_version'),
    text('prev_hash'),
    { name: 'data', data: rows.map(({ data }) => JSON.parse(data)), type: 'JSON', nullable: false },
  ];
}
