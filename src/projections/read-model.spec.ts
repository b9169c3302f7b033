import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AnyProjection, Projection, Recorded } from './projection.ts';
import type { Range } from './read.ts';
import { ReadModel, ReadModelOvertakenError } from './read-model.ts';

/** How often each stream had an event; an event `Gone` removes the row. */
const counts: Projection<number> = {
  name: 'counts',
  version: 1,
  on: {},
  onOther: ({ stream, type }, rows) => {
    if ((type as string) === 'Gone') rows.delete(stream);
    else rows.set(stream, (rows.get(stream) ?? 0) + 1);
  },
};

/** Every event touches three rows, so that a page may end between rows of one position. */
const several: Projection<number> = {
  ...counts,
  name: 'several',
  isFollowed: true,
  onOther: (event, rows) => {
    for (const stream of [event.stream, `${event.stream}+`, 'all'])
      counts.onOther?.({ ...event, stream }, rows);
  },
};

const followed: Projection<number> = { ...counts, name: 'followed', isFollowed: true };

/** Rows with an even count are of the past. */
const passing: Projection<number> = { ...counts, name: 'passing', isPast: (count) => count % 2 === 0 };

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

function open(projections: readonly AnyProjection[] = [counts, followed], name = 'read.sqlite'): ReadModel {
  const model = new ReadModel(name === ':memory:' ? name : join(folder, name), projections);
  models.push(model);
  return model;
}

function changeFile(name: string, sql: string): void {
  const database = new Database(join(folder, name));
  database.exec(sql);
  database.close();
}

