// Downloads a nats-server into the cache: the official release, or Debian's build of it. Plain Node, because the set-up
// uses it before any dependency is installed. Changes nothing outside the cache.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { BINARY, cacheFolder, debianPath, NATS_SERVER_VERSION, releasePath } from './nats-binary.mjs';

const run = promisify(execFile);

const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';

/**
 * SHA-256 of the release's archives, if known from more than one source. An archive must match both this checksum and the
 * one in the release's own list. For other platforms, only the latter is checked.
 */
const PINNED = {
  'nats-server-v2.11.8-linux-amd64.tar.gz':
    '397a6deffb5533e160de0cca322bc3dcaec7fb7282d66a3dfa87a9c183152ad1',
  'nats-server-v2.11.8-linux-arm64.tar.gz':
    'b08936cb1dc0ae7086137bda14c352df64397c4af45ed2b392705c19585aeb84',
};

const OS_NAMES = { linux: 'linux', darwin: 'darwin', win32: 'windows', freebsd: 'freebsd' };
const CPU_NAMES = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm7',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
};
const MAX_ARCHIVE_BYTES = 200 * 1024 * 1024;
const MAX_LIST_BYTES = 1024 * 1024;
const APT_TIMEOUT_MS = 120_000;

/** The name of the release's archive for a platform, or null if there is none. */
export function archiveName(version, platform = process.platform, cpu = process.arch) {
  const [os, arch] = [OS_NAMES[platform], CPU_NAMES[cpu]];
  if (os === undefined || arch === undefined) return null;
  return `nats-server-v${version}-${os}-${arch}.${platform === 'win32' ? 'zip' : 'tar.gz'}`;
}

/**
 * Downloads the official release, checks it, and moves it into the cache in one step. If it fails, throws the reason and
 * leaves nothing behind. `stallMs` is the longest time without a byte, including the time to connect.
 */
export async function downloadRelease({
  env = process.env,
  log = () => {},
  baseUrl = RELEASES,
  version = NATS_SERVER_VERSION,
  archive = archiveName(version),
  pinned = PINNED,
  stallMs = 8_000,
} = {}) {
  if (archive === null) throw new Error(`there is no release for ${process.platform} on ${process.arch}`);
  const target = releasePath(env);
  return withScratch(env, async (scratch) => {
    const folder = `${baseUrl}/v${version}`;
    const list = await fetchText(`${folder}/SHA256SUMS`, stallMs);
    const published = checksumOf(list, archive);
    const expected = pinned[archive];
    if (expected !== undefined && expected !== published) {
      throw new Error(`the published checksum of ${archive} differs from the one that this project knows`);
    }
    const file = join(scratch, archive);
    const actual = await fetchFile(`${folder}/${archive}`, file, stallMs, log);
    if (actual !== published) {
      throw new Error(`${archive} has the checksum ${actual}, but the published one is ${published}`);
    }
    // GNU tar reads the archives for all Unix systems; the bsdtar of Windows also reads zip.
    await run('tar', ['-xf', file, '-C', scratch]);
    await install(join(scratch, archive.replace(/\.(tar\.gz|zip)$/, ''), BINARY), target);
    return target;
  });
}

/** Downloads Debian's package with apt, which checks its signature, and extracts the binary. Needs no special permissions. */
export async function fetchFromDebian({ env = process.env, log = () => {} } = {}) {
  const target = debianPath(env);
  return withScratch(env, async (scratch) => {
    const apt = (args, options = []) =>
      run('apt-get', ['-q', ...options, ...args], { cwd: scratch, env, timeout: APT_TIMEOUT_MS });
    try {
      await apt(['download', 'nats-server']);
    } catch (error) {
      if (error.code === 'ENOENT') throw new Error('this system has no apt-get');
      // The lists of packages are missing or old. New ones are read into the scratch folder, not into the system.
      log('reading the lists of Debian packages');
      await mkdir(join(scratch, 'lists', 'partial'), { recursive: true });
      await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
      const own = [
        ...['-o', `Dir::State::lists=${join(scratch, 'lists')}`],
        ...['-o', `Dir::Cache=${join(scratch, 'cache')}`],
        ...['-o', 'Debug::NoLocking=1'],
        ...['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=8', '-o', 'Acquire::https::Timeout=8'],
      ];
      await apt(['update'], own).catch((cause) => Promise.reject(aptError(cause)));
      await apt(['download', 'nats-server'], own).catch((cause) => Promise.reject(aptError(cause)));
    }
    const packageFile = (await readdir(scratch)).find((name) => name.endsWith('.deb'));
    if (packageFile === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg-deb', ['-x', join(scratch, packageFile), join(scratch, 'files')], { env });
    await install(join(scratch, 'files', 'usr', 'sbin', BINARY), target);
    return target;
  });
}

/** The checksum of a file in a release's list (`<sha256>  <name>`). */
function checksumOf(list, name) {
  for (const line of list.split('\n')) {
    const [sum, file] = line.trim().split(/\s+\*?/);
    if (file === name && /^[0-9a-f]{64}$/.test(sum)) return sum;
  }
  throw new Error(`the release lists no checksum for ${name}`);
}

async function fetchText(url, stallMs) {
  const chunks = [];
  for await (const chunk of fetchBytes(url, stallMs, MAX_LIST_BYTES)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes what a URL gives to a file, and returns its SHA-256. */
async function fetchFile(url, path, stallMs, log) {
  const hash = createHash('sha256');
  const measured = async function* () {
    let bytes = 0;
    let said = 0;
    for await (const chunk of fetchBytes(url, stallMs, MAX_ARCHIVE_BYTES)) {
      hash.update(chunk);
      bytes += chunk.length;
      if (bytes - said >= 4 * 1024 * 1024) {
        said = bytes;
        log(`nats-server: ${Math.round(bytes / 1024 / 1024)} MB`);
      }
      yield chunk;
    }
  };
  await pipeline(Readable.from(measured()), createWriteStream(path));
  return hash.digest('hex');
}

async function* fetchBytes(url, stallMs, maxBytes) {
  const controller = new AbortController();
  const stalled = () => controller.abort(new Error(`${url} sent nothing for ${stallMs / 1000} s`));
  let timer = setTimeout(stalled, stallMs);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const announced = Number(response.headers.get('content-length') ?? Number.NaN);
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      bytes += chunk.length;
      if (bytes > maxBytes) throw new Error(`${url} is larger than ${maxBytes} bytes`);
      yield chunk;
    }
    if (Number.isFinite(announced) && !response.headers.has('content-encoding') && bytes !== announced) {
      throw new Error(`${url} ended after ${bytes} of ${announced} bytes`);
    }
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    // `fetch failed` and `terminated` say nothing. The reason is in the cause.
    throw error.cause instanceof Error
      ? new Error(`${url}: ${error.cause.message || error.cause.code}`)
      : error;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

/** A folder inside the cache, so that the last step is a rename. It is always removed. */
async function withScratch(env, use) {
  await mkdir(cacheFolder(env), { recursive: true });
  const scratch = await mkdtemp(join(cacheFolder(env), '.download-'));
  try {
    return await use(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function install(from, to) {
  await chmod(from, 0o755);
  // Fails if the binary does not run on this machine (another libc, another CPU).
  await run(from, ['--version']);
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
}

function aptError(cause) {
  const lines = String(cause.stderr ?? cause.message).split('\n');
  const reason =
    lines.find((line) => line.startsWith('E:')) ?? lines.find((line) => line !== '') ?? 'no reason given';
  return new Error(`apt-get: ${reason}`, { cause });
}
