import { createReadStream } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { type InferenceEngine, InferenceError, type InferenceRequest, type InferenceResult } from './port.ts';
import { parseRecording, type Recording, recordingKey, tooLong } from './recorded.ts';

export interface CacheOptions {
  /** SHA-256 of a model's file. Answers of another file with the same name are ignored. Default: unknown. */
  readonly modelHash?: (model: string) => string | null;
  /** Called if the file's last line was incomplete. Default: not called. */
  readonly onNotice?: (message: string) => void;
}

/** Answers by everything that they depend on, in memory. A look-up takes less than a microsecond. */
export interface AnswerCache {
  readonly size: number;
  /** Models whose recorded answers belong to another model file than the present one. These answers are ignored. */
  readonly foreign: ReadonlySet<string>;
  /** The answer; null if the prompt did not fit; undefined if there is no recording. */
  find(request: InferenceRequest): InferenceResult | null | undefined;
}

export interface CachingEngine extends InferenceEngine {
  /** The answer that `infer` would give, at once, if it is known. Throws what `infer` rejects with. */
  known(request: InferenceRequest): InferenceResult | undefined;
  /** Resolves when all answers so far are in the file. Rejects when the file cannot be written. */
  flush(): Promise<void>;
}

/** Lines are written in blocks of at least this many bytes. */
const WRITE_BYTES = 64 * 1024;

/**
 * Answers from the file. If an answer is not there, asks the engine and appends the answer. The process may be stopped
 * at any time: an incomplete last line is cut off with a notice, and its request is inferred again. Equal requests at
 * the same time are inferred once.
 */
export async function cachingEngine(
  engine: InferenceEngine,
  path: string,
  { modelHash = () => null, onNotice = () => {} }: CacheOptions = {},
): Promise<CachingEngine> {
  if (path.endsWith('.gz')) {
    throw new RangeError(
      `Answers are appended to plain files: unpack ${path} to ${path.slice(0, -3)} first.`,
    );
  }
  const answers = new Answers(modelHash);
  const ends = await load(path, answers, { mayBeMissing: true });
  if (ends.cutAt !== null) {
    await truncate(path, ends.cutAt);
    onNotice(
      `The last line of ${path} was incomplete because its writer was stopped. It was removed, and its request will be ` +
        `inferred again. The ${answers.size} answers before it are unchanged.`,
    );
  }
  const writer = await LineWriter.open(path);
  const asked = new Map<string, Promise<InferenceResult>>();

  async function ask(request: InferenceRequest, signal?: AbortSignal): Promise<InferenceResult> {
    const { model, prompt, system, params, seed } = request;
    const hash = modelHash(model);
    const head = { key: recordingKey(hash, request), modelHash: hash, model, prompt, system, params, seed };
    try {
      const result = await engine.infer(request, signal);
      answers.set(request, result);
      writer.write({ ...head, result });
      return result;
    } catch (error) {
      if (error instanceof InferenceError && error.reason === 'prompt-too-long') {
        answers.set(request, null);
        writer.write({ ...head, result: null, failure: 'prompt-too-long' });
      }
      throw error;
    }
  }

  function find(request: InferenceRequest): InferenceResult | undefined {
    const found = answers.find(request);
    if (found === null) throw tooLong(request);
    return found;
  }

  return {
    kind: engine.kind,
    known: find,
    async infer(request, signal) {
      signal?.throwIfAborted();
      writer.assertWritable();
      const found = find(request);
      if (found) return found;
      const key = recordingKey(modelHash(request.model), request);
      const running = asked.get(key);
      if (running) return running;
      const answer = ask(request, signal).finally(() => asked.delete(key));
      asked.set(key, answer);
      return answer;
    },
    flush: () => writer.flush(),
    async close() {
      await Promise.allSettled(asked.values());
      try {
        await writer.close();
      } finally {
        await engine.close();
      }
    },
  };
}

