import { join } from 'node:path';
import { lock } from 'proper-lockfile';

/** Another process writes into the folder. Nothing was changed. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** Who was killed holds the folder for so long, in milliseconds. */
const STALE_MS = 30_000;

/** Runs something that writes into a folder, while nobody else does. */
export async function withFolderLock<T>(folder: string, write: () => Promise<T>): Promise<T> {
  const release = await lock(folder, {
    lockfilePath: join(folder, 'in-use.lock'),
    stale: STALE_MS,
    retries: 0,
    // A folder whose lock somebody has taken away is still written to: the next one to ask is not told, no more.
    onCompromised: () => {},
  }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ELOCKED') throw cause;
    throw new FolderInUseError(
      `${folder} is being written to by another process. Nothing was changed. Wait for it, or stop it; one that was ` +
        `killed holds the folder for ${STALE_MS / 1000} s.`,
      { cause },
    );
  });
  try {
    return await write();
  } finally {
    await release().catch(() => {});
  }
}
