import type { EventEmitter } from 'node:events';
import { type OnLog, reasonOf } from './log.ts';

export interface ShutdownOptions {
  readonly onLog: OnLog;
  /** Default: this process. */
  readonly process?: Pick<EventEmitter, 'on' | 'off'> & { exit(code: number): void };
}

export interface Shutdown {
  /** Aborted when the shutdown begins. */
  readonly signal: AbortSignal;
  /**
   * Adds something to stop. The last one added is stopped first. After the shutdown has begun, it is stopped at
   * once.
   */
  add(name: string, stop: () => Promise<void>): void;
  /** Stops everything, like a first Ctrl-C, and resolves with the exit code. The process itself does not exit. */
  begin(exitCode?: number): Promise<number>;
  /** Resolves with the exit code when everything has stopped. */
  readonly finished: Promise<number>;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const FAILED = 1;
/** The exit code that shells show for a process that Ctrl-C ended. */
const INTERRUPTED = 130;

/**
 * Shuts a process down. The first SIGINT or SIGTERM stops everything in reverse order and ends with exit code 0
 * (1 if something could not be stopped). A second one ends the process at once.
 */
export function prepareShutdown({ onLog, process: target = process }: ShutdownOptions): Shutdown {
  const abort = new AbortController();
  const steps: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  let resolveFinished: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    resolveFinished = resolve;
  });

  async function stopAll(exitCode: number): Promise<void> {
    let code = exitCode;
    for (let step = steps.pop(); step; step = steps.pop()) {
      try {
        await step.stop();
      } catch (error) {
        code = FAILED;
        onLog('error', `${step.name} could not be stopped cleanly: ${reasonOf(error)}`);
      }
    }
    for (const signal of SIGNALS) target.off(signal, onSignal);
    resolveFinished(code);
  }

  function begin(exitCode = 0): Promise<number> {
    if (!abort.signal.aborted) {
      abort.abort();
      stopAll(exitCode).catch(() => resolveFinished(FAILED));
    }
    return finished;
  }

  function onSignal(): void {
    if (abort.signal.aborted) {
      onLog('warn', 'stopping at once');
      target.exit(INTERRUPTED);
      return;
    }
    onLog('info', 'stopping; a second signal stops it at once');
    void begin();
  }
  for (const signal of SIGNALS) target.on(signal, onSignal);

  return {
    signal: abort.signal,
    begin,
    finished,
    add(name, stop) {
      if (!abort.signal.aborted) {
        steps.push({ name, stop });
        return;
      }
      stop().catch((error: unknown) => onLog('error', `${name} could not be stopped: ${reasonOf(error)}`));
    },
  };
}
