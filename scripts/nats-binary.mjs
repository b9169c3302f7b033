// Finds the nats-server binary. Plain Node: the set-up uses it before any dependency is installed.
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** The release that is downloaded if no other nats-server is found. */
export const NATS_SERVER_VERSION = '2.11.8';

export const BINARY = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server';

/** Package managers install servers here, and not every user has these folders on the PATH. */
const USUAL_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/** The folder for the project's downloads. */
export function cacheFolder(env = process.env) {
  if (env.DELLM_CACHE) return env.DELLM_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'dellm');
  return join(homedir(), '.cache', 'dellm');
}

/** Path of the official release after its download. */
export function releasePath(env = process.env) {
  return join(cacheFolder(env), `nats-server-v${NATS_SERVER_VERSION}`, BINARY);
}

/** Path of Debian's build after its download. */
export function debianPath(env = process.env) {
  return join(cacheFolder(env), 'nats-server-debian', BINARY);
}

/** The path of a nats-server: on the PATH, in a usual folder, or in the cache. Null if there is none. */
export function findNatsServer(env = process.env, usualFolders = USUAL_FOLDERS) {
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...usualFolders];
  const candidates = [...folders.map((folder) => join(folder, BINARY)), releasePath(env), debianPath(env)];
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
