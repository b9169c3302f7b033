import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { findNatsServer } from '../../scripts/nats-binary.mjs';
import { connectNats } from './connection.ts';
import { NatsServerMissingError, NatsServerStartError, PortTakenError } from './errors.ts';
import type { NatsUser } from './permissions.ts';
import { CLIENT_USER } from './permissions.ts';
import { writePrivateFile } from './private-file.ts';

export interface LaunchOptions {
  /**
   * For the configuration, the pid file and JetStream's store. Only one server may use it: the caller holds its lock.
   */
  readonly dataDir: string;
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  /** The first one is used to check that the server is ready. Connections without a user count as `client`. */
  readonly users: readonly [NatsUser, ...NatsUser[]];
  /** Called with each line that the server prints. */
  readonly onLog?: (line: string) => void;
}

export interface NatsServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<NatsServerExit>;
  /** Replaces the users of the running server. Connections of users that remain are kept. */
  setUsers(users: readonly [NatsUser, ...NatsUser[]]): Promise<void>;
  /** Stops it in order, and kills it after 5 s. */
  stop(): Promise<void>;
  /** Kills it at once, as in a crash. */
  kill(): Promise<void>;
}

const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 5_000;
/** The port of a killed server can stay busy for a moment. */
const PORT_FREE_WITHIN_MS = 2_000;
const POLL_MS = 50;
const LOG_LINES_KEPT = 20;
const START_ATTEMPTS = 3;

/**
 * Starts a nats-server with JetStream and waits until it answers. First stops a server that an earlier run left behind
 * on the same folder.
 *
 * Throws `NatsServerMissingError`, `PortTakenError`, or `NatsServerStartError` with the server's last lines.
 */
