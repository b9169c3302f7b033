/**
 * Lets at most so many calls in at a time. A cold gate lets in one: more than 100 appends at once over a connection
 * that is just being made have hung. The first success opens it, a lost connection cools it again.
 */
export class Gate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;
  #warm = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves `true` once the call may go in, `false` if it may not within this time. */
  enter(patienceMs: number): Promise<boolean> {
    if (this.#admits()) {
      this.#inside += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admit = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(admit);
        resolve(false);
      }, patienceMs);
      this.#waiting.add(admit);
    });
  }

  leave(): void {
    this.#inside -= 1;
    this.#admitWaiting();
  }

  warm(): void {
    if (this.#warm) return;
    this.#warm = true;
    this.#admitWaiting();
  }

  cool(): void {
    this.#warm = false;
  }

  #admits(): boolean {
    return this.#inside < (this.#warm ? this.#limit : 1);
  }

  #admitWaiting(): void {
    for (const admit of this.#waiting) {
      if (!this.#admits()) return;
      this.#waiting.delete(admit);
      // The place is taken here and not by the waiter, which runs later.
      this.#inside += 1;
      admit();
    }
  }
}
