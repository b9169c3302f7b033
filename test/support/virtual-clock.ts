import type { Clock } from '../../src/host/clock.ts';

/** A clock that stands still until a test advances it. */
export class VirtualClock implements Clock {
  #now: number;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  constructor(now = Date.parse('2030-01-01T00:00:00.000Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#now + Math.max(0, ms), task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /**
   * Advances by `ms` milliseconds and runs everything that is due, in order of time, including what those tasks
   * start.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#tasks
        .filter((entry) => entry.at <= end)
        .reduce<{ at: number; task: () => void } | null>(
          (first, entry) => (first === null || entry.at < first.at ? entry : first),
          null,
        );
      if (next === null) break;
      this.#tasks = this.#tasks.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }
}
