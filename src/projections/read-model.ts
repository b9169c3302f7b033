import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';
import type { EventPlace } from '../eventstore/holds-event.ts';
import { type AnyProjection, foldInto, type Projection, type Recorded } from './projection.ts';
import type { Range, RowReader } from './read.ts';
import { Table } from './table.ts';

/** The rows include everything up to `position`. It may be later than the last event that was folded. */
interface Checkpoint {
  readonly position: number;
  readonly lastEvent: EventPlace | null;
}

interface StoredRow {
  readonly key: string;
  readonly row: string;
}

interface Opened extends Checkpoint {
  readonly database: Database.Database;
  /** As it stands in the file. Read once: another process may write the next one at any time. */
  readonly checkpoint: string | undefined;
  /** Position of the last change of a row that fleets follow. */
  readonly changedAt: number;
}

/** A changed row, for those who follow the read model. */
export interface ChangedRow {
  readonly projection: string;
  readonly key: string;
  readonly row: unknown;
  /** Position of the last event that changed it. */
  readonly position: number;
}

const NOTHING: Checkpoint = { position: -1, lastEvent: null };

/** Layout of the tables. A file with another layout is built again. */
const LAYOUT = 2;

/** A list is read from the file in parts of this many rows. */
const LISTED_AT_ONCE = 200;

/** Sorts after every character that a key can have. */
const AFTER_ALL = '\u{10FFFF}';

/**
 * If the last commits are lost, a few events are folded again, so none is flushed. The log may grow to 16 MB: rows of
 * many queries at a time change the same pages of the indexes again and again, and a longer log writes each page once.
 */
const PRAGMAS = 'pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 4000';

/**
 * How long another writer may hold the file, in milliseconds: somebody who looks at it, or a projector that has been
 * replaced and still ends.
 */
const BUSY_MS = 2_000;

const META = 'create table if not exists meta (key text primary key, value text not null) strict';
const PUT_META = 'insert into meta values (?, ?) on conflict do update set value = excluded.value';

/**
 * `changed`: position of the last change, if fleets follow the projection. `present`: 1 if the projection has `isPast` and
 * the row is not past. Otherwise both are null, and then the partial indexes have no entry for the row. The table has a
 * rowid, so new rows are appended at its end; only their keys are inserted into an index.
 */
const ROWS = `
  create table rows (
    projection text not null, key text not null, row text not null, changed integer, present integer,
    unique (projection, key)
  ) strict;
  create index rows_by_change on rows (changed) where changed is not null;
  create index present_rows on rows (projection, key) where present is not null;
`;

/** Another process writes to the same file, so what this one knows of its rows is out of date. */
export class ReadModelOvertakenError extends Error {
  override readonly name = 'ReadModelOvertakenError';
}

/** Errors for which the file is not to blame: a new file would have them too. */
const NOT_ITS_FAULT = /^SQLITE_(BUSY|LOCKED|CANTOPEN|READONLY|PERM|FULL|NOMEM)/;

/**
 * The rows of all projections in one SQLite file, committed together with the checkpoint: after a crash, both have the
 * same position. The file is a cache of the history. If a projection has another version, or the file cannot be read, it
 * is built again from the first event.
 *
 * Lists, counts and changes are read from the file; unwritten rows are written into the open transaction first. So the
 * cost of an event or a read does not depend on the length of the history.
 */
export class ReadModel implements RowReader {
  readonly #file: string;
  readonly #database: Database.Database;
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #fold: (event: Recorded) => void;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #get: Database.Statement;
  readonly #put: Database.Statement;
  readonly #remove: Database.Statement;
  readonly #putCheckpoint: Database.Statement;
  readonly #getCheckpoint: Database.Statement;
  #position: number;
  #lastEvent: EventPlace | null;
  /** The checkpoint in the file as this process left it. */
  #written: string | undefined;
  /** Why a write failed. Rows were lost with it, so nothing more may be committed. */
  #failure: unknown = null;
  /** The file does not hold what was written to it: `close` deletes it. */
  #isDamaged = false;
  #waiting: { readonly position: number; readonly resolve: () => void }[] = [];