/** Reads the answers of a file, plain or gzipped (`.gz`). Does not change the file. */
export async function openAnswers(
  path: string,
  { modelHash = () => null, onNotice = () => {} }: CacheOptions = {},
): Promise<AnswerCache> {
  const answers = new Answers(modelHash);
  const { cutAt } = await load(path, answers, { mayBeMissing: false });
  if (cutAt !== null) {
    onNotice(`The last line of ${path} is incomplete because its writer was stopped. It is ignored.`);
  }
  return answers;
}

/**
 * Requests of one Node differ in little but the prompt, so answers are found in two steps: by model, sampling and seed,
 * then by prompt. This needs no hash, and prompts share their texts.
 */
class Answers implements AnswerCache {
  readonly #modelHash: (model: string) => string | null;
  readonly #groups = new Map<string, Map<string, InferenceResult | null>>();
  readonly foreign = new Set<string>();
  #size = 0;

  constructor(modelHash: (model: string) => string | null) {
    this.#modelHash = modelHash;
  }

  get size(): number {
    return this.#size;
  }

  find(request: InferenceRequest): InferenceResult | null | undefined {
    return this.#groups.get(groupOf(request))?.get(request.prompt);
  }

  set(request: InferenceRequest, result: InferenceResult | null): void {
    const name = groupOf(request);
    let group = this.#groups.get(name);
    if (!group) {
      group = new Map();
      this.#groups.set(name, group);
    }
    if (group.has(request.prompt)) return;
    group.set(request.prompt, result);
    this.#size += 1;
  }

  /** Adds a recorded answer if it belongs to the model's file. Of several, the first counts. */
  take(recording: Recording): void {
    if (recording.modelHash === this.#modelHash(recording.model)) this.set(recording, recording.result);
    else this.foreign.add(recording.model);
  }
}

function groupOf({ model, system, params, seed }: Omit<InferenceRequest, 'prompt'>): string {
  const { temperature, topP, topK, contextTokens, maxTokens } = params;
  return `${model} ${seed} ${temperature} ${topP} ${topK} ${contextTokens} ${maxTokens} ${system}`;
}

/**
 * Reads line by line, because such a file may be longer than the longest string. `cutAt` is where an incomplete last
 * line begins.
 */
async function load(
  path: string,
  answers: Answers,
  { mayBeMissing }: { readonly mayBeMissing: boolean },
): Promise<{ readonly cutAt: number | null }> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  let read = 0;
  try {
    for await (const chunk of bytesOf(path)) {
      const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, from)) {
        line += 1;
        answers.take(parseRecording(text.toString('utf8', from, end), `${path}, line ${line}`));
        from = end + 1;
      }
      read += from;
      rest = text.subarray(from);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && mayBeMissing) return { cutAt: null };
    if (code === undefined) throw error;
    throw new Error(`The recorded answers in ${path} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  return { cutAt: rest.length === 0 ? null : read };
}

function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 });
  if (!path.endsWith('.gz')) return file;
  const unzip = createGunzip();
  // A pipe passes no errors on.
  file.on('error', (error) => unzip.destroy(error));
  return file.pipe(unzip);
}

/** Appends lines to a file, several at a time and in order. */
class LineWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  #lines: string[] = [];
  #bytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #fault: Error | null = null;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<LineWriter> {
    return new LineWriter(path, await open(path, 'a'));
  }

  assertWritable(): void {
    if (this.#fault) throw this.#fault;
  }

  write(recording: Recording): void {
    const line = `${JSON.stringify(recording)}\n`;
    this.#lines.push(line);
    this.#bytes += line.length;
    if (this.#bytes >= WRITE_BYTES) this.#send();
  }

  async flush(): Promise<void> {
    this.#send();
    await this.#writing;
    this.assertWritable();
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  #send(): void {
    if (this.#lines.length === 0) return;
    const text = this.#lines.join('');
    this.#lines = [];
    this.#bytes = 0;
    this.#writing = this.#writing.then(async () => {
      if (this.#fault) return;
      try {
        await this.#file.appendFile(text);
      } catch (cause) {
        this.#fault = new Error(
          `Answers could not be appended to ${this.#path}: ${(cause as Error).message}. Earlier answers are kept. Make room ` +
            'and continue: missing answers are inferred again.',
          { cause },
        );
      }
    });
  }
}
