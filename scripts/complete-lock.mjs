// Completes package-lock.json. If a registry lacks packages of other platforms when the lock is written, npm leaves them
// out, and `npm ci` fails there. Run this after every change of dependencies: node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OS = {
  darwin: 'darwin',
  mac: 'darwin',
  linux: 'linux',
  win: 'win32',
  win32: 'win32',
  android: 'android',
};
const CPU = {
  arm: 'arm',
  arm64: 'arm64',
  armv7l: 'arm',
  ia32: 'ia32',
  loong64: 'loong64',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
};
const LIBC = { gnu: 'glibc', musl: 'musl' };

/** The platform in a package's name (`@scope/linux-x64-musl`), or null if there is none. */
export function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const find = (table) => words.map((word) => table[word]).find((value) => value !== undefined);
  const [os, cpu, libc] = [find(OS), find(CPU), find(LIBC)];
  if (os === undefined || cpu === undefined) return null;
  return { os: [os], cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }) };
}

/** The faults of a lock file, in words. Without faults it installs on every platform. */
export function faultsOf(lock) {
  const faults = [];
  for (const [parent, name] of optionalDependencies(lock)) {
    const path = resolvePath(lock, parent, name);
    const platform = platformOf(name);
    if (path === null) {
      faults.push(`${name} (wanted by ${parent}) has no entry`);
    } else if (platform !== null && !isReplaced(lock, path, name)) {
      const { os, cpu } = lock.packages[path];
      if (String(os) !== String(platform.os) || String(cpu) !== String(platform.cpu)) {
        faults.push(`${name} is for ${platform.os} on ${platform.cpu}, its entry says ${os} on ${cpu}`);
      }
    }
  }
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (entry.resolved !== undefined) faults.push(`${path} names a place to download from`);
  }
  return faults;
}

/** The lock file with an entry for each optional package, only for its own platform, and without addresses. */
export function completeLock(lock) {
  const packages = structuredClone(lock.packages);
  const complete = { ...lock, packages };
  for (const entry of Object.values(packages)) delete entry.resolved;
  for (const [parent, name, version] of optionalDependencies(complete)) {
    const platform = platformOf(name);
    const path = resolvePath(complete, parent, name);
    if (platform === null) continue;
    if (path !== null) {
      // Some packages also name the platform that they are cross-compiled on, and would be installed there.
      if (!isReplaced(complete, path, name))
        Object.assign(packages[path], { os: platform.os, cpu: platform.cpu });
      continue;
    }
    const owner = packages[parent];
    const engines = Object.keys(owner.optionalDependencies)
      .map((sibling) => packages[`node_modules/${sibling}`]?.engines)
      .find((found) => found !== undefined);
    packages[`node_modules/${name}`] = {
      version,
      cpu: platform.cpu,
      ...(owner.dev ? { dev: true } : {}),
      ...(platform.libc === undefined ? {} : { libc: platform.libc }),
      ...(owner.license === undefined ? {} : { license: owner.license }),
      optional: true,
      os: platform.os,
      ...(engines === undefined ? {} : { engines }),
    };
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { ...complete, packages: Object.fromEntries(sorted) };
}

function optionalDependencies(lock) {
  return Object.entries(lock.packages).flatMap(([parent, entry]) =>
    Object.entries(entry.optionalDependencies ?? {}).map(([name, version]) => [parent, name, version]),
  );
}

/** Where Node finds a package that another one needs: next to it or further out. */
function resolvePath(lock, parent, name) {
  for (let base = parent; ; base = base.slice(0, Math.max(0, base.lastIndexOf('node_modules/') - 1))) {
    const path = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`;
    if (lock.packages[path] !== undefined) return path;
    if (base === '') return null;
  }
}

/** Whether package.json replaces it by another package (`overrides`). */
function isReplaced(lock, path, name) {
  const alias = lock.packages[path].name;
  return alias !== undefined && alias !== name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL('../package-lock.json', import.meta.url);
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const faults = faultsOf(lock);
  writeFileSync(file, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
  console.log(faults.length === 0 ? 'package-lock.json is complete' : `completed: ${faults.join('; ')}`);
}
