import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { Projection, Recorded } from './projection.ts';

// biome-ignore lint/suspicious/noExplicitAny: a list of projections holds rows of many shapes; each is typed where it is read
export type AnyProjection = Projection<any>;

interface CachedRow {
  readonly row: unknown;
  /** Position of the last event that touched it. */
  readonly position: number;
}

interface StoredRow {
  readonly key: string;
  readonly row: string;
  readonly position: number;
}

/** Clean rows of a projection that is not resident are kept up to this number. */
const CACHED_ROWS = 2000;

const SCHEMA = `
  create table if not exists rows (
    projection text not null, key text not null, row text not null, position integer not null,
    primary key (projection, key)
  ) strict, without rowid;
  create index if not exists rows_by_position on rows (projection, position);
  create table if not exists meta (key text primary key, value text not null) strict;
`;

/**
 * The rows of all projections in one SQLite file, committed together with the checkpoint: after a crash both are from
 * the same position. The file is a cache of history: another version of a projection, or a file that cannot be read,
 * makes it start from the first event again.
 */
export class ReadModel {
  readonly #projections: ReadonlyMap<string, AnyProjection>;
  readonly #database: Database.Database;
  readonly #caches = new Map<string, Map<string, CachedRow>>();
  /** Keys to be written at the next commit, by projection. */
  readonly #dirty = new Map<string, Set<string>>();
  #position: number;
  #waiting: { readonly position: number; readonly resolve: () => void }[] = [];

  /** `file` may be `:memory:`. */
  constructor(file: string, projections: readonly AnyProjection[]) {
    this.#projections = new Map(projections.map((projection) => [projection.name, projection]));
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    this.#database = openAnew(file);
    this.#position = this.#resume();
    for (const projection of projections) {
      this.#dirty.set(projection.name, new Set());
      this.#caches.set(projection.name, projection.resident ? this.#load(projection.name) : new Map());
    }
  }

  /** Position of the last event that the rows know; -1 before the first. */
  get position(): number {
    return this.#position;
  }

  /** Folds an event into every row that it touches. An event that was folded already changes nothing. */
  apply(event: Recorded): void {
    if (event.position <= this.#position) return;
    for (const projection of this.#projections.values()) {
      for (const key of projection.keys(event)) {
        const row = projection.fold(this.#get(projection, key)?.row, event, key);
        this.#cacheOf(projection.name).set(key, { row, position: event.position });
        this.#dirty.get(projection.name)?.add(key);
      }
    }
    this.#position = event.position;
  }

  /** Nothing up to this position concerns the rows. */
  skipTo(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** Writes the changed rows and the checkpoint, both or neither. */
  commit(): void {
    const put = this.#database.prepare(
      'insert into rows values (?, ?, ?, ?) on conflict do update set row = excluded.row, position = excluded.position',
    );
    const remove = this.#database.prepare('delete from rows where projection = ? and key = ?');
    this.#database.exec('begin immediate');
    try {
      for (const [name, keys] of this.#dirty) {
        for (const key of keys) {
          const cached = this.#cacheOf(name).get(key);
          if (cached?.row === undefined) remove.run(name, key);
          else put.run(name, key, JSON.stringify(cached.row), cached.position);
        }
      }
      this.#setMeta('position', String(this.#position));
      this.#database.exec('commit');
    } catch (error) {
      this.#database.exec('rollback');
      throw error;
    }
    this.#forgetClean();
    const position = this.#position;
    for (const waiter of this.#waiting) if (waiter.position <= position) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.position > position);
  }

  row<Row>(projection: Projection<Row>, key: string): Row | undefined {
    return this.#get(projection, key)?.row as Row | undefined;
  }

  /** Rows of a resident projection whose key starts with `prefix`, by key, after the key `after`. */
  rows<Row>(
    projection: Projection<Row>,
    { prefix = '', after = '', limit }: { prefix?: string; after?: string; limit: number },
  ): readonly (readonly [string, Row])[] {
    if (!projection.resident)
      throw new Error(`The projection "${projection.name}" is not listed from memory.`);
    const keys = [...this.#cacheOf(projection.name)]
      .filter(([key, cached]) => key.startsWith(prefix) && key > after && cached.row !== undefined)
      .map(([key]) => key)
      .sort();
    return keys.slice(0, limit).map((key) => [key, this.row(projection, key) as Row]);
  }

  /** How many rows of a resident projection have a key that starts with `prefix`. */
  count(projection: AnyProjection, prefix: string): number {
    let count = 0;
    for (const [key, cached] of this.#cacheOf(projection.name)) {
      if (cached.row !== undefined && key.startsWith(prefix)) count += 1;
    }
    return count;
  }

  /**
   * Rows that changed after `since`, oldest change first: `limit` of them, and those that changed at the same position
   * as the last one, so that the next page can begin after it.
   */
  changed(projections: readonly AnyProjection[], since: number, limit: number): readonly ChangedRow[] {
    const changed: ChangedRow[] = [];
    for (const { name } of projections) {
      for (const [key, { row, position }] of this.#cacheOf(name)) {
        if (position > since && row !== undefined) changed.push({ projection: name, key, row, position });
      }
    }
    changed.sort((one, other) => one.position - other.position);
    const last = changed[limit - 1]?.position ?? Number.POSITIVE_INFINITY;
    return changed.filter(({ position }) => position <= last);
  }

  /** Resolves when the rows know the position. Rejects with the signal's reason. */
  async reached(position: number, signal: AbortSignal): Promise<void> {
    if (this.#position >= position) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const waiter = { position, resolve };
      this.#waiting.push(waiter);
      signal.addEventListener(
        'abort',
        () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiter);
          reject(signal.reason);
        },
        { once: true },
      );
    });
  }

  close(): void {
    this.#database.close();
  }

  #get(projection: AnyProjection, key: string): CachedRow | undefined {
    const cache = this.#cacheOf(projection.name);
    const cached = cache.get(key);
    if (cached || projection.resident) return cached;
    const stored = this.#database
      .prepare('select key, row, position from rows where projection = ? and key = ?')
      .get(projection.name, key) as StoredRow | undefined;
    if (!stored) return undefined;
    const read = { row: JSON.parse(stored.row), position: stored.position };
    cache.set(key, read);
    return read;
  }

