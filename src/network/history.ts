import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connectEventStore } from '../eventstore/esdb.ts';
import { dataFolderPath, readRuntime } from '../host/data-folder.ts';
import { type SnapshotCache, snapshotCache } from '../replay/snapshots.ts';
import { fileSource, type HistorySource, storeSource } from '../replay/source.ts';
import { isSqliteFile, storeFileSource } from '../replay/store-file.ts';
import { withoutPassword } from './address.ts';

export interface HistoryOptions {
  /** A history.jsonl, the folder of an experiment, or the file of an embedded store. */
  readonly from?: string;
  /** The connection string of an EventStoreDB. Not together with `from`. */
  readonly store?: string;
  /** Folder for projection snapshots. Default: `replay-cache` in the data folder, if there is one. */
  readonly cache?: string;
  /** Ends reading, so that the caller can clean up. */
  readonly signal: AbortSignal;
  /** Called if the projection snapshots cannot be used. */
  readonly onStatus: (message: string) => void;
}

/** An open history with its surroundings. */
export interface OpenHistory {
  readonly source: HistorySource;
  /** The projection snapshots; null if there is no folder for them. */
  readonly cache: SnapshotCache | null;
  /** The data folder that the history belongs to; null for a history from elsewhere. */
  readonly home: string | null;
  close(): Promise<void>;
}

/** There is no history at the given place. */
export class NoHistoryError extends Error {
  override readonly name = 'NoHistoryError';
}

const STORE_FILE = 'history.sqlite';
const HISTORY_FILE = 'history.jsonl';

/**
 * Opens a history: the one of `from` or `store`, else that of the network that runs on the data folder, else
 * the folder's own file. Throws `NoHistoryError`, and the errors of connecting or opening.
 */
export async function openHistory(options: HistoryOptions): Promise<OpenHistory> {
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) await step();
  };
  try {
    const { source, home } = await findSource(options, undo);
    const cache = cacheOf(options);
    return { source: abortable(source, options.signal), cache, home, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findSource(
  { from, store }: HistoryOptions,
  undo: (() => Promise<void>)[],
): Promise<{ source: HistorySource; home: string | null }> {
  const take = (source: HistorySource): HistorySource => {
    undo.push(() => source.close());
    return source;
  };
  if (from !== undefined) return { source: take(openFile(from)), home: null };
  if (store !== undefined) return { source: take(await openStore(store, undo)), home: null };
  const home = dataFolderPath();
  const file = join(home, STORE_FILE);
  const runtime = await readRuntime(home);
  if (runtime) {
    const source = await openStore(runtime.storeUrl, undo);
    // If the store serves the folder's own file, the file is the same history, and reading it is many times as
    // fast.
    const own = existsSync(file) ? await sameHistory(source, file) : null;
    return { source: take(own ?? source), home };
  }
  if (existsSync(file)) return { source: take(openFile(file)), home };
  throw new NoHistoryError(
    `There is no history in the data folder ${home}, and no network runs on it. Choose a history with --from or --store, or another folder with DELLM_HOME.`,
  );
}

function openFile(path: string): HistorySource {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new NoHistoryError(`There is no history at ${path}.`);
  if (found.isDirectory()) {
    const inside = [HISTORY_FILE, STORE_FILE]
      .map((name) => join(path, name))
      .find((file) => existsSync(file));
    if (!inside) throw new NoHistoryError(`There is no ${HISTORY_FILE} in the folder ${path}.`);
    return openFile(inside);
  }
  if (isSqliteFile(path)) return storeFileSource(path);
  return fileSource(path);
}

async function openStore(url: string, undo: (() => Promise<void>)[]): Promise<HistorySource> {
  const store = await connectEventStore(url);
  undo.push(() => store.close());
  return storeSource(store, withoutPassword(url));
}

/** The file as a source if it has the same history as the store; null if not. */
async function sameHistory(store: HistorySource, file: string): Promise<HistorySource | null> {
  const source = storeFileSource(file);
  const [theirs, ours] = await Promise.all([store.identity(), source.identity()]);
  if (theirs.history === ours.history) return source;
  await source.close();
  return null;
}

function cacheOf({ cache, onStatus }: HistoryOptions): SnapshotCache | null {
  if (cache !== undefined) return snapshotCache(cache, { onStatus });
  const home = dataFolderPath();
  // Only if there is a data folder: reading a history does not create one.
  return existsSync(join(home, 'dellm.json'))
    ? snapshotCache(join(home, 'replay-cache'), { onStatus })
    : null;
}

/** Stops reading at the signal. */
function abortable(source: HistorySource, signal: AbortSignal): HistorySource {
  return {
    ...source,
    async *batches(after) {
      for await (const batch of source.batches(after)) {
        signal.throwIfAborted();
        yield batch;
      }
    },
  };
}
