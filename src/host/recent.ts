/**
 * First and last revision of the events that one message recorded. They are consecutive, because a message's
 * events are in one append.
 */
export interface RevisionRange {
  readonly first: number;
  readonly last: number;
}

/**
 * In milliseconds. A message may be redelivered to another owner for this long, and that owner must recognize
 * it.
 */
export const RECENT_MS = 30_000;
/** At least this many messages are remembered, however old they are. */
export const RECENT_COUNT = 500;

/**
 * Revisions by message id, for an actor's recent messages. It belongs to the host, not to the state. Natural
 * keys in the state keep a message from taking effect twice. This map says which effects to publish again when
 * a message comes back because its first owner died between append and acknowledgement.
 */
export class RecentMessages {
  /** Oldest first. */
  readonly #ranges = new Map<string, RevisionRange & { readonly addedAt: number }>();
  #complete = true;

  /** `now`: any clock in milliseconds, but always the same clock. */
  add(messageId: string, first: number, last: number, now: number): void {
    const known = this.#ranges.get(messageId);
    if (known) this.#ranges.delete(messageId);
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

  /** Whether every message that recorded an event is here. Otherwise older ones must be looked up in the stream. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Older messages are missing. */
  cutOff(): void {
    this.#complete = false;
  }

  #prune(now: number): void {
    for (const [messageId, { addedAt }] of this.#ranges) {
      if (this.#ranges.size <= RECENT_COUNT || now - addedAt < RECENT_MS) return;
      this.#ranges.delete(messageId);
      this.cutOff();
    }
  }
}
