import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { SnapshotCache } from '../../../replay/snapshots.ts';
import type { HistorySource } from '../../../replay/source.ts';
import { someText } from '../../arguments.ts';
import { UsageError } from '../../exit-codes.ts';

/** Which history a command reads. */
export interface SourceOptions {
  readonly from?: string;
  readonly store?: string;
  readonly cache?: string;
}

/** A history to read, and what goes with it. */
export interface Opened {
  readonly source: HistorySource;
  /** Where folds are kept; null where there is no place for them. */
  readonly cache: SnapshotCache | null;
  /** The data folder whose history this is; null: it is none's. */
  readonly home: string | null;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Errors that say that the command line asks for what there is not. */
const ASKED_WRONG: ReadonlySet<string> = new Set(['MomentError', 'UnknownNodeError', 'OutputExistsError']);

const STORE_FILE = 'history.sqlite';
const HISTORY_FILE = 'history.jsonl';

export function addSourceOptions(command: Command, { cached = true } = {}): Command {
  command
    .option(
      '--from <file>',
      'a history.jsonl, an experiment’s folder, or the file of an embedded store',
      someText,
    )
    .option('--store <url>', 'an EventStoreDB, such as esdb://localhost:2113?tls=false', someText);
  if (cached) {
    command.option(
      '--cache <folder>',
      'where folds are kept; default: replay-cache in the data folder',
      someText,
    );
  }
  return command;
}

/**
 * Runs a command on the history that is meant: `--from`, `--store`, else that of the network that runs, else that of the
 * data folder.
 */
export async function withHistory(
  options: SourceOptions,
  command: (opened: Opened) => Promise<number>,
): Promise<number> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const undo: (() => Promise<void>)[] = [];
  try {
    const { signal } = interrupted;
    const { source, home } = await openSource(options, undo);
    const cache = await cacheOf(options);
    return await command({ source: abortable(source, signal), home, cache, signal });
  } catch (error) {
    if (error instanceof Error && ASKED_WRONG.has(error.name))
      throw new UsageError(error.message, { cause: error });
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    for (const close of undo.reverse()) await close();
  }
}

async function openSource(
  { from, store }: SourceOptions,
  undo: (() => Promise<void>)[],
): Promise<{ source: HistorySource; home: string | null }> {
  if (from !== undefined && store !== undefined) throw new UsageError('Give --from or --store, not both.');
  const take = (source: HistorySource): HistorySource => {
    undo.push(() => source.close());
    return source;
  };
  if (from !== undefined) return { source: take(await openFile(from)), home: null };
  if (store !== undefined) return { source: take(await openStore(store, undo)), home: null };
  const { dataFolderPath, readRuntime } = await import('../../../host/data-folder.ts');
  const home = dataFolderPath();
  const file = join(home, STORE_FILE);
  const runtime = await readRuntime(home);
  if (runtime) {
    const source = await openStore(runtime.storeUrl, undo);
    // Where the store is the folder's own, its file is the same history, and read many times as fast.
    const own = existsSync(file) ? await sameHistory(source, file) : null;
    return { source: take(own ?? source), home };
  }
  if (existsSync(file)) return { source: take(await openFile(file)), home };
  throw new UsageError(
    `There is no history in the data folder ${home}, and no network runs on it. Name a history by --from or --store, or another folder by DELLM_HOME.`,
  );
}

async function openFile(path: string): Promise<HistorySource> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new UsageError(`There is no history at ${path}.`);
  if (found.isDirectory()) {
    const inside = [HISTORY_FILE, STORE_FILE]
      .map((name) => join(path, name))
      .find((file) => existsSync(file));
    if (!inside) throw new UsageError(`There is no ${HISTORY_FILE} in the folder ${path}.`);
    return openFile(inside);
  }
  const { isSqliteFile, storeFileSource } = await import('../../../replay/store-file.ts');
  if (isSqliteFile(path)) return storeFileSource(path);
  const { fileSource } = await import('../../../replay/source.ts');
  return fileSource(path);
}

async function openStore(url: string, undo: (() => Promise<void>)[]): Promise<HistorySource> {
  const { connectEventStore } = await import('../../../eventstore/esdb.ts');
  const { storeSource } = await import('../../../replay/source.ts');
  const { withoutPassword } = await import('../../printable.ts');
  const store = await connectEventStore(url);
  undo.push(() => store.close());
  return storeSource(store, withoutPassword(url));
}

/** The file as a source if it holds the store's history; null if it is another's. */
async function sameHistory(store: HistorySource, file: string): Promise<HistorySource | null> {
  const { storeFileSource } = await import('../../../replay/store-file.ts');
  const source = storeFileSource(file);
  const [theirs, ours] = await Promise.all([store.identity(), source.identity()]);
  if (theirs.history === ours.history) return source;
  await source.close();
  return null;
}

async function cacheOf({ cache }: SourceOptions): Promise<SnapshotCache | null> {
  const { snapshotCache } = await import('../../../replay/snapshots.ts');
  const onStatus = (message: string): void => {
    process.stderr.write(`dellm: ${message}\n`);
  };
  if (cache !== undefined) return snapshotCache(cache, { onStatus });
  const { dataFolderPath } = await import('../../../host/data-folder.ts');
  const home = dataFolderPath();
  // Only where there is a data folder: reading a history makes none.
  return existsSync(join(home, 'dellm.json'))
    ? snapshotCache(join(home, 'replay-cache'), { onStatus })
    : null;
}

/** Ends reading at Ctrl-C, so that what is half written is removed again. */
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
