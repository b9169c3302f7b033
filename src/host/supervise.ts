import { type OnLog, reasonOf } from './log.ts';

/** Something that runs until it ends, usually a child process. */
export interface Running {
  readonly pid?: number;
  /** Settles when it has ended, for any reason. The result is logged. */
  readonly exited: Promise<unknown>;
  /** Stops it in order. */
  stop(): Promise<void>;
}

export interface SuperviseOptions<R extends Running> {
  readonly name: string;
  /** Starts it and resolves when it is ready. The signal says that it is not wanted any more: a start may take long. */
  start(unwanted: AbortSignal): Promise<R>;
  /** Ends the first start. Has no effect after it. */
  readonly signal?: AbortSignal | undefined;
  readonly onLog: OnLog;
  /** In milliseconds. Default: 200, doubling to 10,000; starts again at 200 after 30,000 of running. */
  readonly backoff?: Backoff;
}

export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
  /** After running for this long, the next failure counts as the first. */
  readonly stableMs: number;
}

export type SupervisedState = 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped';

export interface Supervised<R extends Running> {
  readonly name: string;
  readonly state: () => SupervisedState;
  /** What runs now; null if nothing does. */
  readonly current: () => R | null;
  /** How often it was restarted. */
  readonly restarts: () => number;
  /** Stops it and does not restart it. */
  stop(): Promise<void>;
}

const DEFAULT_BACKOFF: Backoff = { firstMs: 200, longestMs: 10_000, stableMs: 30_000 };

/**
 * Keeps something running: when it ends, it is started again after a pause. The pause doubles while it keeps
 * failing soon after its start. If the very first start fails or is ended, the call rejects and nothing is started again.
 */
export async function supervise<R extends Running>(options: SuperviseOptions<R>): Promise<Supervised<R>> {
  const { name, onLog } = options;
  const backoff = options.backoff ?? DEFAULT_BACKOFF;
  const unwanted = new AbortController();
  let state: SupervisedState = 'starting';
  let current: R | null = await firstStart(options);
  let startedAt = performance.now();
  let restarts = 0;
  let pauseMs = backoff.firstMs;
  let cutShort: () => void = () => {};
  state = 'running';

  const stopping = () => state === 'stopping' || state === 'stopped';

  async function pause(): Promise<void> {
    state = 'waiting';
    await new Promise<void>((resolve) => {
      const timeout = setTimeout(resolve, pauseMs);
      cutShort = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
    pauseMs = Math.min(pauseMs * 2, backoff.longestMs);
  }

  async function startAgain(): Promise<void> {
    while (!stopping() && current === null) {
      await pause();
      if (stopping()) return;
      state = 'starting';
      restarts += 1;
      try {
        const started = await options.start(unwanted.signal);
        startedAt = performance.now();
        current = started;
        if (stopping()) return;
        state = 'running';
        onLog('info', `${name} runs again`, { restarts, pid: started.pid ?? null });
      } catch (error) {
        if (!stopping())
          onLog('error', `${name} could not be started again: ${reasonOf(error)}`, { restarts });
      }
    }
  }

  async function watch(): Promise<void> {
    while (!stopping() && current !== null) {
      const reason = await current.exited.then(describeExit, reasonOf);
      if (performance.now() - startedAt >= backoff.stableMs) pauseMs = backoff.firstMs;
      current = null;
      if (stopping()) return;
      onLog('warn', `${name} has ended (${reason}); starting it again in ${pauseMs} ms`, { restarts });
      await startAgain();
    }
  }
  const watching = watch();

  return {
    name,
    state: () => state,
    current: () => current,
    restarts: () => restarts,
    async stop() {
      if (state === 'stopped') return;
      state = 'stopping';
      unwanted.abort();
      cutShort();
      await current?.stop();
      await watching;
      // A start may have been in progress.
      await current?.stop();
      state = 'stopped';
    },
  };
}

async function firstStart<R extends Running>({ start, signal }: SuperviseOptions<R>): Promise<R> {
  signal?.throwIfAborted();
  const started = await start(signal ?? new AbortController().signal);
  if (signal?.aborted) await started.stop();
  signal?.throwIfAborted();
  return started;
}

/** An exit code, null if a signal ended it, or anything else that the starter reports. */
function describeExit(exit: unknown): string {
  if (typeof exit === 'number') return `exit code ${exit}`;
  if (exit === null) return 'by a signal';
  return typeof exit === 'string' ? exit : JSON.stringify(exit);
}
