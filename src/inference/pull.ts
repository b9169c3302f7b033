import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import type { ModelEntry } from './catalogue.ts';
import { GgufError, readGgufHeader } from './gguf.ts';

export interface PullOptions {
  /** Called after each chunk. `totalBytes` is null until the server has sent it. */
  onProgress?(progress: { readonly receivedBytes: number; readonly totalBytes: number | null }): void;
  readonly signal?: AbortSignal;
  /** Replaces scheme and host of the model's address, for a mirror or a test. */
  readonly fetchBase?: string;
  /** The download fails if the server sends nothing for this long, in milliseconds. Default 30,000. */
  readonly stallMs?: number;
}

export interface Pulled {
  readonly path: string;
  readonly bytes: number;
  readonly outcome: 'downloaded' | 'already-there';
  /** How the file was checked: `size-and-head` if the catalogue has no checksum. */
  readonly verified: 'checksum' | 'size-and-head';
}

export type PullFailure =
  | 'not-found'
  | 'refused'
  | 'unreachable'
  | 'incomplete'
  | 'wrong-content'
  | 'disk-full'
  | 'busy'
  | 'not-downloadable';

/** A model could not be downloaded. The message says what was kept and what to do next. */
export class PullError extends Error {
  override readonly name = 'PullError';
  readonly reason: PullFailure;
  /** Bytes in the `.part` file; the next attempt continues after them. */
  readonly keptBytes: number;
  constructor(reason: PullFailure, message: string, keptBytes: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.keptBytes = keptBytes;
  }
}

const DEFAULT_STALL_MS = 30_000;
/** Sizes in the catalogue are rounded. A file that differs by more than this share is another file. */
const APPROXIMATE_WITHIN = 0.25;
const SPARE_DISK_BYTES = 64 * 2 ** 20;

/**
 * Downloads a model's file into `folder`. The part that has arrived is in `<file>.part`. The next attempt continues it
 * if the server still has the same file (by its ETag) and can send ranges. The file gets its final name only if its
 * size, its header and its checksum (if known) are right. Throws `PullError`. An abort rejects with the signal's reason
 * and keeps the part.
 */
export async function pullModel(
  entry: ModelEntry,
  folder: string,
  options: PullOptions = {},
): Promise<Pulled> {
  if (entry.url === null) {
    throw new PullError(
      'not-downloadable',
      `"${entry.id}" need not be downloaded: it is part of the project, in models/miniature.`,
      0,
    );
  }
  await mkdir(folder, { recursive: true });
  const path = join(folder, entry.file);
  const release = await lock(path, { realpath: false }).catch((error: unknown) => {
    throw new PullError('busy', `Another process is downloading ${path}. Wait until it has finished.`, 0, {
      cause: error,
    });
  });
  try {
    if (existsSync(path) && (await isRight(entry, path))) {
      return { path, bytes: (await stat(path)).size, outcome: 'already-there', verified: verifiedBy(entry) };
    }
    const part = `${path}.part`;
    const bytes = await download(entry, part, options);
    await verify(entry, part);
    await rename(part, path);
    await rm(tagPath(part), { force: true });
    return { path, bytes, outcome: 'downloaded', verified: verifiedBy(entry) };
  } finally {
    await release();
  }
}

async function download(entry: ModelEntry, part: string, options: PullOptions): Promise<number> {
  options.signal?.throwIfAborted();
  let kept = await sizeOf(part);
  const response = await request(entry, part, kept, options);
  if (response.status === 416) {
    await response.body?.cancel();
    const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
    if (total === kept) return kept;
    await discard(part);
    throw new PullError(
      'incomplete',
      `The server no longer has more than the ${kept} bytes of ${entry.file} that had arrived, so its file has changed. These bytes were deleted. Run the command again.`,
      0,
    );
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw refused(entry, response.status, kept);
  }
  if (response.status !== 206) kept = 0;

  const total = totalBytes(response, kept);
  checkSize(entry, total, kept);
  await checkDisk(part, total, kept);
  const tag = response.headers.get('etag');
  if (tag) await writeFile(tagPath(part), tag);
  else await rm(tagPath(part), { force: true });

  const file = await open(part, kept === 0 ? 'w' : 'a');
  try {
    const received = await receive(entry, response, file, kept, total, options);
    await file.sync();
    if (total !== null && received !== total) {
      throw new PullError(
        'incomplete',
        `The server ended after ${received} of ${total} bytes of ${entry.file}. They are kept: run the command again to go on.`,
        received,
      );
    }
    return received;
  } finally {
    await file.close();
  }
}

