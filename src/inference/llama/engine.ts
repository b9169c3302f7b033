import { type ChildProcess, fork } from 'node:child_process';
import { statSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import {
  type InferenceEngine,
  InferenceError,
  type InferenceRequest,
  type InferenceResult,
} from '../port.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

export interface LlamaEngineOptions {
  /** Path of a model's GGUF file; undefined for an unknown model. */
  modelPath(model: string): string | undefined;
  /** Models kept loaded at once. Default 64. */
  readonly maxModels?: number;
  /**
   * Memory limit for loaded models and their contexts, in bytes. Above it, idle models are unloaded. Default: half of
   * the RAM.
   */
  readonly memoryBytes?: number;
  /** Longest queue; further requests are refused. Default 4096. */
  readonly maxQueued?: number;
  /** Uses a GPU build of llama.cpp if one is installed. Default false. */
  readonly gpu?: boolean;
  /** Called when the worker starts, ends, or logs something. */
  onLog?(message: string, level: 'info' | 'warn'): void;
}

export interface LlamaEngine extends InferenceEngine {
  readonly kind: 'llama';
  /** The worker's process id while it runs. */
  workerPid(): number | undefined;
}

interface Job {
  readonly id: number;
  readonly path: string;
  readonly request: InferenceRequest;
  resolve(result: InferenceResult): void;
  reject(reason: unknown): void;
  /** Runs from the moment when an abort was sent until the worker confirms it. */
  watchdog?: NodeJS.Timeout;
}

interface Worker {
  readonly child: ChildProcess;
  ready: boolean;
  /** Files that it is loading now. A crash is blamed on them. */
  readonly loading: Set<string>;
  readonly sent: Map<number, Job>;
  lastOutput: string;
}

const DEFAULT_MAX_MODELS = 64;
const DEFAULT_MAX_QUEUED = 4096;
/** More than one request per core, so that no core waits for a message between two requests. */
const IN_FLIGHT_PER_CORE = 2;
const FIRST_BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 10_000;
const ABORT_PATIENCE_MS = 30_000;
const LAST_OUTPUT_CHARACTERS = 2_000;
/** Signals with which native code ends its own process. Others (SIGKILL …) come from outside and blame no file. */
const NATIVE_CRASHES: ReadonlySet<string> = new Set(['SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS', 'SIGFPE']);

/**
 * llama.cpp in a child process, shared by all Nodes of a device. The process starts with the first request, and
 * restarts with back-off after a crash. Requests that it was working on fail with the transient `engine-crashed`;
 * waiting requests are kept. If the process aborts while it loads a file, that file is refused until it changes.
 */
export function createLlamaEngine(options: LlamaEngineOptions): LlamaEngine {
  const cores = availableParallelism();
  const workerOptions: WorkerOptions = {
    gpu: options.gpu ?? false,
    cores,
    maxModels: options.maxModels ?? DEFAULT_MAX_MODELS,
    memoryBytes: options.memoryBytes ?? totalmem() / 2,
  };
  const maxQueued = options.maxQueued ?? DEFAULT_MAX_QUEUED;
  const log = options.onLog ?? (() => undefined);
  const queue: Job[] = [];
  const abortedLoads = new Map<string, string>();
  let worker: Worker | undefined;
  let backoffMs = 0;
  let restart: NodeJS.Timeout | undefined;
  let nextId = 1;
  let closed = false;

  function pump(): void {
    if (queue.length === 0 || closed) return;
    if (!worker) {
      restart ??= setTimeout(start, backoffMs);
      return;
    }
    while (worker.ready && worker.sent.size < cores * IN_FLIGHT_PER_CORE) {
      const job = queue.shift();
      if (!job) return;
      worker.sent.set(job.id, job);
      tell(worker, { type: 'infer', id: job.id, path: job.path, request: job.request });
    }
  }

  function start(): void {
    restart = undefined;
    const child = fork(workerPath(), [JSON.stringify(workerOptions)], {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Every lane blocks one of libuv's threads while it computes.
      env: { ...process.env, UV_THREADPOOL_SIZE: String(Math.max(4, cores * IN_FLIGHT_PER_CORE)) },
    });
    const started: Worker = { child, ready: false, loading: new Set(), sent: new Map(), lastOutput: '' };
    worker = started;
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (text: string) => {
        started.lastOutput = (started.lastOutput + text).slice(-LAST_OUTPUT_CHARACTERS);
      });
    }
    child.on('message', (message: FromWorker) => receive(started, message));
    // `error` (it could not be forked) may come without an `exit`; `ended` runs once.
    child.once('error', (error) => ended(started, `could not be started: ${error.message}`, null));
    child.once('exit', (code, signal) => ended(started, `ended with ${signal ?? `code ${code}`}`, signal));
  }

  function receive(from: Worker, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        from.ready = true;
        log(`The model process ${from.child.pid} is ready.`, 'info');
        pump();
        break;
      case 'loading':
        from.loading.add(message.path);
        break;
      case 'loaded':
        from.loading.delete(message.path);
        break;
      case 'log':
        log(message.message, 'warn');
        break;
      case 'done':
        backoffMs = 0;
        take(from, message.id)?.resolve(message.result);
        pump();
        break;
      case 'failed':
        take(from, message.id)?.reject(new InferenceError(message.reason, message.message));
        pump();
        break;
      case 'aborted':
        take(from, message.id);
        pump();
        break;
    }
  }

  function ended(gone: Worker, how: string, signal: NodeJS.Signals | null): void {
    if (worker !== gone) return;
    worker = undefined;
    backoffMs = Math.min(Math.max(backoffMs * 2, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS);
    const blamed = signal && NATIVE_CRASHES.has(signal) ? gone.loading : new Set<string>();
    for (const path of blamed) abortedLoads.set(path, fingerprint(path));
    const tail = gone.lastOutput.trim();
    log(`The model process ${how}${tail ? `; its last output: ${tail}` : ''}.`, 'warn');
    const crashed = new InferenceError('engine-crashed', `The model process ${how}; it is started again.`);
    for (const job of [...gone.sent.values()]) {
      take(gone, job.id)?.reject(blamed.has(job.path) ? abortedAtLoading(job.path) : crashed);
    }
    // The process never became ready, and may never do so. Waiting requests fail, and the next one tries again.
    if (!gone.ready) {
      const never = `The model process ${how} before it was ready${tail ? `: ${tail}` : ''}. Is node-llama-cpp installed for this platform ("npm ci"), and the project built ("npm run build")?`;
      for (const job of queue.splice(0)) job.reject(new InferenceError('engine-crashed', never));
    }
    pump();
  }

  function abort(job: Job, reason: unknown): void {
    const place = queue.indexOf(job);
    if (place !== -1) queue.splice(place, 1);
    job.reject(reason);
    const working = worker;
    if (!working?.sent.has(job.id)) return;
    tell(working, { type: 'abort', id: job.id });
    job.watchdog = setTimeout(() => {
      log(
        `The model process did not stop an aborted request within ${ABORT_PATIENCE_MS / 1000} s, so it is killed.`,
        'warn',
      );
      working.child.kill('SIGKILL');
    }, ABORT_PATIENCE_MS);
    job.watchdog.unref();
  }

  async function infer(request: InferenceRequest, signal?: AbortSignal): Promise<InferenceResult> {
    signal?.throwIfAborted();
    if (closed) throw new InferenceError('engine-unreachable', 'The model engine is closed.');
    const path = options.modelPath(request.model);
    if (path === undefined) {
      throw new InferenceError(
        'model-missing',
        `The model "${request.model}" is not in the catalogue. "dellm models list" shows the models.`,
      );
    }
    if (abortedLoads.has(path)) {
      if (abortedLoads.get(path) === fingerprint(path)) throw abortedAtLoading(path);
      abortedLoads.delete(path);
    }
    if (queue.length >= maxQueued) {
      throw new InferenceError(
        'engine-unreachable',
        `${queue.length} requests already wait for this device's models. Try again later.`,
      );
    }
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<InferenceResult>((resolve, reject) => {
        const job: Job = { id: nextId++, path, request, resolve, reject };
        onAbort = () => abort(job, signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        queue.push(job);
        pump();
      });
    } finally {
      if (onAbort) signal?.removeEventListener('abort', onAbort);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    clearTimeout(restart);
    const running = worker;
    worker = undefined;
    const over = new InferenceError('engine-unreachable', 'The model engine was closed.');
    for (const job of queue.splice(0)) job.reject(over);
    if (!running) return;
    for (const job of [...running.sent.values()]) take(running, job.id)?.reject(over);
    const { child } = running;
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  }

  return { kind: 'llama', infer, close, workerPid: () => worker?.child.pid };
}

function take(worker: Worker, id: number): Job | undefined {
  const job = worker.sent.get(id);
  worker.sent.delete(id);
  clearTimeout(job?.watchdog);
  return job;
}

function tell(worker: Worker, message: ToWorker): void {
  // A failed send means that the process is ending; its `exit` rejects what it was sent.
  worker.child.send(message, () => undefined);
}

function abortedAtLoading(path: string): InferenceError {
  return new InferenceError(
    'model-broken',
    `The model process aborted while it loaded ${path}: the file is damaged, or of a kind that this llama.cpp does not know. Delete it and fetch it again with "dellm models pull", or choose another model.`,
  );
}

/** Changes when the file does. */
function fingerprint(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs}` : 'gone';
}

/** Child processes run compiled code only, so `src/` uses the file in `dist/`. */
function workerPath(): string {
  const here = import.meta.url;
  const there = here.endsWith('.ts') ? '../../../dist/inference/llama/worker.js' : './worker.js';
  return fileURLToPath(new URL(there, here));
}
