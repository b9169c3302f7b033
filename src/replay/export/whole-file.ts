import { randomUUID } from 'node:crypto';
import { access, type FileHandle, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** The output path already exists. Nothing was written. */
export class OutputExistsError extends Error {
  override readonly name = 'OutputExistsError';
  constructor(path: string) {
    super(`${path} already exists. Nothing was written. Give another name with --out, or move it away.`);
  }
}

/** The output could not be written, for example because the disk is full. The partial output was removed. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** Writes parts in order. */
export interface Output {
  write(part: string | Uint8Array): Promise<void>;
}

/** Texts are collected up to this many characters before they are written. */
const GATHERED = 256 * 1024;

/**
 * Writes a file completely or not at all. It is written under a temporary name and renamed when everything is on the
 * disk. Never overwrites an existing file.
 *
 * @throws {OutputExistsError} @throws {OutputError} and whatever `produce` throws.
 */
export async function writeWhole(path: string, produce: (output: Output) => Promise<void>): Promise<void> {
  if (await exists(path)) throw new OutputExistsError(path);
  const temporary = temporaryOf(path);
  try {
    await writeNew(temporary, path, produce);
    await giveName(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** The same for a folder of files. */
export async function writeWholeFolder(
  path: string,
  files: Readonly<Record<string, (output: Output) => Promise<void>>>,
): Promise<void> {
  if (await exists(path)) throw new OutputExistsError(path);
  const temporary = temporaryOf(path);
  try {
    await mkdir(temporary).catch((cause) => {
      throw outputError(path, cause);
    });
    for (const [name, produce] of Object.entries(files)) await writeNew(join(temporary, name), path, produce);
    if (await exists(path)) throw new OutputExistsError(path);
    await rename(temporary, path).catch((cause) => {
      throw outputError(path, cause);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function writeNew(
  file: string,
  path: string,
  produce: (output: Output) => Promise<void>,
): Promise<void> {
  const handle = await open(file, 'wx').catch((cause) => {
    throw outputError(path, cause);
  });
  try {
    const { output, flush } = gathering(handle, path);
    await produce(output);
    await flush();
    // Some file systems report only now that the disk is full.
    await handle.sync().catch((cause) => {
      throw outputError(path, cause);
    });
  } finally {
    await handle.close();
  }
}

function gathering(
  handle: FileHandle,
  path: string,
): { readonly output: Output; readonly flush: () => Promise<void> } {
  let parts: string[] = [];
  let length = 0;
  const put = async (bytes: string | Uint8Array): Promise<void> => {
    await handle.writeFile(bytes).catch((cause) => {
      throw outputError(path, cause);
    });
  };
  const flush = async (): Promise<void> => {
    if (length === 0) return;
    const text = parts.join('');
    parts = [];
    length = 0;
    await put(text);
  };
  const output: Output = {
    async write(part) {
      if (typeof part !== 'string') {
        await flush();
        await put(part);
        return;
      }
      parts.push(part);
      length += part.length;
      if (length >= GATHERED) await flush();
    },
  };
  return { output, flush };
}

/** Unlike a rename, a link never replaces a file that was created in between. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new OutputExistsError(path);
    // Not every file system has hard links.
    if (await exists(path)) throw new OutputExistsError(path);
    await rename(temporary, path).catch((cause) => {
      throw outputError(path, cause);
    });
  }
}

/** Whether a path must not be written to: it is a folder that is not empty, or a file, or below a file. */
export async function isFilled(path: string): Promise<boolean> {
  const entries = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    if (error.code === 'ENOTDIR') return [path];
    throw error;
  });
  return entries.length > 0;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** In the same folder as the output, so that it is on the same disk. */
function temporaryOf(path: string): string {
  return `${path.replace(/[/\\]+$/, '')}.${randomUUID().slice(0, 8)}.tmp`;
}

function outputError(path: string, cause: unknown): OutputError {
  const reason =
    codeOf(cause) === 'ENOSPC' ? 'the disk is full' : cause instanceof Error ? cause.message : String(cause);
  return new OutputError(
    `${path} could not be written: ${reason}. The partial output was removed. Give another path with --out.`,
    { cause },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
