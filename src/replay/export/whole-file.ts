import { randomUUID } from 'node:crypto';
import { access, type FileHandle, link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Something stands where the output should go. Nothing was written. */
export class OutputExistsError extends Error {
  override readonly name = 'OutputExistsError';
  constructor(path: string) {
    super(`${path} exists already. Nothing was written. Give another name with --out, or move it away.`);
  }
}

/** The output could not be written, for example because the disk is full. What was begun was removed again. */
export class OutputError extends Error {
  override readonly name = 'OutputError';
}

/** Takes what is written, in order. */
export interface Output {
  write(part: string | Uint8Array): Promise<void>;
}

/** Texts are gathered up to this many characters before they are written. */
const GATHERED = 256 * 1024;

/**
 * Writes a file so that it is there whole or not at all: under another name first, which becomes its own when everything
 * is on the disk. What exists is never overwritten.
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
    // Some file systems tell only now that the disk is full.
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

/** Unlike a rename, a link never takes the place of what came meanwhile. */
async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw new OutputExistsError(path);
    // Not every file system has links.
    if (await exists(path)) throw new OutputExistsError(path);
    await rename(temporary, path).catch((cause) => {
      throw outputError(path, cause);
    });
  }
}

/** Whether there is something at a path that must not be touched: a folder that is not empty, or a file there or above. */
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

/** Beside the output, so that it is on the same disk. */
function temporaryOf(path: string): string {
  return `${path.replace(/[/\\]+$/, '')}.${randomUUID().slice(0, 8)}.tmp`;
}

function outputError(path: string, cause: unknown): OutputError {
  const reason =
    codeOf(cause) === 'ENOSPC' ? 'the disk is full' : cause instanceof Error ? cause.message : String(cause);
  return new OutputError(
    `${path} could not be written: ${reason}. What was begun was removed again. Give another place with --out.`,
    { cause },
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
