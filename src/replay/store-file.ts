import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import Database from 'libsql';
import { matchesPrefixes } from '../eventstore/arguments.ts';
import {
  applicationId,
  type FileHeader,
  readFileHeader,
  StoreFileError,
  schemaVersion,
} from '../eventstore/server/file.ts';
import { CATEGORY_PREFIXES } from '../projections/runner.ts';
import type { Cursor, HistoryBatch, PlacedEvent } from './history-file.ts';
import { type HistorySource, storeIdentity } from './source.ts';

/** The data or metadata of an event in the file are damaged. The file was only read. */
export class DamagedEventError extends Error {
  override readonly name = 'DamagedEventError';
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  constructor(file: string, { stream, revision, position }: Stored, what: string, cause?: unknown) {
    super(
      `Revision ${revision} of ${stream} (position ${position} of ${file}) is damaged: its ${what} is not a JSON ` +
        'object. The file was only read. Restore it from a backup, or export the events before that one.',
      { cause },
    );
    this.stream = stream;
    this.revision = revision;
    this.position = position;
  }
}

interface Stored {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/** Events of one read. Between two reads the server can do its housekeeping. */
const PAGE_EVENTS = 2_000;

const COLUMNS =
  'position, stream, revision, id, type, cast(data as text) as data, cast(metadata as text) as metadata';

/**
 * The embedded store's file, read without its server, which may be running or not. The file is opened read-only in the
 * operating system too, so nothing is ever written to the file or its log.
 *
 * @throws {StoreFileError}
 */
export function storeFileSource(file: string): HistorySource {
  assertStoreFile(file);
  const database = openReadOnly(file);
  const page = database.prepare(
    `select ${COLUMNS} from events where position > ? order by position limit ${PAGE_EVENTS}`,
  );
  const ofStream = database.prepare(`select ${COLUMNS} from events where stream = ? order by revision`);
  const at = database.prepare('select stream, revision, id from events where position = ?');
  return {
    label: file,
    unit: 'position',
    async *batches(after: Cursor = { position: 0, offset: 0 }): AsyncGenerator<HistoryBatch> {
      for (let position = after.position; ; ) {
        const rows = page.all(position) as Stored[];
        const last = rows.at(-1);
        if (!last) return;
        position = last.position;
        const { events, error } = parsedAll(file, rows);
        const end = events.at(-1)?.position;
        if (end !== undefined) yield { events, cursor: { position: end, offset: 0 } };
        if (error) throw error;
        await setImmediate();
      }
    },
    async *select(streams) {
      for (const stream of streams) {
        for (const row of ofStream.all(stream) as Stored[]) yield parsed(file, row);
      }
    },
    async holds({ stream, revision, id }, { position }) {
      const found = at.get(position) as Pick<Stored, 'stream' | 'revision' | 'id'> | undefined;
      return found?.id === id && found.stream === stream && found.revision === revision;
    },
    async identity() {
      for (const row of page.all(0) as Stored[]) {
        if (matchesPrefixes(row.stream, CATEGORY_PREFIXES)) return storeIdentity(row.id);
      }
      return storeIdentity('empty');
    },
    close: async () => {
      database.close();
    },
  };
}

/**
 * A connection that cannot write. It also reads a log that a running server or a crash has left. For that, SQLite
 * creates a file of shared memory in the same folder. If the folder is read-only, no server runs there, and the file is
 * complete.
 */
export function openReadOnly(file: string): Database.Database {
  const url = pathToFileURL(file).href;
  let failure: unknown;
  for (const mode of ['mode=ro', 'immutable=1']) {
    try {
      const database = new Database(`${url}?${mode}`);
      try {
        database.prepare('select count(*) from sqlite_master').get();
        return database;
      } catch (error) {
        database.close();
        throw error;
      }
    } catch (error) {
      failure ??= error;
    }
  }
  throw new StoreFileError(
    'unusable',
    `The file ${file} cannot be read (${failure instanceof Error ? failure.message : String(failure)}). Nothing was changed. ` +
      'Check its owner and permissions.',
    failure,
  );
}

/** Whether the file begins as an SQLite database does. */
export function isSqliteFile(file: string): boolean {
  return readFileHeader(file, 'r').isSqlite;
}

function assertStoreFile(file: string): void {
  let header: FileHeader;
  try {
    header = readFileHeader(file, 'r');
  } catch (cause) {
    throw new StoreFileError('unusable', `There is no readable event store at ${file}.`, cause);
  }
  if (!header.isSqlite || header.applicationId !== applicationId) {
    throw new StoreFileError(
      'damaged',
      `The file ${file} is not an event store of DELLM. Nothing was changed. Name a history.jsonl with --from, or a data folder with DELLM_HOME.`,
    );
  }
  if (header.schemaVersion > schemaVersion) {
    throw new StoreFileError(
      'damaged',
      `The event store ${file} has schema version ${header.schemaVersion}, and this release reads versions up to ${schemaVersion}. ` +
        'Nothing was changed. Read it with a newer release.',
    );
  }
}

/** The events of the network's streams, up to the first damaged one. */
function parsedAll(
  file: string,
  rows: readonly Stored[],
): { readonly events: readonly PlacedEvent[]; readonly error: unknown } {
  const events: PlacedEvent[] = [];
  try {
    for (const row of rows) {
      if (matchesPrefixes(row.stream, CATEGORY_PREFIXES)) events.push(parsed(file, row));
    }
    return { events, error: null };
  } catch (error) {
    return { events, error };
  }
}

function parsed(file: string, row: Stored): PlacedEvent {
  const { position, stream, revision, id, type } = row;
  const data = objectIn(file, row, 'data');
  const metadata = objectIn(file, row, 'metadata');
  return { stream, revision, id, type, data, metadata, position };
}

function objectIn(file: string, row: Stored, member: 'data' | 'metadata'): object {
  let value: unknown;
  try {
    value = JSON.parse(row[member]);
  } catch (cause) {
    throw new DamagedEventError(file, row, member, cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new DamagedEventError(file, row, member);
}
