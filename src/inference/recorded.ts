import { createHash } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { type InferenceEngine, InferenceError, type InferenceRequest, type InferenceResult } from './port.ts';

/**
 * Recorded answers are a text file of JSON lines, plain or gzipped (`.gz`), one answer a line:
 *
 *     {"key": "…", "modelHash": "…", "model": "maths-a", "prompt": "What is 15 × 23?", "system": "",
 *      "params": {"temperature": 0, "topP": 1, "topK": 0, "contextTokens": 256, "maxTokens": 96}, "seed": 7,
 *      "result": {"text": "…", "promptTokens": 9, "completionTokens": 34, "logProb": -0.03, "measured": true,
 *                 "durationMs": 4.2, "finish": "stop"}}
 *
 * `key` is `recordingKey`. `modelHash` is the SHA-256 of the model's file, or null if unknown. A prompt that did not
 * fit the window has `"result": null, "failure": "prompt-too-long"`, because that also depends only on the request.
 */
const Recording = z.object({
  key: z.string(),
  modelHash: z.string().nullable(),
  model: z.string(),
  prompt: z.string(),
  system: z.string(),
  params: z.object({
    temperature: z.number(),
    topP: z.number(),
    topK: z.number(),
    contextTokens: z.number(),
    maxTokens: z.number(),
  }),
  seed: z.number(),
  result: z
    .object({
      text: z.string(),
      promptTokens: z.number(),
      completionTokens: z.number(),
      logProb: z.number().max(0),
      measured: z.boolean(),
      durationMs: z.number().min(0),
      finish: z.enum(['stop', 'length']),
    })
    .nullable(),
  failure: z.literal('prompt-too-long').optional(),
});
export type Recording = z.infer<typeof Recording>;

export interface RecordedEngineOptions {
  /**
   * `prompt` (default): uses the first recording of the same model and prompt, with any system prompt, parameters and
   * seed. `exact`: uses only a recording with the same key.
   */
  readonly match?: 'prompt' | 'exact';
  /** SHA-256 of a model's file, for `exact`. Default: unknown. */
  modelHash?(model: string): string | null;
}

/**
 * Hash of everything that an answer depends on: model file (or its name, if the file is unknown), prompts, parameters,
 * seed.
 */
export function recordingKey(modelHash: string | null, request: InferenceRequest): string {
  const { model, system, prompt, params, seed } = request;
  const { temperature, topP, topK, contextTokens, maxTokens } = params;
  const parts = [
    modelHash ?? `model ${model}`,
    system,
    prompt,
    [temperature, topP, topK, contextTokens, maxTokens],
    seed,
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Answers from a file of recordings. A request that was not recorded fails with `no-recording`. */
export async function openRecordedEngine(
  path: string,
  options: RecordedEngineOptions = {},
): Promise<InferenceEngine> {
  const { match = 'prompt', modelHash = () => null } = options;
  const keyOf = (request: InferenceRequest) =>
    match === 'exact' ? recordingKey(modelHash(request.model), request) : promptKey(request);
  const results = new Map<string, InferenceResult | null>();
  for (const recording of await readRecordings(path)) {
    const key = match === 'exact' ? recording.key : promptKey(recording);
    if (!results.has(key)) results.set(key, recording.result);
  }
  let closed = false;
  return {
    kind: 'recorded',
    async infer(request, signal) {
      signal?.throwIfAborted();
      if (closed) throw new InferenceError('engine-unreachable', 'The engine of recorded answers is closed.');
      const result = results.get(keyOf(request));
      if (result) return result;
      if (result === null) throw tooLong(request);
      throw new InferenceError(
        'no-recording',
        `${path} has no answer of "${request.model}" to this prompt. Record it first, or use an engine that runs the model.`,
      );
    },
    async close() {
      closed = true;
    },
  };
}

/**
 * Passes requests on, and appends each new answer to a file of recordings before the caller gets it. Writes plain JSON
 * lines only; compress the file when it is complete.
 */
export async function recordingEngine(
  engine: InferenceEngine,
  path: string,
  modelHash: (model: string) => string | null = () => null,
): Promise<InferenceEngine> {
  if (path.endsWith('.gz')) {
    throw new RangeError(
      `Recordings are appended to plain files: record to ${path.slice(0, -3)}, then gzip it.`,
    );
  }
  const known = new Set((await readRecordings(path, { mayBeMissing: true })).map(({ key }) => key));
  let writes: Promise<void> = Promise.resolve();
  return {
    kind: engine.kind,
    async infer(request, signal) {
      const result = await engine.infer(request, signal);
      const hash = modelHash(request.model);
      const key = recordingKey(hash, request);
      if (!known.has(key)) {
        known.add(key);
        const { model, prompt, system, params, seed } = request;
        const recording: Recording = { key, modelHash: hash, model, prompt, system, params, seed, result };
        const write = writes.then(() => appendFile(path, `${JSON.stringify(recording)}\n`));
        writes = write.catch(() => known.delete(key)).then(() => undefined);
        await write;
      }
      return result;
    },
    async close() {
      await writes;
      await engine.close();
    },
  };
}

/** The error of a recorded failure. */
export function tooLong({ model, params }: Pick<InferenceRequest, 'model' | 'params'>): InferenceError {
  return new InferenceError(
    'prompt-too-long',
    `The prompt did not fit the window of ${params.contextTokens} tokens when "${model}" was asked.`,
  );
}

async function readRecordings(path: string, { mayBeMissing = false } = {}): Promise<Recording[]> {
  let text: string;
  try {
    const bytes = await readFile(path);
    text = (path.endsWith('.gz') ? await promisify(gunzip)(bytes) : bytes).toString('utf8');
  } catch (error) {
    if (mayBeMissing && (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`The recorded answers in ${path} cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
  const lines = text.split('\n');
  if (lines.pop() !== '') {
    throw new Error(
      `The last line of ${path} is incomplete because its writer was stopped. The other lines are unchanged. Delete that line.`,
    );
  }
  return lines.map((line, i) => parseRecording(line, `${path}, line ${i + 1}`));
}

/** Reads one line; `where` names it in the error. */
export function parseRecording(line: string, where: string): Recording {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new Error(`${where} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
  const parsed = Recording.safeParse(json);
  if (!parsed.success) throw new Error(`${where} is not a recording: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function promptKey({ model, prompt }: { readonly model: string; readonly prompt: string }): string {
  return JSON.stringify([model, prompt]);
}
