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
  /** Says that the network runs and how to reach it. Until then `readRuntime` finds none. */
  writeRuntime(info: Omit<RuntimeInfo, 'pid'>): Promise<void>;
  /** Takes the runtime information away and gives the folder free. Doing it twice does no harm. */
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

/** Grows when an older program could no longer read the folder. */
const FORMAT = 1;
const MARKER = 'dellm.json';
const LOCK = 'dellm.lock';
const OWNER = 'owner.json';
const RUNTIME = 'runtime.json';
/** What may stand in a folder before it has its marker: another process may be at the same point. */
const OWN_FILES = /^(dellm\.lock(-journal)?|(dellm|owner)\.json(\.\d+\.tmp)?)$/;
/** Longer than anybody looks whether the lock is taken. */
const LOCK_WITHIN_MS = 300;

/** Another process works on the folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly path: string;
  /** The process that has it, if it could be found out. */
  readonly pid: number | null;
  constructor(path: string, pid: number | null) {
    const who = pid === null ? 'another process' : `process ${pid}`;
    const how = pid === null ? 'Stop it' : `Stop it (Ctrl-C where it runs, or "kill ${pid}")`;
    super(
      `The data folder ${path} is in use by ${who}. Nothing was started or changed. ` +
        `${how}, or ask the network that runs there ("dellm ask"), or choose another folder through DELLM_HOME.`,
    );
    this.path = path;
    this.pid = pid;
  }
}

/** The folder cannot be used: it cannot be written, holds something else, or is of a newer version. */
export class DataFolderUnusableError extends Error {
  override readonly name = 'DataFolderUnusableError';
}

/** `DELLM_HOME`, or `.dellm` in the user's home. */
export function dataFolderPath(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.DELLM_HOME || join(homedir(), '.dellm'));
}

/**
 * Takes a data folder, making it if need be. One process at a time has it, until it releases it or ends, however it
 * ends: the lock is the operating system's, on a file of the folder, so it is free the moment its owner is gone.
 *
 * Throws `DataFolderInUseError` or `DataFolderUnusableError`.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path);
  await prepare(folder);
  const lock = await takeLock(folder);
  try {
    // What an owner left behind that was killed.
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

/** How to reach the network that runs on a folder now, or null: none runs, or it is still starting. */
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
      `${folder} is no data folder of DELLM: it holds ${foreign.slice(0, 3).join(', ')}${foreign.length > 3 ? ' …' : ''}. ` +
        'Nothing was changed. Choose an empty or a new folder through DELLM_HOME.',
    );
  }
  const marker = await readJson(join(folder, MARKER), markerSchema);
  if (marker === null) {
    throw new DataFolderUnusableError(
      `${join(folder, MARKER)} is not readable. Nothing was changed. ` +
        `If this is a data folder of DELLM, write {"format":${FORMAT}} into that file; else choose another folder through DELLM_HOME.`,
    );
  }
  if (marker.format > FORMAT) {
    throw new DataFolderUnusableError(
      `${folder} was written by a newer version of DELLM (format ${marker.format}; this one reads up to ${FORMAT}). ` +
        'Nothing was changed. Update DELLM, or choose another folder through DELLM_HOME.',
    );
  }
}

/** An exclusive transaction on an empty SQLite file: the kernel drops its lock together with the process. */
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

/** A reader sees the old content or the new one, never a part. */
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
      'Make it a folder that you can write, with room on its disk, or choose another one through DELLM_HOME.',
    { cause },
  );
}