  /** `file` may be `:memory:`. */
  constructor(file: string, projections: readonly AnyProjection[]) {
    if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
    const { database, position, lastEvent, changedAt, checkpoint } = openOrBeginAnew(file, projections);
    this.#file = file;
    this.#database = database;
    this.#position = position;
    this.#lastEvent = lastEvent;
    this.#written = checkpoint;
    this.#get = database.prepare('select row from rows where projection = ? and key = ?');
    this.#put = database.prepare(
      'insert into rows values (?, ?, ?, ?, ?) on conflict do update ' +
        'set row = excluded.row, changed = excluded.changed, present = excluded.present',
    );
    this.#remove = database.prepare('delete from rows where projection = ? and key = ?');
    this.#putCheckpoint = database.prepare(PUT_META);
    this.#getCheckpoint = database.prepare("select value from meta where key = 'checkpoint'");
    const tables = projections.map((projection) => {
      const read = (key: string) => this.#readRow(projection.name, key);
      return new Table(projection, changedAt, read);
    });
    this.#tables = new Map(tables.map((table) => [table.projection.name, table]));
    this.#fold = foldInto(tables.map((table) => ({ projection: table.projection, rows: table })));
  }

  /** The rows include everything up to this position; -1 before the first event. */
  get position(): number {
    return this.#position;
  }

  /** The last event that was folded, which identifies the history. Null before the first. */
  get lastEvent(): EventPlace | null {
    return this.#lastEvent;
  }

  /** Deletes all rows, to begin again with the first event. */
  clear(): void {
    const tables = [...this.#tables.values()];
    if (this.#database.inTransaction) this.#database.exec('rollback');
    makeTables(
      this.#database,
      tables.map(({ projection }) => projection),
    );
    for (const table of tables) table.clear();
    this.#position = NOTHING.position;
    this.#lastEvent = NOTHING.lastEvent;
    this.#written = undefined;
  }

  /** Folds an event into every row that it changes. An event that was folded before changes nothing. */
  apply(event: Recorded): void {
    const { stream, revision, position, id } = event;
    if (position <= this.#position) return;
    for (const table of this.#tables.values()) table.position = position;
    this.#fold(event);
    this.#lastEvent = { stream, revision, position, id };
    this.#reach(position);
  }

  /** No event up to this position changes a row. */
  skipTo(position: number): void {
    if (position > this.#position) this.#reach(position);
  }

  /** Writes the changed rows and the checkpoint, both or neither. Throws `ReadModelOvertakenError`. */
  commit(): void {
    this.#writing(() => {
      for (const table of this.#tables.values()) this.#writeTable(table);
      const checkpoint: Checkpoint = { position: this.#position, lastEvent: this.#lastEvent };
      const text = JSON.stringify(checkpoint);
      this.#putCheckpoint.run('checkpoint', text);
      this.#database.exec('commit');
      this.#written = text;
    });
  }

  row<Row>(projection: Projection<Row>, key: string): Row | undefined {
    return this.#tableOf(projection).get(key) as Row | undefined;
  }

  *rows<Row>(projection: Projection<Row>, range: Range = {}): Generator<readonly [key: string, row: Row]> {
    const table = this.#tableOf(projection);
    let { after } = range;
    for (;;) {
      const stored = this.#list(table, { ...range, after });
      for (const { key, row } of stored) yield [key, table.peek(key, () => this.#parse(row)) as Row];
      if (stored.length < LISTED_AT_ONCE) return;
      after = stored.at(-1)?.key;
    }
  }

  count(projection: AnyProjection, range: Range = {}): number {
    const table = this.#tableOf(projection);
    this.#show([table]);
    const { sql, values } = within(table, range);
    const [{ count } = { count: 0 }] = this.#all<{ count: number }>(
      `select count(*) as count from ${sql}`,
      values,
    );
    return count;
  }

  /**
   * Rows of followed projections that changed after `since`, oldest change first: `limit` of them, and those that changed
   * at the same position as the last of them, so that the next page can start after that position.
   */
  changed(since: number, limit: number): readonly ChangedRow[] {
    const tables = [...this.#tables.values()].filter(({ projection }) => projection.isFollowed);
    if (tables.every(({ changedAt }) => changedAt <= since)) return [];
    this.#show(tables);
    const after = 'select projection, key, changed from rows where changed > ?';
    type Change = { readonly projection: string; readonly key: string; readonly changed: number };
    const [last] = this.#all<Change>(`${after} order by changed limit 1 offset ?`, [since, limit - 1]);
    const found = this.#all<Change>(`${after} and changed <= ? order by changed`, [
      since,
      last?.changed ?? this.#position,
    ]);
    return found.map(({ projection, key, changed: position }) => ({
      projection,
      key,
      row: this.#tables.get(projection)?.get(key),
      position,
    }));
  }

  /** Resolves when the rows include the position, committed or not. Rejects with the signal's reason. */
  async reached(position: number, signal: AbortSignal): Promise<void> {
    if (this.#position >= position) return;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        reject(signal.reason);
      };
      const waiter = {
        position,
        resolve: () => {
          signal.removeEventListener('abort', giveUp);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Uncommitted rows are lost. A damaged file is deleted, so that the next read model builds a new one. */
  close(): void {
    if (this.#isDamaged) {
      discard(this.#database, this.#file);
      return;
    }
    if (this.#database.inTransaction) this.#database.exec('rollback');
    this.#database.close();
  }

  #reach(position: number): void {
    this.#position = position;
    if (this.#waiting.length === 0) return;
    for (const waiter of this.#waiting) if (waiter.position <= position) waiter.resolve();
    this.#waiting = this.#waiting.filter((waiter) => waiter.position > position);
  }

  #tableOf({ name }: AnyProjection): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`There is no projection "${name}".`);
    return table;
  }

  #list(table: Table, range: Range): readonly StoredRow[] {
    this.#show([table]);
    const { sql, values } = within(table, range);
    return this.#all<StoredRow>(`select key, row from ${sql} order by key limit ${LISTED_AT_ONCE}`, values);
  }

  #readRow(projection: string, key: string): unknown {
    // Not `all`: its cursor holds 900 bytes of native memory until a full garbage collection.
    const stored = this.#guarded(() => this.#get.get([projection, key])) as { row: string } | undefined;
    return stored && this.#parse(stored.row);
  }

  #parse(row: string): unknown {
    return this.#guarded(() => JSON.parse(row));
  }

  /** Runs a query. Each statement is prepared once. */
  #all<Found>(sql: string, values: readonly (string | number)[]): readonly Found[] {
    return this.#guarded(() => {
      const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
      this.#statements.set(sql, statement);
      return statement.all(...values) as Found[];
    });
  }

  /** Writes the unwritten rows of tables into the open transaction, so that this connection can query them. */
  #show(tables: readonly Table[]): void {
    const unwritten = tables.filter((table) => table.unwritten.size > 0);
    if (unwritten.length === 0) return;
    this.#writing(() => {
      for (const table of unwritten) this.#writeTable(table);
    });
  }

  #writing(write: () => void): void {
    if (this.#failure !== null) throw this.#failure;
    try {
      this.#guarded(() => {
        if (!this.#database.inTransaction) this.#begin();
        write();
      });
    } catch (error) {
      // SQLite has ended the transaction itself after some errors.
      if (this.#database.inTransaction) this.#database.exec('rollback');
      this.#failure = error;
      throw error;
    }
  }

  /** A projector that was killed together with its parent may live on for a moment beside its successor. */
  #begin(): void {
    this.#database.exec('begin immediate');
    const found = this.#getCheckpoint.get() as { readonly value: string } | undefined;
    if (found?.value === this.#written) return;
    throw new ReadModelOvertakenError(
      `Another process writes to ${this.#file}. Nothing more is written from here; a restart reads what it wrote.`,
    );
  }

  #writeTable(table: Table): void {
    const { name, isFollowed, isPast } = table.projection;
    for (const [key, { row, changed, before }] of table.unwritten) {
      if (row !== undefined) {
        const isPresent = isPast && !isPast(row);
        this.#put.run([name, key, JSON.stringify(row), isFollowed ? changed : null, isPresent ? 1 : null]);
        continue;
      }
      const isInFile = !before || before.row !== undefined;
      if (isInFile) this.#remove.run([name, key]);
    }
    table.written();
  }

  /** Remembers an error that shows that the file is damaged. */
  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (isDamage(error)) {
        this.#isDamaged = true;
        this.#failure ??= error;
      }
      throw error;
    }
  }
}

