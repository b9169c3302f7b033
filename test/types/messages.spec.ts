import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** An expectation that does not come true: the compiler must complain of it, and of nothing else. */
const CONTROL = '// @ts-expect-error\nexport const fine: number = 1;\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-types-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('a message that its receiver cannot read', () => {
  it('does not compile', async () => {
    const config = {
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
      files: [join(import.meta.dirname, 'messages.ts'), 'control.mts'],
      include: [],
    };
    await writeFile(join(folder, 'control.mts'), CONTROL);
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    const output = await new Promise<string>((resolve) => {
      execFile(tsc, ['--pretty', 'false', '-p', folder], { cwd: folder }, (_error, out) => resolve(out));
    });
    expect(output).toBe("control.mts(1,1): error TS2578: Unused '@ts-expect-error' directive.\n");
  }, 120_000);
});
