import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface LaunchOptions {
  /** The store's file; made if it is missing, together with its folder. */
  readonly file: string;
  /** Default 0: any free port. */
  readonly port?: number;
  /** Takes every line that the server writes to its standard error. */
  readonly onLog?: (line: string) => void;
}

export interface EmbeddedEventStore {
  readonly connectionString: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with the exit code when the process has ended; `null` if a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Ends it after its last commit (SIGTERM, after 5 s SIGKILL) and waits until it is gone. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): void;
}

/** The server's process ended before it listened. The message is the server's own and says what to do. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  /** See `exit-codes.ts`; `null` if a signal ended it. */
  readonly exitCode: number | null;
  constructor(message: string, exitCode: number | null) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Opening a large history checks its pages first. */
const startPatienceMs = 60_000;
const stopPatienceMs = 5_000;

/**
 * Starts the embedded event store in a process of its own and waits until it listens. The process ends with this
 * one, however this one ends.
 *
 * @throws {LaunchError}
 */
export async function launchEmbeddedEventStore(options: LaunchOptions): Promise<EmbeddedEventStore> {
  const child = spawn(
    process.execPath,
    [compiledMain(), '--file', options.file, '--port', String(options.port ?? 0), '--parent-watch'],
    // The open pipe to its standard input is what the server watches.
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
    // Its last words may arrive after its exit.
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

/** Node cannot start TypeScript by itself, so from the sources (in specs) the compiled server is started too. */
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
