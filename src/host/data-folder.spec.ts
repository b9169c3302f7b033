import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DataFolder } from './data-folder.ts';
import {
  DataFolderInUseError,
  DataFolderUnusableError,
  dataFolderPath,
  openDataFolder,
  readRuntime,
} from './data-folder.ts';

const runtime = {
  natsUrl: 'nats://127.0.0.1:4222',
  storeUrl: 'esdb://127.0.0.1:2113?tls=false',
  user: 'network',
  passwordFile: '/somewhere/nats-users.json',
  startedAt: '2026-01-01T00:00:00.000Z',
};

describe('a data folder', () => {
  let root: string;
  let path: string;
  const opened: DataFolder[] = [];
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dellm-folder-'));
    path = join(root, 'home');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((folder) => folder.release()));
    await rm(root, { recursive: true, force: true });
  });

  async function open(): Promise<DataFolder> {
    const folder = await openDataFolder(path);
    opened.push(folder);
    return folder;
  }

  it('is DELLM_HOME, or .dellm in the home folder', () => {
    expect(dataFolderPath({ DELLM_HOME: '/data/x' })).toBe('/data/x');
    expect(dataFolderPath({ DELLM_HOME: '' })).toBe(join(homedir(), '.dellm'));
  });

  it('is readable by its user only, and has one owner at a time', async () => {
    await open();
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    const second = openDataFolder(path);
    await expect(second).rejects.toThrow(DataFolderInUseError);
    await expect(second).rejects.toThrow(new RegExp(`in use by process ${process.pid}.*DELLM_HOME`));
  });

  it('goes to exactly one of many that open it at once', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => openDataFolder(path)));
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') opened.push(outcome.value);
      else expect(outcome.reason).toBeInstanceOf(DataFolderInUseError);
    }
    expect(opened).toHaveLength(1);
  });

  it('can be opened again after its release, and released twice', async () => {
    const folder = await open();
    await folder.release();
    await folder.release();
    await open();
  });

  it('says how to reach the network while it runs', async () => {
    expect(await readRuntime(path)).toBeNull();
    const folder = await open();
    expect(await readRuntime(path)).toBeNull();
    await folder.writeRuntime(runtime);
    expect(await readRuntime(path)).toEqual({ ...runtime, pid: process.pid });
    expect((await stat(join(path, 'runtime.json'))).mode & 0o777).toBe(0o600);
    await folder.release();
    expect(await readRuntime(path)).toBeNull();
  });

  it('is free as soon as its owner is killed, and then says that no network runs', async () => {
    const script = `
      import { openDataFolder } from ${JSON.stringify(new URL('../../dist/host/data-folder.js', import.meta.url).href)};
      const folder = await openDataFolder(${JSON.stringify(path)});
      await folder.writeRuntime(${JSON.stringify(runtime)});
      console.log('open');
      setInterval(() => {}, 1000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect((await readRuntime(path))?.pid).toBe(child.pid);
    await expect(openDataFolder(path)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readRuntime(path)).toBeNull();
    await open();
    expect(await readRuntime(path)).toBeNull();
  });

  it('is not created in a folder that contains something else', async () => {
    await writeFile(join(root, 'thesis.txt'), 'mine');
    const refused = openDataFolder(root);
    await expect(refused).rejects.toThrow(DataFolderUnusableError);
    await expect(refused).rejects.toThrow(/contains thesis.txt.*Nothing was changed/);
    expect(await readdir(root)).toEqual(['thesis.txt']);
  });

  it('is refused if a newer version wrote it, or if its marker is invalid', async () => {
    await (await open()).release();
    await writeFile(join(path, 'dellm.json'), '{"format":99}');
    await expect(openDataFolder(path)).rejects.toThrow(/newer version of DELLM \(format 99/);
    await writeFile(join(path, 'dellm.json'), 'oops');
    await expect(openDataFolder(path)).rejects.toThrow(/dellm\.json is not readable/);
  });

  it('says why a path cannot be used', async () => {
    const file = join(root, 'file');
    await writeFile(file, '');
    await expect(openDataFolder(file)).rejects.toThrow(/cannot be used: .*EEXIST.*Nothing was started/);
    await expect(openDataFolder(join(file, 'below'))).rejects.toThrow(/cannot be used: .*ENOTDIR/);
    await rm(file);
    await writeFile(join(root, 'dellm.lock'), 'this is no database'.repeat(100));
    await expect(openDataFolder(root)).rejects.toThrow(/cannot be used/);
  });
});
