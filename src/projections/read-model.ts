import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { EventPlace } from '../eventstore/holds-event.ts';
import { type AnyProjection, foldsByType, type Projection, type Recorded } from './projection.ts';

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

/** What the rows know: everything up to a position, which may lie behind the last event that they were folded from. */
interface Checkpoint {
  readonly position: number;
  readonly lastEvent: EventPlace | null;
}

interface Opened extends Checkpoint {
  readonly database: Database.Database;
  readonly folds: readonly Fold[];
}

/** A projection and its rows. */
interface Fold {
  readonly projection: AnyProjection;
  readonly cache: Map<string, CachedRow>;
  /** Keys to be written at the next commit. */
  readonly dirty: Set<string>;
  /** Position of the last change of any row; -1 before the first. */
  changedAt: number;
}

const NOTHING: Checkpoint = { position: -1, lastEvent: null };

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

/** Errors that say nothing against the file: a new one would fare no better. */
const NOT_ITS_FAULT = /^SQLITE_(BUSY|LOCKED|CANTOPEN|READONLY|PERM|FULL|NOMEM)/;

/**
 * The rows of all projections in one SQLite file, committed together with the checkpoint: after a crash both are from
 * the same position. The file is a cache of history: another version of a projection, or a file that cannot be read,
 * makes it start from the first event again.
 */
export class ReadModel {
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #folds: readonly Fold[];
  readonly #foldsOf: (type: string) => readonly Fold[];
  readonly #selectRow: Database.Statement;
  readonly #putRow: Database.Statement;
  readonly #removeRow: Database.Statement;
  #position: number;
  #lastEvent: EventPlace | null;
  /** Why the file cannot be trusted: nothing more is written, and `close` removes it. */
  #damage: Error | null = null;
  #waiting: { readonly position: number; readonly resolve: () => void }[] = [];

