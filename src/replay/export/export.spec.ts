import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historyOf, placed, recordedHistory, sourceOf } from '../../../test/histories/histories.ts';
import { withSmallDisk } from '../../../test/support/small-disk.ts';
import type { HistoryEvent } from '../history-file.ts';
import { exportParquet } from './parquet.ts';
import { exportCsv, exportJsonl } from './text.ts';
import { type Output, writeWhole, writeWholeFolder } from './whole-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dellm-export-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An independent reader of RFC 4180: fields of all records. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  for (let at = 0; at < text.length; ) {
    let field = '';
    if (text[at] === '"') {
      for (at += 1; ; at += 1) {
        if (text[at] !== '"') field += text[at];
        else if (text[at + 1] === '"') {
          field += '"';
          at += 1;
        } else break;
      }
      at += 1;
    } else {
      const end = /,|\r\n/.exec(text.slice(at))?.index ?? text.length;
      field = text.slice(at, at + end);
      at += end;
    }
    record.push(field);
    if (text.startsWith('\r\n', at)) {
      records.push(record);
      record = [];
      at += 2;
    } else at += 1;
  }
  return records;
}

async function recorded(): Promise<{ lines: string; events: HistoryEvent[] }> {
  const lines = await recordedHistory('0.1.0-schema-1');
  return {
    lines,
    events: lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  };
}

describe('an exported history', () => {
  it('as JSONL is the recorded one, byte for byte', async () => {
    const { lines, events } = await recorded();
    const path = join(folder, 'history.jsonl');
    await writeWhole(path, async (output) => {
      expect(await exportJsonl(sourceOf(placed(events)), output)).toBe(events.length);
    });
    expect(readFileSync(path, 'utf8')).toBe(lines);
    expect(readdirSync(folder)).toEqual(['history.jsonl']);
  });

  it('as CSV has one record an event, quoted where it must be', async () => {
    const events = historyOf([
      {
        stream: 'node-a',
        type: 'Said',
        data: { text: 'one, "two"\r\nthree', at: '2030-01-01T00:00:00.000Z' },
      },
      { stream: 'node-a', type: 'Silent', data: {} },
    ]);
    const path = join(folder, 'history.csv');
    await writeWhole(path, async (output) => {
      await exportCsv(sourceOf(placed(events)), output);
    });
    const [names, ...records] = parseCsv(readFileSync(path, 'utf8'));
    expect(names?.join(',')).toBe(
      'stream,revision,type,at,id,message_id,causation_id,correlation_id,schema_version,prev_hash,data',
    );
    expect(records).toHaveLength(2);
    expect(records[0]?.slice(0, 5)).toEqual([
      'node-a',
      '0',
      'Said',
      '2030-01-01T00:00:00.000Z',
      events[0]?.id,
    ]);
    expect(JSON.parse(records[0]?.at(-1) ?? '')).toEqual(events[0]?.data);
    expect(records[1]?.slice(0, 4)).toEqual(['node-a', '1', 'Silent', '']);
  });

  it('as Parquet is read back by a reader, with types', async () => {
    const { events } = await recorded();
    const path = join(folder, 'history.parquet');
    await writeWhole(path, async (output) => {
      expect(await exportParquet(sourceOf(placed(events)), output)).toBe(events.length);
    });
    const file = await asyncBufferFromFile(path);
    const rows = await parquetReadObjects({ file });
    expect(rows).toHaveLength(events.length);
    for (const index of [0, 1, 100, events.length - 1]) {
      const { stream, revision, type, id, data, metadata } = events[index] as HistoryEvent;
      const { at, ...row } = rows[index] ?? {};
      expect(row).toMatchObject({ stream, revision, type, id, data });
      expect(row).toMatchObject({
        prev_hash: (metadata as { prevHash: string }).prevHash,
        schema_version: 1,
      });
      expect(at).toEqual(new Date((data as { at: string }).at));
    }
  });

  it('as Parquet comes in groups of rows, so that a long one fits in memory', async () => {
    const events = historyOf(Array.from({ length: 45_000 }, () => ({ stream: 'node-a', type: 'T' })));
    const path = join(folder, 'history.parquet');
    await writeWhole(path, async (output) => {
      await exportParquet(sourceOf(placed(events), 1000), output);
    });
    const metadata = await parquetMetadataAsync(await asyncBufferFromFile(path));
    expect(metadata.row_groups.map(({ num_rows }) => Number(num_rows))).toEqual([20_000, 20_000, 5_000]);
  });

  it('without events is still a file', async () => {
    const path = join(folder, 'history.parquet');
    await writeWhole(path, async (output) => {
      await exportParquet(sourceOf([]), output);
    });
    expect(await parquetReadObjects({ file: await asyncBufferFromFile(path) })).toEqual([]);
  });
});

describe('an output', () => {
  const some = async (output: Output): Promise<void> => output.write('some');

  it('that exists is not overwritten', async () => {
    const path = join(folder, 'there');
    writeFileSync(path, 'before');
    await expect(writeWhole(path, some)).rejects.toThrow(/already exists\. Nothing was written/);
    await expect(writeWholeFolder(path, { some })).rejects.toThrow(/already exists/);
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(readdirSync(folder)).toEqual(['there']);
  });

  it('that comes into being meanwhile is not overwritten', async () => {
    const path = join(folder, 'there');
    const late = async (output: Output): Promise<void> => {
      writeFileSync(path, 'meanwhile');
      await output.write('some');
    };
    await expect(writeWhole(path, late)).rejects.toThrow(/already exists/);
    expect(readFileSync(path, 'utf8')).toBe('meanwhile');
    expect(readdirSync(folder)).toEqual(['there']);
  });

  it('that fails half-way leaves nothing behind', async () => {
    const half = async (output: Output): Promise<void> => {
      await output.write('x'.repeat(1_000_000));
      throw new Error('half-way');
    };
    await expect(writeWhole(join(folder, 'a'), half)).rejects.toThrow('half-way');
    await expect(writeWholeFolder(join(folder, 'b'), { some, half })).rejects.toThrow('half-way');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('in a folder that is not there says so', async () => {
    await expect(writeWhole(join(folder, 'none', 'a'), some)).rejects.toThrow(/could not be written/);
  });

  it('on a full disk leaves nothing behind, and says that it is full', async (context) => {
    await withSmallDisk(context, join(folder, 'disk'), '256k', async ({ path }) => {
      const much = async (output: Output): Promise<void> => {
        for (let part = 0; part < 64; part += 1) await output.write('x'.repeat(64 * 1024));
      };
      await expect(writeWhole(join(path, 'a'), much)).rejects.toThrow(
        /the disk is full\. The partial output was removed/,
      );
      await expect(writeWholeFolder(join(path, 'b'), { some, much })).rejects.toThrow(/the disk is full/);
      expect(readdirSync(path)).toEqual([]);
    });
  });
});
