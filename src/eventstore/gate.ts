/**
 * Limits how many calls are in progress at a time. A cold gate admits one, because more than 100 parallel
 * appends over a new connection have hung. The first success warms it, and a lost connection cools it again.
 */
export class Gate {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;
  #warm = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves with true when the call is admitted, or with false if it is not within this time. */
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
      // The place is taken here, because the waiting call runs later.
      this.#inside += 1;
      admit();
    }
  }
}
