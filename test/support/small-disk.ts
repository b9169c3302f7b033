import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import type { TestContext } from 'vitest';

export interface SmallDisk {
  readonly path: string;
  grow(size: string): void;
}

/**
 * Mounts a separate disk at `path`, with a size such as `256k`. Skips the test, with the reason, if none can be
 * mounted.
 */
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
