import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { z } from 'zod';

/** How to reach the network that runs on a folder. */
export type RuntimeInfo = z.infer<typeof runtimeSchema>;

export interface DataFolder {
  /** Absolute. */
  readonly path: string;
  /** Announces that the network runs and how to reach it. Until then `readRuntime` returns null. */
  writeRuntime(info: Omit<RuntimeInfo, 'pid'>): Promise<void>;
  /** Removes the runtime information and unlocks the folder. A second call does nothing. */
  release(): Promise<void>;
}

const runtimeSchema = z.object({
  pid: z.number().int().positive(),
  natsUrl: z.string(),
  storeUrl: z.string(),
  /** The broker's user for commands of this machine's owner, and the file that holds the users' passwords. */
  user: z.string(),
  passwordFile: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
});
const markerSchema = z.object({ format: z.number().int().positive() });
const ownerSchema = z.object({ pid: z.number().int().positive() });

/** Increases when older programs can no longer read the folder. */
const FORMAT = 1;
const MARKER = 'dellm.json';
const LOCK = 'dellm.lock';
const OWNER = 'owner.json';
const RUNTIME = 'runtime.json';
/** The files that may be in a folder before its marker: another process may be preparing it at the same time. */
const OWN_FILES = /^(dellm\.lock(-journal)?|(dellm|owner)\.json(\.\d+\.tmp)?)$/;
/** In milliseconds. `isLocked` holds the lock for less time than this. */
const LOCK_WITHIN_MS = 300;

/** Another process uses the folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly path: string;
  /** The process that uses the folder; null if unknown. */
  readonly pid: number | null;
  constructor(path: string, pid: number | null) {
    const who = pid === null ? 'another process' : `process ${pid}`;
    const how = pid === null ? 'Stop it' : `Stop it (Ctrl-C in its terminal, or "kill ${pid}")`;
    super(
      `The data folder ${path} is in use by ${who}. Nothing was started or changed. ` +
        `${how}, or ask the network that runs there ("dellm ask"), or choose another folder with DELLM_HOME.`,
    );
    this.path = path;
    this.pid = pid;
  }
}

/** The folder cannot be used: it is not writable, has other contents, or was written by a newer version. */
export class DataFolderUnusableError extends Error {
  override readonly name = 'DataFolderUnusableError';
}

/** `DELLM_HOME`, or `.dellm` in the user's home. */
export function dataFolderPath(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.DELLM_HOME || join(homedir(), '.dellm'));
}

/**
 * Opens a data folder, and creates it if it does not exist. One process at a time has the folder, until it
 * releases it or ends. The operating system holds the lock, on a file in the folder, so a killed process frees
 * it at once.
 *
 * Throws `DataFolderInUseError` or `DataFolderUnusableError`.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  await prepare(folder);
  const lock = await takeLock(folder);
  try {
    // A killed owner leaves this file behind.
    await rm(join(folder, RUNTIME), { force: true });
    await writeJson(join(folder, OWNER), { pid: process.pid });
    if (!existsSync(join(folder, MARKER))) await writeJson(join(folder, MARKER), { format: FORMAT });
  } catch (cause) {
    lock.close();
    throw unusable(folder, cause);
  }
  let released = false;
  return {
    path: folder,
    async writeRuntime(info) {
      await writeJson(join(folder, RUNTIME), { ...info, pid: process.pid });
    },
    async release() {
      if (released) return;
      released = true;
      await rm(join(folder, RUNTIME), { force: true });
      await rm(join(folder, OWNER), { force: true });
      lock.close();
    },
  };
}

/** How to reach the network that runs on a folder now; null if none runs or it is still starting. */
export async function readRuntime(path: string): Promise<RuntimeInfo | null> {
  const folder = resolve(path);
  const info = await readJson(join(folder, RUNTIME), runtimeSchema);
  return info !== null && isLocked(folder) ? info : null;
}

async function prepare(folder: string): Promise<void> {
  let entries: string[];
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    entries = await readdir(folder);
  } catch (cause) {
    throw unusable(folder, cause);
  }
  if (!entries.includes(MARKER)) {
    const foreign = entries.filter((name) => !OWN_FILES.test(name));
    if (foreign.length === 0) return;
    throw new DataFolderUnusableError(
      `${folder} is not a data folder of DELLM: it contains ${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ' …' : ''}. ` +
        'Nothing was changed. Choose an empty or a new folder with DELLM_HOME.',
    );
  }
  const marker = await readJson(join(folder, MARKER), markerSchema);
  if (marker === null) {
    throw new DataFolderUnusableError(
      `${join(folder, MARKER)} is not readable. Nothing was changed. ` +
        `If this is a data folder of DELLM, write {"format":${FORMAT}} into that file. Otherwise choose another folder with DELLM_HOME.`,
    );
  }
  if (marker.format > FORMAT) {
    throw new DataFolderUnusableError(
      `${folder} was written by a newer version of DELLM (format ${marker.format}; this one reads up to ${FORMAT}). ` +
        'Nothing was changed. Update DELLM, or choose another folder with DELLM_HOME.',
    );
  }
}

/** An exclusive transaction on an empty SQLite file. The operating system drops the lock when the process ends. */
async function takeLock(folder: string): Promise<Database.Database> {
  const deadline = performance.now() + LOCK_WITHIN_MS;
  for (;;) {
    let database: Database.Database | null = null;
    try {
      database = new Database(join(folder, LOCK), { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      return database;
    } catch (error) {
      database?.close();
      if (!isBusy(error)) throw unusable(folder, error);
      if (performance.now() > deadline) {
        const owner = await readJson(join(folder, OWNER), ownerSchema);
        throw new DataFolderInUseError(folder, owner?.pid ?? null);
      }
      await sleep(20);
    }
  }
}

function isLocked(folder: string): boolean {
  const path = join(folder, LOCK);
  if (!existsSync(path)) return false;
  const database = new Database(path, { timeout: 0 });
  try {
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
}

/** Writes a file in one step: a reader sees the old content or the new content, never a part. */
async function writeJson(path: string, value: unknown): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, `${JSON.stringify(value)}\n`, { mode: 0o600 });
  await rename(draft, path);
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

function unusable(folder: string, cause: unknown): DataFolderUnusableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DataFolderUnusableError(
    `The data folder ${folder} cannot be used: ${reason}. Nothing was started. ` +
      'Make the folder writable, free space on its disk, or choose another folder with DELLM_HOME.',
    { cause },
  );
}
