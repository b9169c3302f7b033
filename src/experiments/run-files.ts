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

/** The files of a run could not be written: the disk is full, or not ours to write to. What was committed stands. */
export class RunFilesError extends Error {
  override readonly name = 'RunFilesError';
}

/** A generation that is whole on disk: the history up to its end, and what was measured of it. */
const Committed = z.object({
  /** Bytes and events of the history up to here. */
  historyBytes: z.int().min(0),
  events: z.int().min(0),
  /** Virtual time, in milliseconds since 1970. */
  now: z.int(),
  tasks: z.int().min(0),
  inferences: z.int().min(0),
  /** Measured, so never the same twice. */
  wallMs: z.number().min(0),
  record: Generation,
});
export type Committed = z.infer<typeof Committed>;

/** What a branch of a run's history goes on with: the devices, and how many sampling seeds models saw. */
export const WORLD_FILE = 'world.json';

const HISTORY = 'history.jsonl';
const PROGRESS = 'progress.jsonl';

/** Text that is gathered before it is written, in characters. */
const BUFFER = 1024 * 1024;

/**
 * The history of one run, as it grows, and the generations that are whole. What was written after the last of them is
 * cut off when the run is taken up again.
 */
export class RunFiles {
  readonly folder: string;
  readonly committed: readonly Committed[];
  readonly #history: number;
  #buffer = '';
  #bytes: number;

  /** Makes the folder, or opens it where the run was begun before. */
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

  /** Takes the next line of the history, with its end. */
  append(line: string): void {
    this.#buffer += line;
    if (this.#buffer.length >= BUFFER) this.#flush();
  }

  /**
   * A run that is taken up again goes on from here. The history is on disk before the line that says so is written; a
   * loss of power may take the line with it, and then this generation is run again.
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

/** A last line that was cut off says nothing, and is taken away: the next one would be written behind it. */
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
        `Line ${index + 1} of ${path} is no generation of this experiment. Nothing was changed. ` +
          'Remove that line and all after it, and the run goes on from the generation before.',
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

/** What to tell of an error of the disk; anything else as it is. */
export function diskFailure(folder: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  const why = code === 'ENOSPC' ? 'the disk is full' : error instanceof Error ? error.message : code;
  return new RunFilesError(
    `What belongs into ${folder} could not be written: ${why}. Every generation that was finished is kept. ` +
      'Make room, and take the experiment up again with --resume.',
    { cause: error },
  );
}
