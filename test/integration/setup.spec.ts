import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));

/** A small project with the real set-up script. Its npm and compiler are stand-ins that record that they ran. */
describe.skipIf(process.platform === 'win32')('the set-up of a folder', () => {
  let root: string;
  let log: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dellm-project-'));
    log = join(root, 'log');
    cpSync(scripts, join(root, 'scripts'), { recursive: true });
    for (const folder of ['src', 'bin', 'cache']) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'package.json'), '{"name":"x","version":"1.0.0"}');
    for (const file of ['tsconfig.json', 'tsconfig.build.json']) writeFileSync(join(root, file), '{}');
    writeFileSync(join(root, 'src', 'a.ts'), 'export const a = 1;');
    writeFileSync(log, '');
    lock('1.0.0');
    program('nats-server', 'exit 0');
    npm('echo to stdout');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  function program(name: string, text: string): void {
    writeFileSync(join(root, 'bin', name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }

  function lock(version: string): void {
    const packages = {
      '': {},
      'node_modules/tool': { version },
      'node_modules/extra': { version, optional: true },
    };
    writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  }

  /** A stand-in for npm that installs the packages of the lock, and does something else in addition. */
  function npm(besides: string): void {
    writeFileSync(
      join(root, 'compiler.cjs'),
      `const fs = require('node:fs');
       fs.appendFileSync(${JSON.stringify(log)}, 'tsc\\n');
       if (fs.readFileSync('src/a.ts', 'utf8').includes('broken')) process.exit(2);`,
    );
    program(
      'npm',
      `echo "npm $1" >> ${log}
       ${besides}
       mkdir -p node_modules/typescript/bin
       cp compiler.cjs node_modules/typescript/bin/tsc
       cp package-lock.json node_modules/.package-lock.json`,
    );
  }

  function setup(env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(root, 'scripts', 'setup.mjs')],
        {
          env: {
            PATH: `${join(root, 'bin')}:/usr/bin:/bin`,
            HOME: root,
            DELLM_CACHE: join(root, 'cache'),
            ...env,
          },
        },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  const done = async (): Promise<string[]> =>
    (await readFile(log, 'utf8')).split('\n').filter((line) => line !== '');

  it('installs and compiles once, says so on stderr only, and prints nothing when there is nothing to do', async () => {
    const first = await setup();
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/installing dependencies[\s\S]*to stdout/);
    expect(await setup()).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await done()).toEqual(['npm ci', 'tsc']);
  });

  it('installs again when the lock has changed, and compiles again when a source was changed, added or removed', async () => {
    await setup();
    lock('2.0.0');
    await setup();
    expect(await done()).toEqual(['npm ci', 'tsc', 'npm ci']);
    writeFileSync(join(root, 'src', 'a.ts'), 'export const a = 22;');
    await setup();
    writeFileSync(join(root, 'src', 'b.ts'), '');
    await setup();
    await rm(join(root, 'src', 'b.ts'));
    await setup();
    await setup();
    expect((await done()).slice(3)).toEqual(['tsc', 'tsc', 'tsc']);
  });

  it('does not compile again for a spec', async () => {
    await setup();
    writeFileSync(join(root, 'src', 'a.spec.ts'), '');
    expect((await setup()).stderr).toBe('');
    expect(await done()).toEqual(['npm ci', 'tsc']);
  });

  it('waits for another set-up that runs at the same time', async () => {
    npm('sleep 1');
    const outcomes = await Promise.all([setup(), setup(), setup()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(outcomes.some(({ stderr }) => stderr.includes('waiting for another set-up'))).toBe(true);
    expect(await done()).toEqual(['npm ci', 'tsc']);
  });

  it('says what to do when npm fails, and tries again the next time', async () => {
    npm('echo no network; exit 7');
    const failed = await setup();
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr).toMatch(
      /no network[\s\S]*could not be installed \(npm ci ended with 7[\s\S]*run the same command again/,
    );
    npm('true');
    expect((await setup()).code).toBe(0);
  });

  it('says what to do when the sources do not compile, and compiles them again next time', async () => {
    writeFileSync(join(root, 'src', 'a.ts'), 'broken');
    for (let round = 0; round < 2; round += 1) {
      const failed = await setup();
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/do not compile/);
    }
  });

  it('says what to do when the lock is invalid', async () => {
    writeFileSync(join(root, 'package-lock.json'), '{');
    expect(await setup()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/package-lock.json is missing or broken/),
    });
  });
});
