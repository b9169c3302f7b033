// Adds llama.cpp's builds for graphics cards. They weigh up to 600 MB, so they are left out by default.
//   node scripts/add-gpu.mjs cuda|vulkan
// They stay until the dependencies are installed again; then run this again.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = join(dirname(dirname(fileURLToPath(import.meta.url))), 'node_modules');
const BUILDS = {
  'linux-x64': { cuda: ['linux-x64-cuda', 'linux-x64-cuda-ext'], vulkan: ['linux-x64-vulkan'] },
  'win32-x64': { cuda: ['win-x64-cuda', 'win-x64-cuda-ext'], vulkan: ['win-x64-vulkan'] },
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [kind] = process.argv.slice(2);
const platform = `${process.platform}-${process.arch}`;
const builds = BUILDS[platform];
if (builds === undefined) {
  fail(
    `There are no builds to add for ${platform}: it already has what it can use (Metal on a Mac). Nothing was changed.`,
  );
}
if (!Object.hasOwn(builds, kind ?? '')) fail('Name one of them: node scripts/add-gpu.mjs cuda|vulkan');

let version;
try {
  ({ version } = JSON.parse(readFileSync(join(modules, 'node-llama-cpp', 'package.json'), 'utf8')));
} catch {
  fail('The dependencies are not installed yet. Run "npm test" or "npm start" once, then this again.');
}

// Installed as a separate project, because this project's `overrides` keep these packages out.
const scratch = mkdtempSync(join(modules, '.gpu-'));
const names = builds[kind].map((name) => `@node-llama-cpp/${name}@${version}`);
const args = [
  'install',
  '--prefix',
  scratch,
  '--no-save',
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  ...names,
];
const { status } = spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
if (status === 0) {
  const from = join(scratch, 'node_modules', '@node-llama-cpp');
  for (const name of readdirSync(from)) {
    cpSync(join(from, name), join(modules, '@node-llama-cpp', name), { recursive: true, force: true });
  }
}
rmSync(scratch, { recursive: true, force: true });
if (status !== 0) fail('The builds could not be downloaded; see the output above. Nothing was changed.');
console.log(`Added ${names.join(' and ')}. Use them with --gpu from the next start on.`);
