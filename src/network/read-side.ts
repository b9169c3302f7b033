import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../eventstore/port.ts';
import { type LogLevel, type OnLog, reasonOf } from '../host/log.ts';
import type { Running } from '../host/supervise.ts';
import type { NatsAccess } from '../messaging/connection.ts';

export interface ReadSideOptions {
  /** The network's user. */
  readonly nats: NatsAccess;
  readonly storeUrl: string;
  /** Holds the read model's file. */
  readonly folder: string;
}

export type FromReadSide =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string }
  | {
      readonly type: 'log';
      readonly level: LogLevel;
      readonly message: string;
      readonly details: JsonObject | undefined;
    };

/** How long the process may take to end in order, in milliseconds. */
export const STOP_PATIENCE_MS = 10_000;

/**
 * Starts projector and relay in their own process: nothing that they do then delays an actor. Resolves when the read
 * models know the whole history; rejects if the process ends before, if it is not wanted any more, or if the options do not
 * come. The process ends with this one, even if this one is killed.
 */
export async function launchReadSide(
  options: Promise<ReadSideOptions>,
  onLog: OnLog,
  unwanted: AbortSignal,
): Promise<Running> {
  const child = fork(compiledProcess(), [], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_PATIENCE_MS);
    await exited;
    clearTimeout(impatience);
  };
  const giveUp = (): void => void stop();
  unwanted.addEventListener('abort', giveUp, { once: true });
  try {
    await ready(child, exited, options, onLog);
  } catch (error) {
    unwanted.throwIfAborted();
    throw error;
  } finally {
    unwanted.removeEventListener('abort', giveUp);
  }
  return { pid: child.pid ?? -1, exited, stop };
}

async function ready(
  child: ChildProcess,
  exited: Promise<number | null>,
  options: Promise<ReadSideOptions>,
  onLog: OnLog,
): Promise<void> {
  let reason: string | null = null;
  const answer = new Promise<void>((resolve) => {
    child.on('message', (message: FromReadSide) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reason = message.reason;
      else onLog(message.level, message.message, message.details);
    });
  });
  const ended = exited.then((code): never => {
    throw new Error(
      reason ?? `The process of projector and relay ended (exit code ${code}) before it was ready.`,
    );
  });
  const sent = options.then(
    // If it cannot be sent a message, it has ended or is about to.
    (given) => child.send(given, () => {}),
    async (error) => {
      reason = reasonOf(error);
      child.kill('SIGKILL');
      await exited;
      throw error;
    },
  );
  await Promise.race([Promise.all([sent, answer]), ended]);
}

/** Node cannot start TypeScript by itself, so from the sources (in specs) the compiled process is started too. */
function compiledProcess(): string {
  const path = import.meta.url.endsWith('.ts')
    ? '../../dist/network/read-side-process.js'
    : './read-side-process.js';
  const file = fileURLToPath(new URL(path, import.meta.url));
  if (!existsSync(file)) throw new Error(`${file} is missing. Run "npm run build" first.`);
  return file;
}
