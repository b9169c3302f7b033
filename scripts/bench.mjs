// Compiles and runs the benchmarks: `npm run bench -- --help`. Plain Node; run it after `setup.mjs`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUT = join(ROOT, 'dist', 'bench');

// The compiled copy of the sources needs these files next to it, like the sources.
mkdirSync(OUT, { recursive: true });
for (const name of ['package.json', 'models', 'scripts']) {
  rmSync(join(OUT, name), { force: true });
  symlinkSync(join('..', '..', name), join(OUT, name));
}
const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const compiled = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'test', 'bench', 'tsconfig.json')], {
  stdio: ['ignore', 2, 2],
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
await import('../dist/bench/test/bench/run.js');
