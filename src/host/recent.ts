/** First and last revision of the events that one message recorded. They are neighbours: a message is appended at once. */
export interface RevisionRange {
  readonly first: number;
  readonly last: number;
}

/** For so long, in milliseconds, a message may be redelivered to another owner and must be known there. */
export const RECENT_MS = 30_000;
/** So many messages are known however old they are. */
export const RECENT_COUNT = 500;

/**
 * `message id → revisions` of an actor's recent work. It is the host's, not the state's: what a message does twice is
 * prevented by natural keys in the state; this tells which effects to publish again when a message comes back because
 * its first owner died between append and ack.
 */
export class RecentMessages {
  readonly #ranges = new Map<string, RevisionRange & { readonly addedAt: number }>();

  /** `now`: any clock in milliseconds, the same at every call. */
  add(messageId: string, first: number, last: number, now: number): void {
    const known = this.#ranges.get(messageId);
    this.#ranges.set(messageId, {
      first: Math.min(first, known?.first ?? first),
      last: Math.max(last, known?.last ?? last),
      addedAt: now,
    });
    if (this.#ranges.size > RECENT_COUNT) this.#prune(now);
  }

  get(messageId: string): RevisionRange | undefined {
    return this.#ranges.get(messageId);
  }

  #prune(now: number): void {
    for (const [messageId, { addedAt }] of this.#ranges) {
      if (this.#ranges.size <= RECENT_COUNT || now - addedAt < RECENT_MS) return;
      this.#ranges.delete(messageId);
    }
  }
}
