import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder, debianPath, findNatsServer, releasePath } from '../../scripts/nats-binary.mjs';
import { archiveName, downloadRelease, fetchFromDebian } from '../../scripts/nats-download.mjs';

const VERSION = '9.8.7';
const ARCHIVE = `nats-server-v${VERSION}-test-cpu.tar.gz`;

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

describe.skipIf(process.platform === 'win32')('installing a nats-server', () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  let archive: Buffer;
  let stop: (() => void) | undefined;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'dellm-setup-'));
    env = { PATH: process.env.PATH, DELLM_CACHE: join(root, 'cache') };
    const folder = join(root, ARCHIVE.replace('.tar.gz', ''));
    mkdirSync(folder);
    writeProgram(join(folder, 'nats-server'), 'echo nats-server: v9.8.7');
    execFileSync('tar', ['-czf', join(root, ARCHIVE), '-C', root, ARCHIVE.replace('.tar.gz', '')]);
    archive = await readFile(join(root, ARCHIVE));
  });
  afterEach(async () => {
    stop?.();
    stop = undefined;
    await rm(root, { recursive: true, force: true });
  });

  const sumOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  /** A server of releases. Without options, its release has no faults. */
  async function serve(answers: {
    list?: string;
    archive?: (response: ServerResponse) => void;
  }): Promise<string> {
    const server = createServer((request, response) => {
      if (request.url === `/v${VERSION}/SHA256SUMS`)
        response.end(answers.list ?? `${sumOf(archive)}  ${ARCHIVE}\n`);
      else if (request.url === `/v${VERSION}/${ARCHIVE}`) {
        if (answers.archive !== undefined) answers.archive(response);
        else response.setHeader('content-length', archive.length).end(archive);
      } else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stop = () => {
      server.closeAllConnections();
      server.close();
    };
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const download = (
    baseUrl: string,
    options: { pinned?: Record<string, string>; stallMs?: number } = {},
  ): Promise<string> =>
    downloadRelease({ env, baseUrl, version: VERSION, archive: ARCHIVE, stallMs: 10_000, ...options });

  async function expectNothingLeft(): Promise<void> {
    expect(await readdir(cacheFolder(env))).toEqual([]);
    expect(findNatsServer({ ...env, PATH: '' }, [])).toBeNull();
  }

  it('downloads the release, checks it, and finds it from then on', async () => {
    const path = await download(await serve({}), { pinned: { [ARCHIVE]: sumOf(archive) } });
    expect(path).toBe(releasePath(env));
    expect(execFileSync(path, { encoding: 'utf8' })).toContain('v9.8.7');
    expect(findNatsServer({ ...env, PATH: '' }, [])).toBe(path);
    expect(await readdir(cacheFolder(env))).toHaveLength(1);
  });

  it('refuses an archive with a checksum other than the published one', async () => {
    const list = `${'0'.repeat(64)}  ${ARCHIVE}\n`;
    await expect(download(await serve({ list }))).rejects.toThrow(
      /has the checksum .* but the published one is 0+/,
    );
    await expectNothingLeft();
  });

  it('refuses a release with a published checksum other than the pinned one', async () => {
    const pinned = { [ARCHIVE]: 'f'.repeat(64) };
    await expect(download(await serve({}), { pinned })).rejects.toThrow(
      /differs from the one that this project knows/,
    );
    await expectNothingLeft();
  });

  it('refuses a list of checksums without the archive', async () => {
    await expect(download(await serve({ list: 'hello\n' }))).rejects.toThrow(/lists no checksum/);
    await expectNothingLeft();
  });

  it('notices a download that ends too early', async () => {
    const base = await serve({
      archive: (response) => {
        response
          .setHeader('content-length', archive.length)
          .write(archive.subarray(0, 50), () => response.destroy());
      },
    });
    await expect(download(base)).rejects.toThrow(/127\.0\.0\.1/);
    await expectNothingLeft();
    stop?.();
    // Without a length, the checksum finds the fault.
    const chunked = await serve({ archive: (response) => response.end(archive.subarray(0, 50)) });
    await expect(download(chunked)).rejects.toThrow(/has the checksum/);
    await expectNothingLeft();
  });

  it('reports the answer of the server when there is no such release', async () => {
    const base = await serve({ archive: (response) => response.writeHead(404).end() });
    await expect(download(base)).rejects.toThrow(/answered 404/);
    await expectNothingLeft();
  });

  it('gives up when the connection stalls, and when no server listens', async () => {
    const base = await serve({
      archive: (response) =>
        void response.setHeader('content-length', archive.length).write(archive.subarray(0, 50)),
    });
    await expect(download(base, { stallMs: 400 })).rejects.toThrow(/sent nothing for 0.4 s/);
    stop?.();
    await expect(download(base)).rejects.toThrow(/127\.0\.0\.1/);
    await expectNothingLeft();
  });

  it('refuses a binary that does not run on this machine', async () => {
    const folder = ARCHIVE.replace('.tar.gz', '');
    writeProgram(join(root, folder, 'nats-server'), 'exit 1');
    execFileSync('tar', ['-czf', join(root, ARCHIVE), '-C', root, folder]);
    archive = await readFile(join(root, ARCHIVE));
    await expect(download(await serve({}))).rejects.toThrow(/--version/);
    await expectNothingLeft();
  });

  it('knows the names of the archives, and the platforms that have none', () => {
    expect(archiveName('2.11.8', 'linux', 'x64')).toBe('nats-server-v2.11.8-linux-amd64.tar.gz');
    expect(archiveName('2.11.8', 'darwin', 'arm64')).toBe('nats-server-v2.11.8-darwin-arm64.tar.gz');
    expect(archiveName('2.11.8', 'win32', 'x64')).toBe('nats-server-v2.11.8-windows-amd64.zip');
    expect(archiveName('2.11.8', 'sunos', 'x64')).toBeNull();
  });

  describe("from Debian's packages", () => {
    let bin: string;
    beforeEach(() => {
      bin = join(root, 'bin');
      mkdirSync(bin);
      env.PATH = `${bin}:/usr/bin:/bin`;
      writeProgram(
        join(bin, 'dpkg-deb'),
        'mkdir -p "$3/usr/sbin"; printf "#!/bin/sh\\necho v2.9" > "$3/usr/sbin/nats-server"; chmod +x "$3/usr/sbin/nats-server"',
      );
    });

    it('extracts the binary from the package, and installs nothing', async () => {
      writeProgram(join(bin, 'apt-get'), 'touch nats-server_2.9_all.deb');
      const path = await fetchFromDebian({ env });
      expect(path).toBe(debianPath(env));
      expect(findNatsServer({ ...env, PATH: '' }, [])).toBe(path);
      expect(await readdir(cacheFolder(env))).toHaveLength(1);
    });

    it('downloads package lists into a separate folder if there are none', async () => {
      const log = join(root, 'log');
      writeProgram(
        join(bin, 'apt-get'),
        `echo "$@" >> ${log}; case "$*" in *lists=*update*) touch updated;; *lists=*) test -e updated && touch x.deb;; *) echo "E: Unable to locate package" >&2; exit 100;; esac`,
      );
      await fetchFromDebian({ env });
      const calls = (await readFile(log, 'utf8')).trim().split('\n');
      expect(calls).toHaveLength(3);
      expect(calls[1]).toContain(`Dir::State::lists=${cacheFolder(env)}`);
    });

    it('reports the reason of apt-get', async () => {
      writeProgram(join(bin, 'apt-get'), 'echo "E: Unable to locate package nats-server" >&2; exit 100');
      await expect(fetchFromDebian({ env })).rejects.toThrow(
        'apt-get: E: Unable to locate package nats-server',
      );
      await expectNothingLeft();
    });

    it('says so if there is no apt-get', async () => {
      env.PATH = bin;
      await expect(fetchFromDebian({ env })).rejects.toThrow('this system has no apt-get');
      await expectNothingLeft();
    });
  });
});
