// Provides what `npm start` and `npm test` need: dependencies, a nats-server, compiled sources. Plain Node, because it runs
// before any dependency is installed. Writes only to stderr, and nothing if there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findNatsServer, NATS_SERVER_VERSION } from './nats-binary.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, 'src');
/** State of the sources at the last compilation. */
const STAMP = join(ROOT, 'dist', '.sources');
const OLDEST_NODE = [20, 19];

function say(line) {
  process.stderr.write(`dellm: ${line}\n`);
}

/** Ends the set-up. The message says what happened, what was kept, and what to do next. */
function fail(message) {
  say(message);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  fail(
    `this is Node ${process.versions.node}; DELLM needs ${OLDEST_NODE.join('.')} or newer. Nothing was changed. ` +
      'Install a newer one (https://nodejs.org), then run the same command again.',
  );
}

/** Two set-ups of one folder would overwrite each other, so the second one waits for the first. */
async function takeTurn() {
  const key = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  const turn = join(tmpdir(), `dellm-setup-${key}.pid`);
  const own = `${turn}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  let told = false;
  for (;;) {
    try {
      linkSync(own, turn);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const pid = Number(readJson(turn) ?? Number.NaN);
      if (!isRunning(pid)) rmSync(turn, { force: true });
      else if (!told) say(`waiting for another set-up of the same folder (process ${pid}) …`);
      told = true;
      await sleep(200);
    }
  }
  rmSync(own, { force: true });
  process.once('exit', () => rmSync(turn, { force: true }));
}

function isRunning(pid) {
  if (!Number.isSafeInteger(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function installDependencies() {
  if (areDependenciesThere()) return;
  say('installing dependencies (a minute or two, once) …');
  // npm passes its own path to scripts. Its output goes to stderr, because stdout is for answers.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const [command, all] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  const { status, error } = spawnSync(command, all, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: command === 'npm' && process.platform === 'win32',
  });
  if (status === 0) return;
  fail(
    `the dependencies could not be installed (${error?.message ?? `npm ci ended with ${status}`}; see its output above). ` +
      'Your data was not changed. Check the network and the disk, then run the same command again.',
  );
}

/** Whether npm's record of node_modules has every package of the lock file in the right version. */
function areDependenciesThere() {
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages;
  const installed = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (wanted === undefined)
    fail('package-lock.json is missing or broken. Restore it from the repository, then try again.');
  if (installed === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || entry.optional || entry.devOptional || installed[path]?.version === entry.version,
  );
}

function isNatsServerThere() {
  return Boolean(process.env.NATS_URL) || findNatsServer() !== null;
}

async function provideNatsServer() {
  if (isNatsServerThere()) return;
  const { downloadRelease, fetchFromDebian } = await import('./nats-download.mjs');
  const ways = [
    [`downloading nats-server ${NATS_SERVER_VERSION}, the message broker`, downloadRelease],
    ["fetching Debian's nats-server", fetchFromDebian],
  ];
  const reasons = [];
  for (const [what, get] of ways) {
    say(`${what} …`);
    try {
      say(`nats-server is at ${await get({ log: say })}`);
      return;
    } catch (error) {
      reasons.push(`${what}: ${error.message}`);
      say(`that did not work (${error.message})`);
    }
  }
  fail(
    'nats-server, the message broker, could not be found or downloaded. Nothing else was changed.\n' +
      `${reasons.map((reason) => `  - ${reason}`).join('\n')}\n` +
      '  Do one of these, then run the same command again:\n' +
      '  - install it (macOS: "brew install nats-server"; Debian, Ubuntu: "sudo apt-get install nats-server";\n' +
      '    others: https://github.com/nats-io/nats-server/releases) so that it is on the PATH;\n' +
      '  - set NATS_URL to a running broker with JetStream.',
  );
}

/** A package from a registry contains compiled files and no sources. */
function isCompiled() {
  return !existsSync(SOURCES) || (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stateOfSources());
}

function compile() {
  if (isCompiled()) return;
  const state = stateOfSources();
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    fail(
      'the sources do not compile; see the errors above. Nothing was started. Correct them, then run the same command again.',
    );
  }
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, state);
}

/** Changes when a file is added, removed or written. */
function stateOfSources() {
  const hash = createHash('sha256');
  for (const file of [
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'tsconfig.build.json'),
    ...filesBelow(SOURCES),
  ]) {
    const { mtimeMs, size } = statSync(file);
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.spec.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

checkNode();
if (!areDependenciesThere() || !isNatsServerThere() || !isCompiled()) {
  await takeTurn();
  installDependencies();
  await provideNatsServer();
  compile();
}
