const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Runs a long task. The first Ctrl-C or SIGTERM aborts its signal; a second one ends the process at once. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort();
  for (const name of SIGNALS) process.once(name, stop);
  try {
    return await run(interrupted.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