/** A file whose pages from this one on hold nothing that SQLite knows: those of rows from 8 on. */
function brokenFile(page: number): string {
  const model = open([counts]);
  for (let position = 0; position < 5000; position += 1) model.apply(event(position, `s${position}`));
  model.commit();
  changeFile('read.sqlite', 'pragma wal_checkpoint(truncate)');
  const bytes = readFileSync(join(folder, 'read.sqlite'));
  expect(bytes.length).toBeGreaterThan(40 * 4096);
  writeFileSync(join(folder, 'broken.sqlite'), bytes.fill(0xee, page * 4096));
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
    expect(model.changed(-1, 10)).toEqual([{ projection: 'followed', key: 'a', row: 2, position: 9 }]);
    expect(model.position).toBe(9);
  });

  it('folds an event once, however often it comes', () => {
    const model = open();
    for (const position of [5, 5, 3]) model.apply(event(position, 'a'));
    expect(model.row(counts, 'a')).toBe(1);
  });

  it('continues after a stop from the last commit: rows and checkpoint are of one position', () => {
    const before = open();
    before.apply(event(1, 'a'));
    before.commit();
    before.apply(event(2, 'a'));
    before.apply(event(3, 'b'));
    const after = open();
    expect(after.position).toBe(1);
    for (const projection of [counts, followed]) {
      expect(after.row(projection, 'a')).toBe(1);
      expect(after.row(projection, 'b')).toBeUndefined();
    }
    after.apply(event(2, 'a'));
    expect(after.row(counts, 'a')).toBe(2);
  });

  it('shows rows that are not committed in lists too, and keeps them from who opens the file', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    model.apply(event(2, 'a'));
    model.apply(event(3, 'b'));
    expect([...model.rows(counts)]).toEqual([
      ['a', 2],
      ['b', 1],
    ]);
    expect([...open().rows(counts)]).toEqual([['a', 1]]);
    model.apply(event(4, 'b'));
    model.commit();
    expect([...open().rows(counts)]).toEqual([
      ['a', 2],
      ['b', 2],
    ]);
  });

  it('loses at its end what was not committed, also what was listed', () => {
    const model = open();
    model.apply(event(1, 'a'));
    expect(model.count(counts)).toBe(1);
    models.pop()?.close();
    const again = open();
    expect([again.position, again.count(counts)]).toEqual([-1, 0]);
    again.apply(event(1, 'a'));
    again.commit();
  });

  it('forgets removed rows, whether they were in the file or not', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    for (const [position, stream, type] of [
      [2, 'a', 'Gone'],
      [3, 'b', 'Happened'],
      [4, 'b', 'Gone'],
    ] as const) {
      model.apply(event(position, stream, type));
      expect(model.row(counts, type === 'Gone' ? stream : 'a')).toBeUndefined();
    }
    model.commit();
    for (const each of [model, open()]) {
      expect(each.row(counts, 'a')).toBeUndefined();
      expect([...each.rows(counts)]).toEqual([]);
      expect(each.count(counts)).toBe(0);
    }
    model.apply(event(5, 'a'));
    model.commit();
    expect(open().row(counts, 'a')).toBe(1);
  });

  it('begins anew when a projection has another version, or there is one more', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    const changed = open([{ ...counts, version: 2 }, followed]);
    expect(changed.position).toBe(-1);
    expect(changed.row(followed, 'a')).toBeUndefined();
    expect([...changed.rows(followed)]).toEqual([]);
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

  it('begins anew when its file was made by a release with other tables', () => {
    const database = new Database(join(folder, 'read.sqlite'));
    database.exec(
      'create table rows (key text); create table meta (key text primary key, value text not null)',
    );
    database.exec(
      `insert into meta values ('versions', '[]'), ('checkpoint', '{"position":5,"lastEvent":null}')`,
    );
    database.close();
    const model = open();
    expect(model.position).toBe(-1);
    model.apply(event(1, 'a'));
    model.commit();
    expect(open().row(counts, 'a')).toBe(1);
  });

  it('begins anew when the first pages of its file are broken', () => {
    const broken = brokenFile(1);
    const model = open([counts], broken);
    expect(model.position).toBe(-1);
    model.apply(event(1, 'a'));
    model.commit();
    expect(open([counts], broken).position).toBe(1);
  });

  it.each([
    ['a row', (model: ReadModel) => model.row(counts, 's2500')],
    ['a list', (model: ReadModel) => [...model.rows(counts)]],
    ['a count', (model: ReadModel) => model.count(counts)],
  ])('ends at a broken page that is met later, by %s, and begins anew the next time', (_what, read) => {
    const broken = brokenFile(8);
    const model = open([counts], broken);
    expect(model.position).toBe(4999);
    expect(() => read(model)).toThrow('malformed');
    expect(() => model.commit()).toThrow('malformed');
    models.pop()?.close();
    expect(open([counts], broken).position).toBe(-1);
  });

  it('ends at a row that is no JSON, and begins anew the next time', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    changeFile('read.sqlite', "update rows set row = '{'");
    for (const read of [
      (again: ReadModel) => again.row(counts, 'a'),
      (again: ReadModel) => [...again.rows(counts)],
    ]) {
      const again = new ReadModel(join(folder, 'read.sqlite'), [counts, followed]);
      expect(() => read(again)).toThrow(SyntaxError);
      expect(() => again.commit()).toThrow(SyntaxError);
    }
    const damaged = open();
    expect(() => damaged.row(counts, 'a')).toThrow(SyntaxError);
    models.pop()?.close();
    expect(open().position).toBe(-1);
  });

  it('begins anew when the checkpoint is no JSON', () => {
    const model = open();
    model.apply(event(1, 'a'));
    model.commit();
    changeFile('read.sqlite', "update meta set value = '' where key = 'checkpoint'");
    expect(open().position).toBe(-1);
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

  it('lists rows by key, after one of them, however many there are', () => {
    const model = open();
    const names = Array.from({ length: 1_000 }, (_, n) => `n/${String((n * 7) % 1_000).padStart(3, '0')}`);
    for (const [position, stream] of ['c/x', 'n', 'o/y', ...names].entries())
      model.apply(event(position, stream));
    const keys = (range: Range) => [...model.rows(counts, range)].map(([key]) => key);
    expect(keys({ prefix: 'n/' })).toEqual([...names].sort());
    expect(keys({ prefix: 'n/', after: 'n/997' })).toEqual(['n/998', 'n/999']);
    expect(keys({ prefix: 'n/', after: 'c/x' })).toHaveLength(1_000);
    expect(keys({ prefix: 'n/', after: 'o/y' })).toEqual([]);
    expect(keys({ after: 'n/999' })).toEqual(['o/y']);
    expect(model.count(counts, { prefix: 'n/' })).toBe(1_000);
    expect(model.count(counts)).toBe(1_003);
  });

  it('leaves rows of the past out where only those of the present are wanted', () => {
    const model = open([passing, counts]);
    for (const [position, stream] of ['a', 'b', 'b', 'c', 'c', 'c'].entries())
      model.apply(event(position, stream));
    const keys = (projection: Projection<number>) =>
      [...model.rows(projection, { present: true })].map(([key]) => key);
    expect(keys(passing)).toEqual(['a', 'c']);
    expect(model.count(passing, { present: true })).toBe(2);
    expect([...model.rows(passing)]).toHaveLength(3);
    // Nothing of it is ever past.
    expect(keys(counts)).toEqual(['a', 'b', 'c']);
    model.apply(event(6, 'a'));
    expect(keys(passing)).toEqual(['c']);
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
            const rows = model.changed(since, limit);
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
          expect([...seen].sort()).toEqual([...model.rows(several)].sort());
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
    const keys = (since: number) => again.changed(since, 10).map(({ key }) => key);
    expect(keys(-1)).toEqual(['a', 'b', 'c']);
    expect(keys(1)).toEqual(['c']);
    expect(keys(2)).toEqual([]);
    again.clear();
    expect(keys(-1)).toEqual([]);
    again.apply(event(1, 'd'));
    expect(keys(-1)).toEqual(['d']);
  });

  it('writes nothing beside another process that writes to the same file', () => {
    const late = open();
    late.apply(event(0, 'a'));
    late.commit();
    const successor = open();
    for (const position of [1, 2]) successor.apply(event(position, 'a'));
    successor.commit();
    late.apply(event(1, 'a'));
    expect(() => late.commit()).toThrow(ReadModelOvertakenError);
    expect(() => late.commit()).toThrow(ReadModelOvertakenError);
    successor.apply(event(3, 'a'));
    successor.commit();
    const again = open();
    expect([again.position, again.row(counts, 'a')]).toEqual([3, 4]);
  });

  it('lets a reader wait for a position that is committed', async () => {
    const model = open();
    const reached = model.reached(3, AbortSignal.timeout(5000));
    model.skipTo(3);
    model.commit();
    await reached;
    await expect(model.reached(4, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });

  it('lets a reader wait for an event before it is committed', async () => {
    const model = open();
    const reached = model.reached(3, AbortSignal.timeout(5000));
    model.apply(event(4, 'a'));
    await reached;
    expect(model.row(counts, 'a')).toBe(1);
  });

  it('keeps few rows in memory, and finds the others again', () => {
    const model = open();
    for (let position = 0; position < 9_000; position += 1) model.apply(event(position, `s${position}`));
    model.commit();
    changeFile('read.sqlite', "update rows set row = '7' where projection = 'counts'");
    const rows = Array.from({ length: 9_000 }, (_, n) => model.row(counts, `s${8_999 - n}`));
    expect(rows.indexOf(7)).toBeGreaterThan(1_000);
    expect(rows.lastIndexOf(1)).toBeLessThan(4_000);
    expect(rows.slice(4_000)).toEqual(Array(5_000).fill(7));
  });
});