  /** `file` may be `:memory:`. */
  constructor(file: string, projections: readonly AnyProjection[]) {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    const { database, folds, position, lastEvent } = openOrBeginAnew(file, projections);
    this.#file = file;
    this.#database = database;
    this.#folds = folds;
    this.#foldsOf = foldsByType(folds);
    this.#position = position;
    this.#lastEvent = lastEvent;
    this.#selectRow = database.prepare(
      'select key, row, position from rows where projection = ? and key = ?',
    );
    this.#putRow = database.prepare(
      'insert into rows values (?, ?, ?, ?) on conflict do update set row = excluded.row, position = excluded.position',
    );
    this.#removeRow = database.prepare('delete from rows where projection = ? and key = ?');
  }

  /** Position of the last event that the rows know; -1 before the first. */
  get position(): number {
    return this.#position;
  }

  /** The last event that was folded: it tells which history the rows are of. Null before the first. */
  get lastEvent(): EventPlace | null {
    return this.#lastEvent;
  }

  /** Forgets all rows and begins before the first event. */
  clear(): void {
    clearDatabase(
      this.#database,
      this.#folds.map(({ projection }) => projection),
    );
    for (const fold of this.#folds) {
      fold.cache.clear();
      fold.dirty.clear();
      fold.changedAt = NOTHING.position;
    }
    this.#position = NOTHING.position;
    this.#lastEvent = NOTHING.lastEvent;
  }

  /** Folds an event into every row that it touches. An event that was folded already changes nothing. */
  apply(event: Recorded): void {
    if (event.position <= this.#position) return;
    for (const fold of this.#foldsOf(event.type)) {
      const { projection, cache, dirty } = fold;
      for (const key of projection.keys(event)) {
        const row: unknown = projection.fold(this.#get(fold, key)?.row, event, key);
        cache.set(key, { row, position: event.position });
        dirty.add(key);
        fold.changedAt = event.position;
      }
    }
    const { stream, revision, position, id } = event;
    this.#position = position;
    this.#lastEvent = { stream, revision, position, id };
  }

  /** Nothing up to this position concerns the rows. */
  skipTo(position: number): void {
    if (position > this.#position) this.#position = position;
  }

  /** Writes the changed rows and the checkpoint, both or neither. */
  commit(): void {
    if (this.#damage) throw this.#damage;
    try {
      this.#database.exec('begin immediate');
      for (const { projection, cache, dirty } of this.#folds) {
        for (const key of dirty) {
          const cached = cache.get(key);
          if (cached?.row === undefined) this.#removeRow.run(projection.name, key);
          else this.#putRow.run(projection.name, key, JSON.stringify(cached.row), cached.position);
        }
      }
      const checkpoint: Checkpoint = { position: this.#position, lastEvent: this.#lastEvent };
      setMeta(this.#database, 'checkpoint', JSON.stringify(checkpoint));
      this.#database.exec('commit');
    } catch (error) {
      // SQLite has ended the transaction itself after some errors.
      if (this.#database.inTransaction) this.#database.exec('rollback');
      throw this.#noteDamage(error);
    }
    this.#forgetClean();
    const position = this.#position;
    for (const waiter of this.#waiting) if (waiter.position <= position) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.position > position);
  }

  row<Row>(projection: Projection<Row>, key: string): Row | undefined {
    return this.#get(this.#foldOf(projection.name), key)?.row as Row | undefined;
  }

  /** Rows of a resident projection whose key starts with `prefix`, by key, after the key `after`. */
  rows<Row>(
    projection: Projection<Row>,
    { prefix = '', after = '', limit }: { prefix?: string; after?: string; limit: number },
  ): readonly (readonly [string, Row])[] {
    if (!projection.resident)
      throw new Error(`The projection "${projection.name}" is not listed from memory.`);
    const { cache } = this.#foldOf(projection.name);
    const keys = [...cache]
      .filter(([key, cached]) => key.startsWith(prefix) && key > after && cached.row !== undefined)
      .map(([key]) => key)
      .sort();
    return keys.slice(0, limit).map((key) => [key, cache.get(key)?.row as Row]);
  }

  /** How many rows of a resident projection have a key that starts with `prefix`. */
  count(projection: AnyProjection, prefix: string): number {
    let count = 0;
    for (const [key, cached] of this.#foldOf(projection.name).cache) {
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
      const { cache, changedAt } = this.#foldOf(name);
      if (changedAt <= since) continue;
      for (const [key, { row, position }] of cache) {
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

  /** After an error of the file it is removed, so that the next one begins anew. */
  close(): void {
    if (this.#damage) discard(this.#database, this.#file);
    else this.#database.close();
  }

  #get({ projection, cache }: Fold, key: string): CachedRow | undefined {
    const cached = cache.get(key);
    if (cached || projection.resident) return cached;
    try {
      const stored = this.#selectRow.get(projection.name, key) as StoredRow | undefined;
      if (!stored) return undefined;
      const read = cachedOf(stored);
      cache.set(key, read);
      return read;
    } catch (error) {
      throw this.#noteDamage(error);
    }
  }

  #foldOf(name: string): Fold {
    const fold = this.#folds.find(({ projection }) => projection.name === name);
    if (!fold) throw new Error(`There is no projection "${name}".`);
    return fold;
  }

  #forgetClean(): void {
    for (const { projection, cache, dirty } of this.#folds) {
      for (const key of dirty) if (cache.get(key)?.row === undefined) cache.delete(key);
      dirty.clear();
      if (projection.resident) continue;
      for (const key of cache.keys()) {
        if (cache.size <= CACHED_ROWS) break;
        cache.delete(key);
      }
    }
  }

  #noteDamage(error: unknown): unknown {
    if (isDamage(error)) this.#damage ??= error;
    return error;
  }
}

/** Opens the file; one that cannot be read is replaced: the truth is elsewhere. */
function openOrBeginAnew(file: string, projections: readonly AnyProjection[]): Opened {
  const found = new Database(file);
  try {
    return load(found, projections);
  } catch (error) {
    if (!isDamage(error)) {
      found.close();
      throw error;
    }
    discard(found, file);
  }
  const database = new Database(file);
  try {
    return load(database, projections);
  } catch (error) {
    database.close();
    throw error;
  }
}

function load(database: Database.Database, projections: readonly AnyProjection[]): Opened {
  // A lost commit only means folding a few events again.
  database.exec('pragma journal_mode = wal; pragma synchronous = normal');
  database.exec(SCHEMA);
  const found = meta(database, 'checkpoint');
  const usable = found !== undefined && meta(database, 'versions') === versionsOf(projections);
  if (!usable) clearDatabase(database, projections);
  const checkpoint = usable ? (JSON.parse(found) as Checkpoint) : NOTHING;
  const folds = projections.map((projection): Fold => {
    const cache = projection.resident ? loadRows(database, projection.name) : new Map();
    let changedAt = NOTHING.position;
    for (const { position } of cache.values()) changedAt = Math.max(changedAt, position);
    return { projection, cache, dirty: new Set(), changedAt };
  });
  return { ...checkpoint, database, folds };
}

/** Closes a database and removes its files. */
function discard(database: Database.Database, file: string): void {
  try {
    // A connection really ends when its statements are collected, and would then take away the log of a successor.
    database.exec('pragma journal_mode = delete');
  } catch {
    // It could not even be opened as a database: then it has no log.
  }
  database.close();
  if (file === ':memory:') return;
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
}

/** Whether an error says that the file does not hold what was written to it. */
function isDamage(error: unknown): error is Error {
  if (error instanceof SyntaxError) return true;
  return error instanceof Database.SqliteError && !NOT_ITS_FAULT.test(error.code);
}

function clearDatabase(database: Database.Database, projections: readonly AnyProjection[]): void {
  database.exec('begin immediate; delete from rows; delete from meta; commit');
  setMeta(database, 'versions', versionsOf(projections));
}

/** Rows that other folds have made are of no use. */
function versionsOf(projections: readonly AnyProjection[]): string {
  return JSON.stringify(projections.map(({ name, version }) => [name, version]));
}

function loadRows(database: Database.Database, name: string): Map<string, CachedRow> {
  const stored = database
    .prepare('select key, row, position from rows where projection = ?')
    .all(name) as StoredRow[];
  return new Map(stored.map((row) => [row.key, cachedOf(row)]));
}

function cachedOf({ row, position }: StoredRow): CachedRow {
  return { row: JSON.parse(row), position };
}

function meta(database: Database.Database, key: string): string | undefined {
  const found = database.prepare('select value from meta where key = ?').get(key);
  return (found as { value: string } | undefined)?.value;
}

function setMeta(database: Database.Database, key: string, value: string): void {
  database
    .prepare('insert into meta values (?, ?) on conflict do update set value = excluded.value')
    .run(key, value);
}

export interface ChangedRow {
  readonly projection: string;
  readonly key: string;
  readonly row: unknown;
  readonly position: number;
}