export async function launchNatsServer(options: LaunchOptions): Promise<NatsServer> {
  const binary = findNatsServer();
  if (binary === null) {
    throw new NatsServerMissingError(
      'nats-server, the message broker, is not on this machine. Nothing was started. ' +
        'Run "node scripts/setup.mjs" to get it, or install it on the PATH ' +
        '(https://docs.nats.io/running-a-nats-service/introduction/installation), or set NATS_URL to a running broker.',
    );
  }
  const dataDir = resolve(options.dataDir);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await endOrphan(dataDir);
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port === 0 ? await freePort() : options.port;
    await waitForPort(port);
    try {
      return await start(binary, dataDir, port, options);
    } catch (error) {
      // Another process may take the port between our check and the server's bind.
      if (!(error instanceof PortTakenError) || attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function start(
  binary: string,
  dataDir: string,
  port: number,
  options: LaunchOptions,
): Promise<NatsServer> {
  const configPath = configFile(dataDir);
  const writeConfig = (users: readonly NatsUser[]): Promise<void> =>
    writePrivateFile(configPath, renderConfig(dataDir, port, users));
  await writeConfig(options.users);

  const child = spawnBound(binary, ['-c', configPath]);
  const lines: string[] = [];
  const hear = (line: string): void => {
    lines.push(line);
    if (lines.length > LOG_LINES_KEPT) lines.shift();
    options.onLog?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', hear);
  }
  let exit: NatsServerExit | null = null;
  const exited = new Promise<NatsServerExit>((resolveExit) => {
    const settle = (how: NatsServerExit): void => {
      exit = how;
      resolveExit(how);
    };
    child.once('close', (code, signal) => settle({ code, signal }));
    child.once('error', (error) => {
      hear(`${binary}: ${error.message}`);
      if (child.pid === undefined) settle({ code: null, signal: null });
    });
  });
  const hasExited = (): boolean => exit !== null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (hasExited()) return;
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
    await exited;
    clearTimeout(timer);
  };

  const url = `nats://127.0.0.1:${port}`;
  try {
    await untilReady(url, options.users[0], hasExited);
  } catch (cause) {
    await end('SIGKILL');
    if (lines.some((line) => /address already in use|can't listen on client port/i.test(line))) {
      throw new PortTakenError(port);
    }
    throw new NatsServerStartError(
      `nats-server (${binary}) did not become ready. Its folder ${dataDir} was not changed. ` +
        `Its last lines:\n${lines.map((line) => `  ${line}`).join('\n')}`,
      { cause },
    );
  }
  return {
    url,
    port,
    pid: child.pid ?? 0,
    exited,
    async setUsers(users) {
      await writeConfig(users);
      child.kill('SIGHUP');
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

/** On Linux with `setpriv`, the kernel ends the server when this process dies, for any reason. */
function spawnBound(binary: string, args: readonly string[]): ChildProcess {
  const setpriv = '/usr/bin/setpriv';
  const bound = process.platform === 'linux' && isExecutable(setpriv);
  const [command, all] = bound
    ? [setpriv, ['--pdeathsig', 'TERM', '--', binary, ...args]]
    : [binary, [...args]];
  // Its own process group, so that Ctrl-C reaches only the supervisor, which stops the server last.
  return spawn(command, all, { stdio: ['ignore', 'pipe', 'pipe'], detached: process.platform !== 'win32' });
}

async function untilReady(url: string, user: NatsUser, hasExited: () => boolean): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  for (;;) {
    if (hasExited()) throw new Error('it ended');
    try {
      const connection = await connectNats({
        url,
        user: user.user,
        password: user.password,
        name: 'readiness',
        deadlineMs: 0,
      });
      try {
        await jetstreamManager(connection);
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
  }
}

function configFile(dataDir: string): string {
  return join(dataDir, 'nats-server.conf');
}

function pidFile(dataDir: string): string {
  return join(dataDir, 'nats-server.pid');
}

function renderConfig(dataDir: string, port: number, users: readonly NatsUser[]): string {
  // JSON strings are valid strings in the server's configuration format.
  const text = (value: string): string => JSON.stringify(value);
  const list = (subjects: readonly string[]): string => `[${subjects.map(text).join(', ')}]`;
  const renderUser = ({ user, password, publish, subscribe }: NatsUser): string => {
    const permissions =
      publish === undefined || subscribe === undefined
        ? ''
        : `, permissions: {publish: {allow: ${list(publish)}}, subscribe: {allow: ${list(subscribe)}}}`;
    return `    {user: ${text(user)}, password: ${text(password)}${permissions}}`;
  };
  return [
    '# Written at every start. Changes here are lost.',
    'host: "127.0.0.1"',
    `port: ${port}`,
    `pid_file: ${text(pidFile(dataDir))}`,
    'max_payload: 1048576',
    // Fixed limits. The default depends on the free disk, and refuses the streams on a machine that is nearly full.
    `jetstream: {store_dir: ${text(join(dataDir, 'jetstream'))}, max_memory_store: 268435456, max_file_store: 10737418240}`,
    'authorization: {',
    '  users: [',
    ...users.map(renderUser),
    '  ]',
    '}',
    ...(users.some(({ user }) => user === CLIENT_USER) ? [`no_auth_user: ${text(CLIENT_USER)}`] : []),
    '',
  ].join('\n');
}

async function waitForPort(port: number): Promise<void> {
  const deadline = performance.now() + PORT_FREE_WITHIN_MS;
  while (!(await isFree(port))) {
    if (performance.now() > deadline) throw new PortTakenError(port);
    await sleep(POLL_MS);
  }
}

async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== null;
}

async function freePort(): Promise<number> {
  const port = await listenOnce(0);
  if (port === null) throw new NatsServerStartError('The system has no free port on 127.0.0.1.');
  return port;
}

/** The port that a listener got, or null if it was taken. */
function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolvePort, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolvePort(null);
      else reject(error);
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolvePort(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}

/**
 * Stops a server that still runs on this folder. The caller holds the folder's lock, so the server's parent is dead.
 */
async function endOrphan(dataDir: string): Promise<void> {
  const path = pidFile(dataDir);
  const pid = readPid(path);
  if (pid === null) return;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const deadline = performance.now() + STOP_WITHIN_MS;
    if (isServerOf(pid, dataDir)) process.kill(pid, signal);
    while (isServerOf(pid, dataDir) && performance.now() < deadline) await sleep(POLL_MS);
  }
  if (isServerOf(pid, dataDir)) {
    throw new NatsServerStartError(
      `An older nats-server (process ${pid}) still runs on ${dataDir} and could not be stopped. ` +
        `Nothing was started. Stop it yourself ("kill -9 ${pid}"), then start again.`,
    );
  }
  await rm(path, { force: true });
}

function readPid(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 1 ? pid : null;
  } catch {
    return null;
  }
}

/** Another program may have this pid now, so the command line must name this folder's configuration. */
function isServerOf(pid: number, dataDir: string): boolean {
  try {
    const line =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
          });
    return line.includes('nats-server') && line.includes(configFile(dataDir));
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
