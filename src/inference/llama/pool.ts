import { statSync } from 'node:fs';
import type { Llama, LlamaContext, LlamaContextSequence, LlamaModel } from 'node-llama-cpp';
import { GgufError, readGgufHeader } from '../gguf.ts';
import { InferenceError } from '../port.ts';
import { type PromptTemplate, promptTemplateOf } from './prompt.ts';
import type { WorkerOptions } from './protocol.ts';

/** A sequence with its own context, used by one request at a time. */
export interface Lane {
  readonly context: LlamaContext;
  readonly sequence: LlamaContextSequence;
  readonly template: PromptTemplate;
}

interface PooledModel {
  readonly path: string;
  readonly fileBytes: number;
  readonly model: LlamaModel;
  readonly template: PromptTemplate;
  readonly idle: Lane[];
  readonly waiting: Array<() => void>;
  lanes: number;
  laneBytes: number;
  users: number;
  lastUsed: number;
}

/** Below this file size, one thread computes a token faster than two, because the two have to synchronise. */
const SMALL_MODEL_BYTES = 64 * 2 ** 20;
/** llama.cpp rounds windows up to this. */
const WINDOW_STEP = 256;
const BATCH_TOKENS = 512;

/**
 * The models of a device, each loaded once for all of its Nodes. A model gets one lane (a context with one sequence)
 * per core if it is small, else a single lane that may use all cores. Lanes are not batched together, because an answer
 * must not depend on what else runs. At the memory limit or `maxModels`, the idle model that was unused for longest is
 * unloaded. If all are busy, a new model waits until one becomes idle.
 */
export class ModelPool {
  readonly #llama: Llama;
  readonly #options: WorkerOptions;
  readonly #announce: (type: 'loading' | 'loaded', path: string) => Promise<void>;
  readonly #models = new Map<string, PooledModel>();
  #clock = 0;
  /** Loads and unloads happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #becameIdle: Array<() => void> = [];

  constructor(
    llama: Llama,
    options: WorkerOptions,
    /** Called before and after each load, so that the parent knows which file to blame for a crash. */
    announce: (type: 'loading' | 'loaded', path: string) => Promise<void>,
  ) {
    this.#llama = llama;
    this.#options = options;
    this.#announce = announce;
  }

  /**
   * Runs `work` on a lane of the model with a window of at least `contextTokens`, or the longest that it was trained
   * on.
   */
  async use<Result>(
    path: string,
    contextTokens: number,
    work: (lane: Lane) => Promise<Result>,
  ): Promise<Result> {
    const pooled = await this.#hold(path);
    try {
      const lane = await this.#takeLane(pooled, contextTokens);
      try {
        return await work(lane);
      } finally {
        pooled.idle.push(lane);
        pooled.waiting.shift()?.();
      }
    } finally {
      pooled.users--;
      if (pooled.users === 0) for (const wake of this.#becameIdle.splice(0)) wake();
    }
  }

  async #hold(path: string): Promise<PooledModel> {
    let pooled = this.#models.get(path);
    if (!pooled) {
      const turn = this.#turn.then(() => this.#models.get(path) ?? this.#load(path));
      this.#turn = turn.catch(() => undefined);
      pooled = await turn;
      // The model may have been unloaded since.
      if (this.#models.get(path) !== pooled) return this.#hold(path);
    }
    pooled.users++;
    pooled.lastUsed = ++this.#clock;
    return pooled;
  }

  async #load(path: string): Promise<PooledModel> {
    const fileBytes = checkFile(path);
    await this.#makeRoom(fileBytes);
    await this.#announce('loading', path);
    let model: LlamaModel;
    try {
      model = await this.#llama.loadModel({ modelPath: path });
    } catch (error) {
      throw brokenModel(path, error instanceof Error ? error.message : String(error), error);
    } finally {
      await this.#announce('loaded', path);
    }
    const pooled: PooledModel = {
      path,
      fileBytes,
      model,
      template: promptTemplateOf(model),
      idle: [],
      waiting: [],
      lanes: 0,
      laneBytes: 0,
      users: 0,
      lastUsed: ++this.#clock,
    };
    this.#models.set(path, pooled);
    return pooled;
  }

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#models.size > 0 && this.#isFull(bytes)) {
      const [oldest] = [...this.#models.values()]
        .filter((pooled) => pooled.users === 0)
        .sort((a, b) => a.lastUsed - b.lastUsed);
      if (oldest) await this.#unload(oldest);
      else await new Promise<void>((resolve) => this.#becameIdle.push(resolve));
    }
  }

  #isFull(bytes: number): boolean {
    let used = bytes;
    for (const pooled of this.#models.values()) used += pooled.fileBytes + pooled.laneBytes;
    return this.#models.size >= this.#options.maxModels || used > this.#options.memoryBytes;
  }

  async #unload(pooled: PooledModel): Promise<void> {
    this.#models.delete(pooled.path);
    for (const lane of pooled.idle) await lane.context.dispose();
    await pooled.model.dispose();
  }

  async #takeLane(pooled: PooledModel, contextTokens: number): Promise<Lane> {
    const window = Math.min(
      Math.ceil(contextTokens / WINDOW_STEP) * WINDOW_STEP,
      pooled.model.trainContextSize,
    );
    const small = pooled.fileBytes <= SMALL_MODEL_BYTES;
    const lanesAtMost = small ? this.#options.cores : 1;
    while (true) {
      const fitting = pooled.idle.findIndex((lane) => lane.context.contextSize >= window);
      const [lane] = fitting === -1 ? [] : pooled.idle.splice(fitting, 1);
      if (lane) return lane;
      if (pooled.lanes < lanesAtMost) {
        pooled.lanes++;
        try {
          return await this.#openLane(pooled, window, small ? 1 : this.#options.cores);
        } catch (error) {
          pooled.lanes--;
          pooled.waiting.shift()?.();
          throw error;
        }
      }
      const tooNarrow = pooled.idle.pop();
      if (tooNarrow) {
        pooled.laneBytes -= tooNarrow.context.memoryUsage.ram;
        pooled.lanes--;
        await tooNarrow.context.dispose();
      } else {
        await new Promise<void>((resolve) => pooled.waiting.push(resolve));
      }
    }
  }

  async #openLane(pooled: PooledModel, window: number, threads: number): Promise<Lane> {
    const context = await pooled.model.createContext({
      contextSize: window,
      batchSize: Math.min(window, BATCH_TOKENS),
      threads: { ideal: threads, min: 1 },
      // With a single sequence there is nothing to collect for a batch.
      batching: { dispatchSchedule: (dispatch) => dispatch() },
    });
    pooled.laneBytes += context.memoryUsage.ram;
    return { context, sequence: context.getSequence(), template: pooled.template };
  }
}

/** The file's size, if its header is one that llama.cpp can load. */
function checkFile(path: string): number {
  try {
    readGgufHeader(path);
    return statSync(path).size;
  } catch (error) {
    if (error instanceof GgufError) throw brokenModel(path, error.message, error);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw new InferenceError(
        'model-missing',
        `There is no model file at ${path}. Download it with "dellm models pull", or correct the models folder.`,
      );
    }
    throw brokenModel(path, `it cannot be read (${message})`, error);
  }
}

export function brokenModel(path: string, why: string, cause?: unknown): InferenceError {
  return new InferenceError(
    'model-broken',
    `The model file ${path} cannot be used: ${why}. Delete it and download it again with "dellm models pull".`,
    { cause },
  );
}