  #cacheOf(name: string): Map<string, CachedRow> {
    const cache = this.#caches.get(name);
    if (!cache) throw new Error(`There is no projection "${name}".`);
    return cache;
  }

  #load(name: string): Map<string, CachedRow> {
    const stored = this.#database
      .prepare('select key, row, position from rows where projection = ?')
      .all(name) as StoredRow[];
    return new Map(stored.map(({ key, row, position }) => [key, { row: JSON.parse(row), position }]));
  }

  #forgetClean(): void {
    for (const [name, keys] of this.#dirty) {
      const cache = this.#cacheOf(name);
      const resident = this.#projections.get(name)?.resident ?? false;
      for (const key of keys) if (cache.get(key)?.row === undefined) cache.delete(key);
      keys.clear();
      if (resident) continue;
      for (const key of cache.keys()) {
        if (cache.size <= CACHED_ROWS) break;
        cache.delete(key);
      }
    }
  }

  /** Where the rows are from; 'none of it' when they were made by other folds. */
  #resume(): number {
    const versions = JSON.stringify(
      [...this.#projections.values()].map(({ name, version }) => [name, version]),
    );
    if (this.#meta('versions') !== versions) {
      this.#database.exec('begin; delete from rows; delete from meta; commit');
      this.#setMeta('versions', versions);
    }
    return Number(this.#meta('position') ?? '-1');
  }

  #meta(key: string): string | undefined {
    const found = this.#database.prepare('select value from meta where key = ?').get(key);
    return (found as { value: string } | undefined)?.value;
  }

  #setMeta(key: string, value: string): void {
    this.#database
      .prepare('insert into meta values (?, ?) on conflict do update set value = excluded.value')
      .run(key, value);
  }
}

/** Opens the file; one that holds no database, or a broken one, is replaced: the truth is elsewhere. */
function openAnew(file: string): Database.Database {
  try {
    return openDatabase(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'SQLITE_NOTADB' && code !== 'SQLITE_CORRUPT') throw error;
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    return openDatabase(file);
  }
}

function openDatabase(file: string): Database.Database {
  const database = new Database(file);
  try {
    // A lost commit only means folding a few events again.
    database.exec('pragma journal_mode = wal; pragma synchronous = normal');
    database.exec(SCHEMA);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export interface ChangedRow {
  readonly projection: string;
  readonly key: string;
  readonly row: unknown;
  readonly position: number;
}
