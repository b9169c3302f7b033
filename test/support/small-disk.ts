import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { TestContext } from 'vitest';

export interface SmallDisk {
  readonly path: string;
  grow(size: string): void;
}

/** A disk of its own at `path`, such as `256k` large. Skips the test, with the reason, where none can be mounted. */
export async function withSmallDisk(
  context: TestContext,
  path: string,
  size: string,
  use: (disk: SmallDisk) => Promise<void>,
): Promise<void> {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { stdio: 'pipe' });
  } catch (error) {
    context.skip(`no tmpfs can be mounted here: ${error instanceof Error ? error.message.trim() : error}`);
  }
  try {
    await use({
      path,
      grow: (larger) => {
        execFileSync('mount', ['-o', `remount,size=${larger}`, path], { stdio: 'pipe' });
      },
    });
  } finally {
    execFileSync('umount', [path]);
  }
}