/** The rows of a range: part of a SQL statement, and its values. */
function within(
  { projection }: Table,
  { prefix = '', after, present = false }: Range,
): { readonly sql: string; readonly values: readonly string[] } {
  const isPaged = after !== undefined && after >= prefix;
  const isPresent = present && projection.isPast !== undefined;
  const rows = isPresent ? 'rows indexed by present_rows' : 'rows';
  const conditions = ['projection = ?', isPaged ? 'key > ?' : 'key >= ?', 'key < ?'];
  if (isPresent) conditions.push('present is not null');
  return {
    sql: `${rows} where ${conditions.join(' and ')}`,
    values: [projection.name, isPaged ? after : prefix, prefix + AFTER_ALL],
  };
}

/** Opens the file. If it cannot be read, it is replaced by a new one. */
function openOrBeginAnew(file: string, projections: readonly AnyProjection[]): Opened {
  const found = new Database(file, { timeout: BUSY_MS });
  try {
    return load(found, projections);
  } catch (error) {
    if (!isDamage(error)) {
      found.close();
      throw error;
    }
    discard(found, file);
  }
  const database = new Database(file, { timeout: BUSY_MS });
  try {
    return load(database, projections);
  } catch (error) {
    database.close();
    throw error;
  }
}

function load(database: Database.Database, projections: readonly AnyProjection[]): Opened {
  database.exec(PRAGMAS);
  database.exec(META);
  const found = meta(database, 'checkpoint');
  if (found === undefined || meta(database, 'versions') !== versionsOf(projections)) {
    makeTables(database, projections);
    return { ...NOTHING, database, checkpoint: undefined, changedAt: NOTHING.position };
  }
  const last = database.prepare(
    'select changed from rows where changed is not null order by changed desc limit 1',
  );
  const { changed } = (last.get() ?? { changed: NOTHING.position }) as { changed: number };
  return { ...(JSON.parse(found) as Checkpoint), database, checkpoint: found, changedAt: changed };
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

/** Creates empty tables in place of those in the file. */
function makeTables(database: Database.Database, projections: readonly AnyProjection[]): void {
  database.exec(`begin immediate; drop table if exists rows; delete from meta; ${ROWS} commit`);
  setMeta(database, 'versions', versionsOf(projections));
}

/** Identifies what made the rows of a file. Rows that something else made cannot be used. */
export function versionsOf(projections: readonly AnyProjection[]): string {
  return JSON.stringify([LAYOUT, ...projections.map(({ name, version }) => [name, version])]);
}

function meta(database: Database.Database, key: string): string | undefined {
  const found = database.prepare('select value from meta where key = ?').get(key);
  return (found as { value: string } | undefined)?.value;
}

function setMeta(database: Database.Database, key: string, value: string): void {
  database.prepare(PUT_META).run(key, value);
}
