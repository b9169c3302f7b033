import { AppendTooLargeError, EventStoreUnavailableError, StreamDeletedError } from '../eventstore/port.ts';
import { NatsUnavailableError } from '../messaging/errors.ts';

/**
 * The outcome of a message. `wait`: it comes again until the store and the broker are back. `fault`: an
 * unforeseen error; the message gets a few tries. `poison`: no try can succeed.
 */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'wait' | 'fault' | 'poison'; readonly reason: string };

export const DONE: Outcome = { kind: 'done' };

/**
 * How long a message waits after its first fault, its second …, in milliseconds. After the last it is given up. A store
 * that restarts may refuse its users for some seconds.
 */
const FAULT_DELAYS_MS = [1_000, 30_000];

/** Other owners of the actor repeatedly wrote first. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/** The rows for a decision could not be read. */
export class RowsUnreadableError extends Error {
  override readonly name = 'RowsUnreadableError';
}

/** Sorts errors: a store or a broker that is away comes back, and an owner that was overtaken gets its turn. */
export function outcomeOf(error: unknown): { kind: 'wait' | 'fault' | 'poison'; reason: string } {
  if (error instanceof AppendTooLargeError || error instanceof StreamDeletedError) {
    return { kind: 'poison', reason: describe(error) };
  }
  const passes =
    error instanceof EventStoreUnavailableError ||
    error instanceof NatsUnavailableError ||
    error instanceof OvertakenError;
  return { kind: passes ? 'wait' : 'fault', reason: describe(error) };
}

export function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/**
 * Counts faults, not deliveries: a message may have waited for the store or the broker many times before its
 * first fault.
 */
export class FaultCounts {
  /** Of messages that will be delivered again, by message id. */
  readonly #faults = new Map<string, number>();

  /** Counts a fault. Returns when the message may come again, in milliseconds from now; null if it is given up. */
  delayAfter(messageId: string, kind: 'fault' | 'poison'): number | null {
    if (kind === 'poison') return null;
    const before = this.#faults.get(messageId) ?? 0;
    this.#faults.set(messageId, before + 1);
    return FAULT_DELAYS_MS[before] ?? null;
  }

  forget(messageId: string): void {
    this.#faults.delete(messageId);
  }
}
