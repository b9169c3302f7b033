import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AnyProjection, Projection, Recorded } from './projection.ts';
import { ReadModel } from './read-model.ts';

/** How often each stream had an event; an event `Gone` removes the row. */
const counts: Projection<number> = {
  name: 'counts',
  version: 1,
  resident: true,
  types: null,
  keys: (event) => [event.stream],
  fold: (row, event) => ((event.type as string) === 'Gone' ? undefined : (row ?? 0) + 1),
};

/** Every event touches three rows, so that a page may end between rows of one position. */
const several: Projection<number> = {
  ...counts,
  name: 'several',
  keys: (event) => [event.stream, `${event.stream}+`, 'all'],
};

const onDisk: Projection<number> = { ...counts, name: 'on-disk', resident: false };

let folder: string;
let models: ReadModel[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dellm-read-model-'));
  models = [];
});

afterEach(() => {
  for (const model of models) model.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(projections: readonly AnyProjection[] = [counts, onDisk], name = 'read.sqlite'): ReadModel {
  const model = new ReadModel(name === ':memory:' ? name : join(folder, name), projections);
  models.push(model);
  return model;
}

function changeFile(name: string, sql: string): void {
  const database = new Database(join(folder, name));
  database.exec(sql);
  database.close();
}

/** A file that opens well, but whose pages of rows hold no rows. */
function brokenFile(projection: Projection<number>): string {
  const model = open([projection]);
  for (let position = 0; position < 5000; position += 1) model.apply(event(position, `s${position}`));
  model.commit();
  changeFile('read.sqlite', 'pragma wal_checkpoint(truncate)');
  const bytes = readFileSync(join(folder, 'read.sqlite'));
  expect(bytes.length).toBeGreaterThan(40 * 4096);
  writeFileSync(join(folder, 'broken.sqlite'), bytes.fill(0xee, 8 * 4096));
  return 'broken.sqlite';
}

function event(position: number, stream: string, type = 'Happened'): Recorded {
  const place = { stream, revision: 0, position, id: `event-${position}` };
  return { type, data: {}, ...place, correlationId: '' } as unknown as Recorded;
}

describe('the read model', () => {
  it('gives rows at once and keeps them with their position', () => {
    const model = open();
    model.apply(event(5, 'a'));
    model.apply(event(9, 'a'));
    expect(model.row(counts, 'a')).toBe(2);
    expect(model.row(onDisk, 'a')).toBe(2);
    expect(model.position).toBe(9);
  });

  it('folds an event once, however often it comes', () => {
    const model = open();
    for (const position of [5, 5, 3]) model.apply(event(position, 'a'));
    expect(model.row(counts, 'a')).toBe(1);
  });

  it('goes on after a stop from the last commit: rows and checkpoint are of one position', () => {
    const before = open();
    before.apply(event(1, 'a'));
    before.commit();
    before.apply(event(2, 'a'));
    before.apply(event(3, 'b'));
    const after = open();
    expect(after.position).toBe(1);
    for (const projection of [counts, onDisk]) {
      expect(after.row(projection, 'a')).toBe(1);
      expect(after.row(projection, 'b')).toBeUndefined();
    }
    after.apply(event(2, 'a'));
    expect(after.row(counts, 'a')).toBe(2);
  });

  it('forgets removed rows, also on disk', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    model.apply(event(2, 'a', 'Gone'));
    expect(model.row(onDisk, 'a')).toBeUndefined();
    model.commit();
    expect(model.row(onDisk, 'a')).toBeUndefined();
    expect(model.rows(counts, { limit: 10 })).toEqual([]);
    expect(model.count(counts, '')).toBe(0);
    expect(open().row(onDisk, 'a')).toBeUndefined();
    expect(open().rows(counts, { limit: 10 })).toEqual([]);
  });

  it('begins anew when a projection has another version, or there is one more', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    const changed = open([{ ...counts, version: 2 }, onDisk]);
    expect(changed.position).toBe(-1);
    expect(changed.row(onDisk, 'a')).toBeUndefined();
    changed.apply(event(1, 'a'));
    changed.commit();
    expect(open([{ ...counts, version: 2 }]).position).toBe(-1);
  });

  it('begins anew when its file cannot be read', () => {
    const file = join(folder, 'read.sqlite');
    writeFileSync(file, 'no database, but long enough to be taken for one '.repeat(100));
    const model = open();
    expect(model.position).toBe(-1);
    model.apply(event(1, 'a'));
    model.commit();
    expect(open().position).toBe(1);
    expect(readFileSync(file).subarray(0, 15).toString()).toBe('SQLite format 3');
  });

  it('begins anew when a page of its file is broken', () => {
    const broken = brokenFile(counts);
    const model = open([counts], broken);
    expect(model.position).toBe(-1);
    model.apply(event(1, 'a'));
    model.commit();
    expect(open([counts], broken).position).toBe(1);
  });

  it('ends at a broken page that is met later, and begins anew the next time', () => {
    const broken = brokenFile(onDisk);
    const model = open([onDisk], broken);
    expect(model.position).toBe(4999);
    expect(() => model.row(onDisk, 's2500')).toThrow('malformed');
    expect(() => model.commit()).toThrow('malformed');
    models.pop()?.close();
    expect(open([onDisk], broken).position).toBe(-1);
  });

  it('begins anew when a row or the checkpoint is no JSON', () => {
    for (const change of [
      "update rows set row = '{'",
      "update meta set value = '' where key = 'checkpoint'",
    ]) {
      const model = open();
      model.apply(event(1, 'a'));
      model.commit();
      changeFile('read.sqlite', change);
      expect(open().position).toBe(-1);
    }
  });

  it('leaves a file alone that it merely may not open', () => {
    const file = join(folder, 'folder.sqlite');
    mkdirSync(file);
    expect(() => open([counts], 'folder.sqlite')).toThrow();
    expect(existsSync(file)).toBe(true);
  });

  it('knows the last event, also when the position lies behind it', () => {
    const model = open();
    model.apply(event(5, 'a'));
    model.skipTo(9);
    model.commit();
    const again = open();
    expect(again.position).toBe(9);
    expect(again.lastEvent).toEqual({ stream: 'a', revision: 0, position: 5, id: 'event-5' });
  });

  it('lists rows by key, page after page', () => {
    const model = open();
    for (const [position, stream] of ['n/b', 'n/a', 'c/x', 'n/c'].entries())
      model.apply(event(position, stream));
    const first = model.rows(counts, { prefix: 'n/', limit: 2 });
    expect(first.map(([key]) => key)).toEqual(['n/a', 'n/b']);
    expect(model.rows(counts, { prefix: 'n/', after: 'n/b', limit: 2 }).map(([key]) => key)).toEqual(['n/c']);
    expect(model.count(counts, 'n/')).toBe(3);
    expect(() => model.rows(onDisk, { limit: 1 })).toThrow('on-disk');
  });

  it('pages through changes without losing a row, whatever changes in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
        (streams, limit, between) => {
          const model = open([several], ':memory:');
          const seen = new Map<string, unknown>();
          let since = -1;
          const page = () => {
            const rows = model.changed([several], since, limit);
            for (const { key, row, position } of rows) {
              seen.set(key, row);
              since = position;
            }
            return rows.length;
          };
          for (const [position, stream] of streams.entries()) {
            model.apply(event(position, stream));
            if (between > 0 && position % between === 0) page();
          }
          while (page() > 0);
          expect([...seen].sort()).toEqual([...model.rows(several, { limit: 100 })].sort());
        },
      ),
      { numRuns: 60 },
    );
  });

  it('knows after a stop what has changed since', () => {
    const model = open();
    for (const [position, stream] of ['a', 'b', 'c'].entries()) model.apply(event(position, stream));
    model.commit();
    const again = open();
    const keys = (since: number) => again.changed([counts], since, 10).map(({ key }) => key);
    expect(keys(-1)).toEqual(['a', 'b', 'c']);
    expect(keys(1)).toEqual(['c']);
    expect(keys(2)).toEqual([]);
    again.clear();
    expect(keys(-1)).toEqual([]);
    again.apply(event(1, 'd'));
    expect(keys(-1)).toEqual(['d']);
  });

  it('lets a reader wait for a position that is committed', async () => {
    const model = open();
    const reached = model.reached(3, AbortSignal.timeout(5000));
    model.skipTo(3);
    model.commit();
    await reached;
    await expect(model.reached(4, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('keeps few rows of a projection on disk in memory, and finds the others again', () => {
    const model = open();
    for (let position = 0; position < 5000; position += 1) model.apply(event(position, `s${position}`));
    model.commit();
    for (let position = 0; position < 5000; position += 500)
      expect(model.row(onDisk, `s${position}`)).toBe(1);
  });
});
