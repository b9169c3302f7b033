import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'libsql';

/** "DELL" in ASCII. It distinguishes this project's files from other SQLite files. */
export const applicationId = 0x44454c4c;

/** Version of the tables below. A file with a higher number was written by a newer DELLM. */
export const schemaVersion = 1;

/** Larger files are opened without the page check, because it reads the whole file (about a second per 500 MB). */
const pageCheckLimitBytes = 256 * 1024 * 1024;

/** How long a commit waits for another program that holds the write lock, such as `sqlite3`. In milliseconds. */
const lockPatienceMs = 2_000;

const schema = `
  create table events (
    position     integer primary key,
    stream       text    not null,
    revision     integer not null,
    id           text    not null,
    type         text    not null,
    content_type text    not null,
    created      integer not null,
    data         blob    not null,
    metadata     blob    not null
  ) strict;
  create unique index events_by_stream on events (stream, revision);
  create index events_by_id on events (id);
  create view history as
    select position, stream, revision, type, id,
           strftime('%Y-%m-%dT%H:%M:%fZ', created / 1000.0, 'unixepoch') as created,
           cast(data as text) as data, cast(metadata as text) as metadata
    from events;
`;

/**
 * Why a file cannot be used as the event store. The message is for people and says what to do. `damaged`:
 * foreign, corrupt or from a newer version. `in-use`: another server uses it. `unusable`: it cannot be opened.
 */
export class StoreFileError extends Error {
  override readonly name = 'StoreFileError';
  readonly reason: 'damaged' | 'in-use' | 'unusable';
  constructor(reason: StoreFileError['reason'], message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

export interface StoreFile {
  readonly database: Database.Database;
  readonly close: () => void;
}

/**
 * Opens the file of an event store, or creates it. A file that is not an event store is refused before anything
 * is written to it.
 *
 * @throws {StoreFileError}
 */
export function openStoreFile(file: string): StoreFile {
  const isNew = inspect(file);
  const lock = takeLock(file);
  try {
    const database = new Database(file, { timeout: lockPatienceMs });
    if (isNew) createTables(database);
    else checkPages(database, file);
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    return {
      database,
      close: () => {
        // libsql leaves its log behind when it closes. A single file is easier to keep and to copy.
        database.exec('pragma wal_checkpoint(truncate)');
        database.close();
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error instanceof StoreFileError ? error : damaged(file, messageOf(error), error);
  }
}

/** The header of a file. The numbers have a meaning only for an SQLite database. */
export interface FileHeader {
  readonly isEmpty: boolean;
  readonly isSqlite: boolean;
  readonly applicationId: number;
  readonly schemaVersion: number;
}

/**
 * Reads the header without SQLite, which might write to the file. Throws if the file cannot be opened with
 * these flags.
 */
export function readFileHeader(file: string, flags: 'r' | 'r+'): FileHeader {
  const header = Buffer.alloc(100);
  const descriptor = openSync(file, flags);
  try {
    const length = readSync(descriptor, header, 0, header.length, 0);
    return {
      isEmpty: length === 0,
      isSqlite: length === header.length && header.toString('latin1', 0, 16) === 'SQLite format 3\0',
      applicationId: header.readUInt32BE(68),
      schemaVersion: header.readUInt32BE(60),
    };
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the file must be created. Throws `StoreFileError` for a file that is not an event store. */
function inspect(file: string): boolean {
  if (!existsSync(file)) {
    makeFolder(file);
    return true;
  }
  let header: FileHeader;
  try {
    if (!statSync(file).isFile()) {
      throw new StoreFileError(
        'unusable',
        `The event store ${file} is not a file. Give the path of a file with --file.`,
      );
    }
    header = readFileHeader(file, 'r+');
  } catch (error) {
    if (error instanceof StoreFileError) throw error;
    throw new StoreFileError(
      'unusable',
      `The event store ${file} cannot be opened for reading and writing (${messageOf(error)}). Check its owner and permissions.`,
      error,
    );
  }
  if (header.isEmpty) return true;
  if (!header.isSqlite) throw damaged(file, 'it is not an SQLite database');
  if (header.applicationId !== applicationId) {
    throw damaged(file, 'it is an SQLite database of another program');
  }
  if (header.schemaVersion > schemaVersion) {
    throw new StoreFileError(
      'damaged',
      `The event store ${file} has schema version ${header.schemaVersion}; this DELLM knows versions up to ${schemaVersion}. ` +
        'The file was not changed. Install a newer DELLM, or give another file with --file.',
    );
  }
  return false;
}

function makeFolder(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (error) {
    throw new StoreFileError(
      'unusable',
      `The folder ${dirname(file)} for the event store cannot be created (${messageOf(error)}).`,
      error,
    );
  }
}

/**
 * An exclusive transaction on a file beside the store. The operating system drops the lock when the process
 * ends, for any reason. Unlike an exclusive lock on the store itself, it allows reading the history with
 * `sqlite3` at the same time.
 */
function takeLock(file: string): { close: () => void } {
  const lock = new Database(`${file}-lock`);
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    if (codeOf(error)?.startsWith('SQLITE_BUSY')) {
      throw new StoreFileError(
        'in-use',
        `The event store ${file} is in use by another event store server. Nothing was changed. ` +
          'Stop that one first, or give another file with --file.',
        error,
      );
    }
    throw new StoreFileError(
      'unusable',
      `The lock ${file}-lock cannot be taken (${messageOf(error)}).`,
      error,
    );
  }
  return { close: () => lock.close() };
}

function createTables(database: Database.Database): void {
  // One transaction before the journal mode changes, so that the marks that `inspect` checks are in the main
  // file at once.
  database.exec(`
    begin immediate;
    pragma application_id = ${applicationId};
    pragma user_version = ${schemaVersion};
    ${schema}
    commit;
  `);
}

function checkPages(database: Database.Database, file: string): void {
  if (statSync(file).size > pageCheckLimitBytes) return;
  const [row] = database.prepare('pragma quick_check(1)').all() as { quick_check: string }[];
  if (row?.quick_check !== 'ok') throw damaged(file, row?.quick_check ?? 'the page check gave no result');
}

function damaged(file: string, what: string, cause?: unknown): StoreFileError {
  return new StoreFileError(
    'damaged',
    `The file ${file} cannot be used as an event store: ${what}. The file was not changed. ` +
      'Restore it from a backup, move it away to start with an empty history, or give another file with --file.',
    cause,
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
