import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { exitCodes } from '../../src/eventstore/server/exit-codes.ts';
import type { EmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { LaunchError, launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { collect, event, numbered } from '../contracts/event-store.ts';

let folder: string;
let file: string;
let running: EmbeddedEventStore[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-event-store-'));
  file = join(folder, 'history.db');
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  await rm(folder, { recursive: true });
});

async function launch(options: { file?: string; port?: number } = {}): Promise<EmbeddedEventStore> {
  const server = await launchEmbeddedEventStore({ file, ...options });
  running.push(server);
  return server;
}

async function refusal(options: { file?: string; port?: number } = {}): Promise<LaunchError> {
  const error: unknown = await launch(options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof LaunchError)) throw new Error(`A LaunchError was expected, not ${error}`);
  return error;
}

describe('the file of the embedded event store', () => {
  it('is created with its folder, and keeps its events over a restart', async () => {
    const nested = join(folder, 'not', 'yet', 'there', 'history.db');
    const first = await launch({ file: nested });
    const store = connectEventStore(first.connectionString);
    await store.append('kept', numbered(3), 'no-stream');
    await store.close();
    await first.stop();
    expect(await first.exited).toBe(exitCodes.ok);

    const again = connectEventStore((await launch({ file: nested })).connectionString);
    expect(await collect(again.readStream('kept'))).toHaveLength(3);
    expect(await again.append('kept', numbered(1), 2)).toMatchObject({ revision: 3 });
    await again.close();
  });

  it('can be read with plain SQLite while the server runs', async () => {
    const store = connectEventStore((await launch()).connectionString);
    await store.append('open-book', [event('Asked', { text: 'why?' })], 'no-stream');
    const reader = new Database(file);
    const rows = reader.prepare('select stream, revision, type, data from history').all();
    reader.close();
    await store.close();
    expect(rows).toEqual([{ stream: 'open-book', revision: 0, type: 'Asked', data: '{"text":"why?"}' }]);
  });

  it.each([
    ['a text file', () => writeFile(file, 'Dear diary, '.repeat(50)), 'not an SQLite database'],
    ['a short file', () => writeFile(file, 'x'), 'not an SQLite database'],
    ["another program's database", async () => otherDatabase(file), 'another program'],
    ['an event store of a newer version', () => newerVersion(), 'schema version 99'],
    ['an event store with overwritten pages', () => damagedStore(), 'cannot be used'],
  ])('is refused and left unchanged when it is %s', async (_what, make, says) => {
    await make();
    const before = await readFile(file);
    const error = await refusal();
    expect(error.exitCode).toBe(exitCodes.damaged);
    expect(error.message).toContain(file);
    expect(error.message).toContain(says);
    expect(error.message).toContain('was not changed');
    expect(await readFile(file)).toEqual(before);
  });

  it('is refused when it is a folder', async () => {
    const error = await refusal({ file: folder });
    expect(error.exitCode).toBe(exitCodes.unusable);
    expect(error.message).toContain('not a file');
  });

  it('is used by one server at a time, and by the next one as soon as the first has ended', async () => {
    const first = await launch();
    const error = await refusal();
    expect(error.exitCode).toBe(exitCodes['in-use']);
    expect(error.message).toContain('in use by another');
    first.kill();
    expect(await first.exited).toBe(null);
    await launch();
  });

  it('keeps what was acknowledged if a crash interrupted its last transaction', async () => {
    const first = await launch();
    const store = connectEventStore(first.connectionString);
    await store.append('torn', numbered(5), 'no-stream');
    await store.close();
    first.kill();
    await first.exited;
    // A crash in the middle of a commit leaves the beginning of a frame at the end of the log.
    const log = await open(`${file}-wal`, 'a');
    await log.write(Buffer.alloc(1_000, 7));
    await log.close();
    const again = connectEventStore((await launch()).connectionString);
    expect(await collect(again.readStream('torn'))).toHaveLength(5);
    await again.close();
  });
});

describe('the process of the embedded event store', () => {
  it('says when its port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const error = await refusal({ port });
    other.close();
    expect(error.exitCode).toBe(exitCodes.failed);
    expect(error.message).toContain(`port ${port}`);
    expect(error.message).toContain('in use');
  });

  it.each([[[]], [['--file', '']], [['--file', 'x', '--port', 'abc']], [['--nonsense']]])(
    'refuses the arguments %j',
    async (args) => {
      const child = spawn(process.execPath, [compiledMain(), ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const [code] = await once(child, 'exit');
      expect(code).toBe(exitCodes.usage);
    },
  );

  it('ends when its parent ends', async () => {
    const child = spawn(process.execPath, [compiledMain(), '--file', file, '--parent-watch'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const exit = once(child, 'exit');
    child.stdin.end();
    expect((await exit)[0]).toBe(exitCodes.ok);
  });

  it('ends in order at SIGTERM during appends, and loses none that it acknowledged', async () => {
    const first = await launch();
    const store = connectEventStore(first.connectionString);
    // The first append opens the connection.
    await store.append('busy', numbered(1), 'any');
    let acknowledged = 1;
    const writing = (async () => {
      for (;;) {
        await store.append('busy', numbered(1), 'any', { deadlineMs: 2_000 });
        acknowledged += 1;
      }
    })();
    const ended = expect(writing).rejects.toThrow('no answer');
    await expect.poll(() => acknowledged).toBeGreaterThan(20);
    await first.stop();
    expect(await first.exited).toBe(exitCodes.ok);
    await ended;
    await store.close();
    const again = connectEventStore((await launch()).connectionString);
    const stored = await collect(again.readStream('busy'));
    await again.close();
    // One more event may be stored, whose answer was lost.
    expect([acknowledged, acknowledged + 1]).toContain(stored.length);
  });
});

function compiledMain(): string {
  return fileURLToPath(new URL('../../dist/eventstore/server/main.js', import.meta.url));
}

function otherDatabase(path: string): void {
  const database = new Database(path);
  database.exec('create table recipes (name text)');
  database.close();
}

/** A store with some events that was stopped in order. */
async function filledStore(): Promise<void> {
  const server = await launch();
  const store = connectEventStore(server.connectionString);
  for (let i = 0; i < 20; i += 1) await store.append(`filler-${i}`, numbered(20), 'any');
  await store.close();
  await server.stop();
}

async function newerVersion(): Promise<void> {
  await filledStore();
  const database = new Database(file);
  database.exec('pragma user_version = 99; pragma wal_checkpoint(truncate)');
  database.close();
}

async function damagedStore(): Promise<void> {
  await filledStore();
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  await handle.close();
}
