/** Time as an argument: the wall clock in a running network, virtual time in experiments and specs. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `task` once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, task: () => void): () => void;
}

/** The longest time that `setTimeout` can wait, in milliseconds. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: Date.now,
  after(ms, task) {
    if (ms <= 0) {
      const immediate = setImmediate(task);
      return () => clearImmediate(immediate);
    }
    const timeout = setTimeout(task, Math.min(ms, MAX_TIMEOUT_MS));
    return () => clearTimeout(timeout);
  },
};
