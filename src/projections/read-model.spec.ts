import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Projection, Recorded } from './projection.ts';
import { type AnyProjection, ReadModel } from './read-model.ts';

/** How often each stream had an event; an event `Gone` removes the row. */
const counts: Projection<number> = {
  name: 'counts',
  version: 1,
  resident: true,
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

function event(position: number, stream: string, type = 'Happened'): Recorded {
  return { type, data: {}, stream, revision: 0, position, correlationId: '' } as unknown as Recorded;
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
