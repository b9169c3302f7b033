/**
 * Lets at most so many calls in at a time. A cold gate lets in one: more than 100 appends at once over a connection
 * that is just being made have hung. The first success opens it, a lost connection cools it again.
 */
export class Gate {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #warm = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  async enter(): Promise<void> {
    if (!this.#admits()) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return;
    }
    this.#inside += 1;
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
    while (this.#admits()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      // The place is taken here and not by the waiter, which runs later.
      this.#inside += 1;
      next();
    }
  }
}
