/** JSON as the event store keeps it: no `undefined`, no functions, no dates. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * An event about to be appended. `id` is a UUID that stays the same over every retry of the same append.
 * The store compares ids only, never data: derive the id from the content, or a different event with the
 * same id looks like a successful repeat.
 */
export interface NewEvent {
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: JsonObject;
}

/** An event as it was stored. */
export interface StoredEvent extends NewEvent {
  readonly stream: string;
  /** Number of the event within its stream, from 0, without gaps. */
  readonly revision: number;
  /** Commit position in the whole store, above 0. Grows with every event; neighbouring events are not numbered consecutively. */
  readonly position: number;
  /** When the store wrote it (ISO 8601). Not part of the event's content: never fold it. */
  readonly created: string;
}

/** What the writer believes about the stream: its last revision, that it has no event yet, that it has some, or nothing. */
export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

/**
 * - `appended`: flushed to disk, or it was there already (the same event ids at the same place).
 *   `revision` and `position` are those of the last of the events.
 * - `conflict`: somebody else wrote first (`WrongExpectedRevision`), or only a part of these ids is stored there
 *   (`CorruptedIdempotency`). Both mean: forget the state, fold again, decide again. `actual` is the stream's
 *   last revision, -1 if it has none. EventStoreDB's protocol has one answer for both, so through it a partial
 *   repeat is a `WrongExpectedRevision`; only the in-memory store can tell them apart.
 */
export type AppendResult =
  | { readonly outcome: 'appended'; readonly revision: number; readonly position: number }
  | {
      readonly outcome: 'conflict';
      readonly reason: 'WrongExpectedRevision' | 'CorruptedIdempotency';
      readonly actual: number;
    };

export interface AppendOptions {
  /** Longest time for the append with all its retries, in milliseconds. Default 3,500. Above it: `EventStoreUnavailableError`. */
  readonly deadlineMs?: number;
}

export interface ReadStreamOptions {
  /** First revision to read; default 0 forwards, the last one backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface ReadAllOptions {
  /** Only events after this position (forwards) or before it (backwards). Default: from the end where reading begins. */
  readonly after?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
  /** Only streams whose name starts with one of these. System streams (`$…`) are never given. */
  readonly prefixes?: readonly string[];
}

export interface SubscribeOptions {
  /** Deliver everything after this position; default from the very first event. */
  readonly after?: number;
  readonly prefixes?: readonly string[];
  /** Ends the subscription: the iterator returns. */
  readonly signal: AbortSignal;
}

/**
 * What a catch-up subscription delivers, in order, at least once: an event; a position up to which everything
 * that matched the filter has been delivered; or the news that history has been read to its end (again after
 * every resumption).
 */
export type Delivery =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'checkpoint'; readonly position: number }
  | { readonly kind: 'caught-up' };

/**
 * The port to EventStoreDB. Implementations: `esdb.ts` (the official client), `memory.ts`.
 * One contract suite (`test/contracts/event-store.ts`) holds for all of them.
 */
export interface EventStore {
  /**
   * Appends all events (at least one) or none. Throws `EventStoreUnavailableError` (nothing is known: retry with
   * the same ids), `StreamDeletedError`, `AppendTooLargeError`, or a `TypeError` for arguments that no store takes.
   */
  append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** A stream that does not exist reads as empty; a tombstoned one throws `StreamDeletedError`. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<StoredEvent>;
  /** Every event that was ever committed, also those that `keepLast` took out of their stream's view. */
  readAll(options?: ReadAllOptions): AsyncIterable<StoredEvent>;
  /** Survives lost connections: it subscribes again after the last position that it has delivered. Back-pressured by the iteration. */
  subscribe(options: SubscribeOptions): AsyncIterable<Delivery>;
  /** Keeps only the last `count` events of the stream readable (`$maxCount`). */
  keepLast(stream: string, count: number): Promise<void>;
  /** Ends running reads and subscriptions and frees the connection; later calls throw `EventStoreUnavailableError`. */
  close(): Promise<void>;
}

/** The store gave no answer in time. Nothing is known about the append: repeat it with the same event ids. */
export class EventStoreUnavailableError extends Error {
  override readonly name = 'EventStoreUnavailableError';
}

/** The stream was deleted for good (a tombstone): it takes no more events. */
export class StreamDeletedError extends Error {
  override readonly name = 'StreamDeletedError';
  readonly stream: string;
  constructor(stream: string) {
    super(`The stream "${stream}" was deleted for good and takes no more events.`);
    this.stream = stream;
  }
}

/** The events of one append weigh more than the store takes at once. Nothing was stored: make the events smaller or fewer. */
export class AppendTooLargeError extends Error {
  override readonly name = 'AppendTooLargeError';
  readonly stream: string;
  readonly maxBytes: number;
  constructor(stream: string, maxBytes: number) {
    super(
      `The append to "${stream}" is larger than the ${maxBytes} bytes that the event store takes at once. ` +
        'Nothing was stored. Make the events smaller, or append fewer of them at a time.',
    );
    this.stream = stream;
    this.maxBytes = maxBytes;
  }
}
