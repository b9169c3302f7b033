import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LaunchOptions {
  /** The store's file. It is created if it is missing, and so is its folder. */
  readonly file: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Called for every line that the server writes to its standard error. */
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedEventStore {
  readonly connectionString: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with the exit code when the process has ended; null if a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Ends it after its last commit (SIGTERM, and SIGKILL after 5 s), and waits until it has ended. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

/** The server's process ended before it listened. The message comes from the server and says what to do. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  /** See `exit-codes.ts`. Null if a signal ended it. */
  readonly exitCode: number | null;
  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** In milliseconds. When a large history is opened, its pages are checked first. */
const startPatienceMs = 60_000;
const stopPatienceMs = 5_000;

/**
 * Starts the embedded event store in another process and waits until it listens. That process ends when this
 * one ends, for any reason.
 *
 * @throws {LaunchError}
 */
export async function launchEmbeddedEventStore(options: LaunchOptions): Promise<EmbeddedEventStore> {
  const child = spawn(
    process.execPath,
    [compiledMain(), '--file', options.file, '--port', String(options.port ?? 0), '--parent-watch'],
    // The server watches the open pipe to its standard input.
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => resolve(null));
  });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (said.length < 20) said.push(line);
    options.onLog?.(line);
  });
  child.stdin.on('error', () => {});

  const impatience = setTimeout(() => child.kill('SIGKILL'), startPatienceMs);
  const port = await Promise.race([portOf(child), exited.then(() => undefined)]);
  clearTimeout(impatience);
  if (port === undefined) {
    const code = await exited;
    // Its last lines may arrive after its exit.
    if (!child.stderr.closed) await once(child.stderr, 'close');
    throw new LaunchError(
      said.join('\n') || `The event store ended before it listened (exit code ${code}).`,
      code,
    );
  }

  const stop = async () => {
    child.kill('SIGTERM');
    const impatience = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
    await exited;
    clearTimeout(impatience);
  };
  return {
    connectionString: `esdb://127.0.0.1:${port}?tls=false`,
    port,
    pid: child.pid ?? -1,
    exited,
    stop,
    kill: () => child.kill('SIGKILL'),
  };
}

/**
 * Node cannot start this TypeScript directly, so the compiled server is started also from the sources (in
 * specs).
 */
function compiledMain(): string {
  const path = import.meta.url.endsWith('.ts') ? '../../../dist/eventstore/server/main.js' : './main.js';
  const main = fileURLToPath(new URL(path, import.meta.url));
  if (!existsSync(main)) throw new LaunchError(`${main} is missing. Run "npm run build" first.`, null);
  return main;
}

function portOf(child: ChildProcess & { readonly stdout: NodeJS.ReadableStream }): Promise<number> {
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).once('line', (line) => {
      const { port } = JSON.parse(line) as { readonly port: number };
      resolve(port);
    });
  });
}