async function request(
  entry: ModelEntry,
  part: string,
  kept: number,
  { signal, fetchBase, stallMs = DEFAULT_STALL_MS }: PullOptions,
): Promise<Response> {
  const tag = await readFile(tagPath(part), 'utf8').catch(() => null);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (kept > 0) headers.range = `bytes=${kept}-`;
  if (kept > 0 && tag) headers['if-range'] = tag;
  const given = new URL(entry.url ?? '');
  const url = fetchBase ? new URL(given.pathname, fetchBase) : given;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${stallMs} ms`)), stallMs);
  try {
    return await fetch(url, {
      headers,
      signal: AbortSignal.any([late.signal, ...(signal ? [signal] : [])]),
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const { cause, message } = error as Error;
    throw new PullError(
      'unreachable',
      `${url.host} cannot be reached (${cause instanceof Error ? cause.message : message}). ${keeps(kept)} Check the connection and run the command again.`,
      kept,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
  }
}

async function receive(
  entry: ModelEntry,
  response: Response,
  file: FileHandle,
  kept: number,
  total: number | null,
  { signal, stallMs = DEFAULT_STALL_MS, onProgress }: PullOptions,
): Promise<number> {
  const reader = response.body?.getReader();
  let received = kept;
  try {
    while (reader) {
      const { done, value } = await beforeStall(reader.read(), stallMs);
      if (done) break;
      await file.writeFile(value);
      received += value.byteLength;
      onProgress?.({ receivedBytes: received, totalBytes: total });
    }
    return received;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw diskFull(entry, received, error);
    throw new PullError(
      'incomplete',
      `The download of ${entry.file} broke off after ${received} bytes (${(error as Error).message}). They are kept: run the command again to go on.`,
      received,
      { cause: error },
    );
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

async function beforeStall<Value>(value: Promise<Value>, stallMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${stallMs} ms`)), stallMs);
  });
  try {
    return await Promise.race([value, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

async function verify(entry: ModelEntry, part: string): Promise<void> {
  let why: string | undefined;
  if (entry.sha256 !== null) {
    const sha256 = await checksum(part);
    if (sha256 !== entry.sha256) why = `its SHA-256 is ${sha256}, not ${entry.sha256}`;
  }
  try {
    if (!why) readGgufHeader(part);
  } catch (error) {
    if (!(error instanceof GgufError)) throw error;
    why = error.message;
  }
  if (!why) return;
  await discard(part);
  throw new PullError(
    'wrong-content',
    `What the server sent as ${entry.file} is not the model: ${why}. It was deleted; try again, or look at ${entry.url} in a browser.`,
    0,
  );
}

async function isRight(entry: ModelEntry, path: string): Promise<boolean> {
  if (entry.sha256 !== null) return (await checksum(path)) === entry.sha256;
  try {
    readGgufHeader(path);
    return true;
  } catch (error) {
    if (error instanceof GgufError) return false;
    throw error;
  }
}

async function checksum(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

function totalBytes(response: Response, kept: number): number | null {
  const ofRange = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (ofRange) return Number(ofRange);
  const length = response.headers.get('content-length');
  return length === null ? null : kept + Number(length);
}

function checkSize(entry: ModelEntry, total: number | null, kept: number): void {
  if (total === null) return;
  const tolerance = entry.bytesAreApproximate ? entry.bytes * APPROXIMATE_WITHIN : 0;
  if (Math.abs(total - entry.bytes) <= tolerance) return;
  throw new PullError(
    'wrong-content',
    `The server offers ${total} bytes as ${entry.file}, but the catalogue says ${entry.bytesAreApproximate ? 'about ' : ''}${entry.bytes}. Nothing was fetched. ${keeps(kept)} Look at ${entry.url} in a browser.`,
    kept,
  );
}

async function checkDisk(part: string, total: number | null, kept: number): Promise<void> {
  if (total === null) return;
  const { bavail, bsize } = await statfs(join(part, '..'));
  const needed = total - kept + SPARE_DISK_BYTES;
  if (bavail * bsize >= needed) return;
  throw new PullError(
    'disk-full',
    `The disk has ${bavail * bsize} bytes left and ${needed} are needed. ${keeps(kept)} Make room, or choose another folder, and run the command again.`,
    kept,
  );
}

function diskFull(entry: ModelEntry, kept: number, cause: unknown): PullError {
  return new PullError(
    'disk-full',
    `The disk was full after ${kept} bytes of ${entry.file}. They are kept: make room and run the command again to go on.`,
    kept,
    { cause },
  );
}

function refused(entry: ModelEntry, status: number, kept: number): PullError {
  if (status === 404 || status === 410) {
    return new PullError(
      'not-found',
      `${entry.url} no longer exists (${status}). ${keeps(kept)} Choose another model, or put the file into the folder yourself.`,
      kept,
    );
  }
  if (status === 401 || status === 403) {
    return new PullError(
      'refused',
      `The server does not give ${entry.url} to everyone (${status}). ${keeps(kept)} Open that page, accept the licence (${entry.licence}), and put the file into the folder yourself.`,
      kept,
    );
  }
  return new PullError(
    'unreachable',
    `The server answered with status ${status}. ${keeps(kept)} Try again later.`,
    kept,
  );
}

function keeps(bytes: number): string {
  return bytes > 0 ? `The ${bytes} bytes that had arrived are kept.` : 'Nothing was kept.';
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(tagPath(part), { force: true });
}

function tagPath(part: string): string {
  return `${part}.etag`;
}

function verifiedBy(entry: ModelEntry): Pulled['verified'] {
  return entry.sha256 === null ? 'size-and-head' : 'checksum';
}
