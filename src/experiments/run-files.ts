import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { Generation } from './summary.ts';

/**
 * The files of a run could not be written: the disk is full, or permissions are missing. Completed generations are
 * kept.
 */
export class RunFilesError extends Error {
  override readonly name = 'RunFilesError';
}

/** A generation that is completely on disk: the history up to its end, and its measurements. */
const Committed = z.object({
  /** Bytes and events of the history up to here. */
  historyBytes: z.int().min(0),
  events: z.int().min(0),
  /** Virtual time, in milliseconds since 1970. */
  now: z.int(),
  tasks: z.int().min(0),
  inferences: z.int().min(0),
  /** Measured, so it differs between runs. */
  wallMs: z.number().min(0),
  record: Generation,
});
export type Committed = z.infer<typeof Committed>;

/** What a branch needs in addition to the history: the devices, and the number of sampling seeds that models see. */
export const WORLD_FILE = 'world.json';

const HISTORY = 'history.jsonl';
const PROGRESS = 'progress.jsonl';

/** Text that is collected before it is written, in characters. */
const BUFFER = 1024 * 1024;

/**
 * The growing history of one run, and its completed generations. When a run resumes, everything after the last
 * completed generation is cut off.
 */
export class RunFiles {
  readonly folder: string;
  readonly committed: readonly Committed[];
  readonly #history: number;
  #buffer = '';
  #bytes: number;

  /** Creates the folder, or opens it if the run has begun before. */
  constructor(folder: string) {
    this.folder = folder;
    this.committed = guarded(folder, () => {
      mkdirSync(folder, { recursive: true });
      return readProgress(join(folder, PROGRESS));
    });
    const last = this.committed.at(-1);
    this.#bytes = last?.historyBytes ?? 0;
    this.#history = guarded(folder, () => {
      const file = openSync(join(folder, HISTORY), existsSync(join(folder, HISTORY)) ? 'r+' : 'w+');
      ftruncateSync(file, this.#bytes);
      return file;
    });
  }

  get historyPath(): string {
    return join(this.folder, HISTORY);
  }

  /** Appends the next line of the history, including its newline. */
  append(line: string): void {
    this.#buffer += line;
    if (this.#buffer.length >= BUFFER) this.#flush();
  }

  /**
   * Marks the point from which a resumed run continues. The history is on disk before this line is written. A power cut
   * may lose the line; then this generation runs again.
   */
  async commit(done: Omit<Committed, 'historyBytes'>): Promise<void> {
    this.#flush();
    const line = `${JSON.stringify({ ...done, historyBytes: this.#bytes })}\n`;
    try {
      fsyncSync(this.#history);
      await appendFile(join(this.folder, PROGRESS), line);
    } catch (error) {
      throw diskFailure(this.folder, error);
    }
  }

  close(): void {
    closeSync(this.#history);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffer);
    this.#buffer = '';
    guarded(this.folder, () => {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#history, bytes, written, bytes.length - written, this.#bytes + written);
      }
    });
    this.#bytes += bytes.length;
  }
}

/** Removes an incomplete last line. Otherwise the next line would be appended to it. */
function readProgress(path: string): readonly Committed[] {
  if (!existsSync(path)) return [];
  const bytes = readFileSync(path);
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1);
  const lines = whole.toString('utf8').split('\n');
  lines.pop();
  const committed = lines.map((line, index) => {
    try {
      return Committed.parse(JSON.parse(line));
    } catch (cause) {
      throw new RunFilesError(
        `Line ${index + 1} of ${path} is not a generation of this experiment. Nothing was changed. ` +
          'Remove that line and all lines after it; the run then continues after the generation before.',
        { cause },
      );
    }
  });
  if (whole.length < bytes.length) truncateSync(path, whole.length);
  return committed;
}

function guarded<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw diskFailure(folder, error);
  }
}

/** Converts a disk error to a `RunFilesError`. Returns any other error unchanged. */
export function diskFailure(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  const why = code === 'ENOSPC' ? 'the disk is full' : error instanceof Error ? error.message : code;
  return new RunFilesError(
    `The files in ${folder} could not be written: ${why}. All completed generations are kept. ` +
      'Make room, then continue the experiment with --resume.',
    { cause: error },
  );
}
