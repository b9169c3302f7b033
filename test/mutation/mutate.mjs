// Makes small changes in the code of the pure rooms, one at a time, and shows those that no spec notices.
// How to run and read it: docs/testing.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EQUIVALENT } from './equivalent.mjs';
import { ROOMS } from './rooms.mjs';
import { changeOf, percent, shareOf, shortcomings, sorted } from './verdict.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = join(HERE, '..', '..');
/** Copies of the sources while a run lasts, and what earlier runs have found. */
const WORKPLACE = '.mutation';

const USAGE = `npm run mutate -- [--force] [files or folders …]

Without files: all of ${ROOMS.map(({ folder }) => folder).join(', ')}.
--force  forgets what earlier runs have found`;

/** A run takes minutes to hours, so other work on the same machine comes first. */
setPriority(10);

const { values, positionals } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const files = filesOf(positionals.length > 0 ? positionals : ['src']);
if (!existsSync(join(ROOT, 'node_modules', 'vitest'))) fail('Run "npm ci" first.');
if (files.length === 0) fail(`None of the rooms has sources in ${positionals.join(', ')}.`);
install();
process.chdir(ROOT);
const { Stryker } = await import('@stryker-mutator/core');
const mutants = [];
for (const room of ROOMS) {
  const own = files.filter((file) => roomOf(file) === room);
  if (own.length > 0) mutants.push(...(await mutate(room, own)));
}
report(sorted(mutants, EQUIVALENT));

async function mutate({ folder, specs }, own) {
  const memory = join(WORKPLACE, `${folder.replaceAll('/', '-')}.json`);
  if (values.force) writeFileSync(memory, '{}');
  else forgetSurvivors(memory);
  process.env.MUTATION_SPECS = specs.join(',');
  const results = await new Stryker({
    mutate: own,
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner', join(HERE, 'ignore.mjs')],
    ignorers: ['compile-time'],
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // What never ends is found by how often it turns; a machine may be busy for a while.
    timeoutMS: 60_000,
    dryRunTimeoutMinutes: 30,
    incremental: true,
    incrementalFile: memory,
    tempDirName: join(WORKPLACE, 'sandbox'),
    ignorePatterns: [
      '**',
      '!src/**/*.ts',
      '!test/*/*.ts',
      '!test/histories/**',
      '!models/**',
      '!package.json',
    ],
    // Its preprocessor reads this file by an interface that TypeScript 7 does not have, and nothing here needs it.
    tsconfigFile: 'none',
    reporters: [process.stdout.isTTY ? 'progress' : 'dots'],
    warnings: { slow: false },
    logLevel: 'warn',
  }).runMutationTest();
  return results
    .map((result) => mutantOf(relative(ROOT, result.fileName), result))
    .filter(({ file }) => own.includes(file));
}

function mutantOf(file, result, source = readFileSync(join(ROOT, file), 'utf8')) {
  const { location, mutatorName: mutator, status } = result;
  return { file, line: location.start.line, mutator, status, ...changeOf(result, source) };
}

/** Survivors are tried again: the tool asks only whether there is a new spec, not whether one has changed. */
function forgetSurvivors(memory) {
  if (!existsSync(memory)) return;
  const known = JSON.parse(readFileSync(memory, 'utf8'));
  for (const [file, { source, mutants: found }] of Object.entries(known.files ?? {})) {
    const all = found.map((result) => ({ result, mutant: mutantOf(file, result, source) }));
    known.files[file].mutants = all
      .filter(({ mutant: { status, after } }) => status === 'Killed' || EQUIVALENT[file]?.[after])
      .map(({ result }) => result);
  }
  writeFileSync(memory, JSON.stringify(known));
}

function report({ died, explained, survivors, stale }) {
  for (const { file, line, mutator, status, before, after } of survivors) {
    const unseen = status === 'NoCoverage' ? ', which no spec runs' : '';
    console.log(`\n${file}:${line} ${mutator}${unseen}\n  - ${before}\n  + ${after}`);
  }
  for (const { file, after } of stale) console.log(`\n${file}: explained, but no survivor\n  + ${after}`);
  console.log();
  for (const folder of new Set(files.map((file) => roomOf(file).folder))) {
    const [dead, told, alive] = [died, explained, survivors].map(
      (all) => all.filter(({ file }) => roomOf(file).folder === folder).length,
    );
    console.log(`${folder.padEnd(26)} ${dead} noticed, ${told} explained, ${alive} survived`);
  }
  const share = shareOf(died, survivors);
  if (share !== null)
    console.log(`beside decide, machine and react ${percent(share)} of the changes are noticed`);
  const faults = shortcomings({ died, survivors, stale });
  for (const fault of faults) console.log(fault);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

function readArguments() {
  try {
    const options = { force: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } };
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`);
  }
}

/** The sources of the rooms that are among these files, or in these folders. */
function filesOf(paths) {
  const wanted = paths.map((path) => relative(ROOT, resolve(path)).replaceAll('\\', '/'));
  return readdirSync(join(ROOT, 'src'), { recursive: true })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts') && roomOf(path) !== undefined)
    .filter((path) => wanted.some((one) => path === one || path.startsWith(`${one}/`)))
    .sort();
}

function roomOf(file) {
  return ROOMS.find(({ folder }) => file.startsWith(`${folder}/`));
}

/** The tool is installed when it is first used, so that nobody else waits for it. */
function install() {
  const { packages } = JSON.parse(readFileSync(join(HERE, 'package-lock.json'), 'utf8'));
  const isThere = Object.entries(packages).every(([path, { version }]) => {
    const found = join(HERE, path, 'package.json');
    return path === '' || (existsSync(found) && JSON.parse(readFileSync(found, 'utf8')).version === version);
  });
  if (isThere) return;
  console.error('dellm: installing the mutation tool (once) …');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  const { status } = spawnSync('npm', args, {
    cwd: HERE,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) fail(`The mutation tool could not be installed: npm ci ended with ${status}, see above.`);
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
