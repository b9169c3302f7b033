import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const BIN = join(import.meta.dirname, '../../bin/dellm.js');
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const folders: string[] = [];
const children = new Set<Started>();

/** Ends all processes that still run, and removes the folders. */
export async function cleanUp(): Promise<void> {
  for (const { child, ended } of children) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A path for a new data folder, which no other test uses. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dellm-cli-'));
  folders.push(folder);
  return folder;
}

/** This process's environment with another data folder, and without running brokers and stores. */
export function environment(home: string, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NATS_URL: _nats, ESDB_URL: _store, ...env } = process.env;
  return { ...env, DELLM_HOME: home, ...more };
}

/** Runs the command until it exits. */
export function dellm(home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return start(home, args, env).ended;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The output so far. */
  out(): string;
  err(): string;
}

/** Starts the command from `dist/` in another process. */
export function start(
  home: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  bin = BIN,
): Started {
  const child = spawn(process.execPath, [bin, ...args], {
    env: environment(home, env),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that a spec can send Ctrl-C as a terminal does: to the process and to all its children.
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      children.delete(started);
      resolve({ code, stdout, stderr });
    });
  });
  const started: Started = { child, ended, out: () => stdout, err: () => stderr };
  children.add(started);
  return started;
}

export async function until(condition: () => boolean, what: string, ms = 60_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await sleep(20);
  }
}

/** A network on a free port that has reported that it is up. */
export async function up(home: string, env: NodeJS.ProcessEnv = {}): Promise<Started> {
  const network = start(home, ['up', '--json', '--port', String(await freePort())], env);
  const dead = network.ended.then(({ code, stderr }) => {
    throw new Error(`up ended with ${code}: ${stderr}`);
  });
  await Promise.race([until(() => network.out().includes('\n'), 'the network'), dead]);
  dead.catch(() => {});
  return network;
}

export async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Processes with the folder in their command line: its event store and its broker. */
export async function processesOf(home: string): Promise<string[]> {
  return (await processes()).filter(({ command }) => command.includes(home)).map(({ command }) => command);
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

export async function processes(): Promise<Process[]> {
  const lines = await new Promise<string>((resolve, reject) => {
    execFile('ps', ['-eo', 'pid=,ppid=,command='], { maxBuffer: 16e6 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
  return lines.split('\n').flatMap((line) => {
    const [, pid, parent, command] = /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? [];
    return command === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), command }];
  });
}

/** The child processes of a process, and their children. */
export function descendantsOf(pid: number, all: readonly Process[]): Process[] {
  const own = all.filter(({ parent }) => parent === pid);
  return own.flatMap((child) => [child, ...descendantsOf(child.pid, all)]);
}
