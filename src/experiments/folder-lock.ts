import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** Another process writes into the folder. Nothing was changed. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** A killed process keeps the lock for this long, in milliseconds. */
const STALE_MS = 30_000;

/** Runs a task that writes into a folder, while no other process does. */
export async function withFolderLock<T>(folder: string, write: () => Promise<T>): Promise<T> {
  const release = await lock(folder, {
    lockfilePath: join(folder, 'in-use.lock'),
    stale: STALE_MS,
    retries: 0,
    // If somebody removes the lock, this process still writes, and only the protection is gone.
    onCompromised: () => {},
  }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ELOCKED') throw cause;
    throw new FolderInUseError(
      `Another process writes to ${folder}. Nothing was changed. Wait for it or stop it. The lock of a killed process ` +
        `expires after ${STALE_MS / 1000} s.`,
      { cause },
    );
  });
  try {
    return await write();
  } finally {
    await release().catch(() => {});
  }
}
