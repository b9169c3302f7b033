/** JSON as the event store keeps it: no `undefined`, functions or dates. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/**
 * An event to append. `id` is a UUID that stays the same for every retry of the same append. The store compares
 * only ids, never data. So derive the id from the content: otherwise a different event with the same id looks
 * like a successful repeat.
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
  /** Number of the event in its stream, from 0, without gaps. */
  readonly revision: number;
  /** Position in the whole store, above 0. It increases with every event, but not by 1. */
  readonly position: number;
  /** When the store wrote it (ISO 8601). Not part of the event's content, so no fold may use it. */
  readonly created: string;
}

/** What the writer expects of the stream: its last revision, no event, at least one event, or nothing. */
export type ExpectedRevision = number | 'no-stream' | 'stream-exists' | 'any';

/**
 * - `appended`: flushed to disk now or earlier (the same event ids at the same place). `revision` and
 * `position` are those of the last event.
 * - `conflict`: another writer was first (`WrongExpectedRevision`), or only a part of these ids is stored there
 * (`CorruptedIdempotency`). In both cases discard the state, fold again and decide again. `actual` is the
 * stream's last revision; -1 if it has none. EventStoreDB's protocol has one answer for both, so there a
 * partial repeat is a `WrongExpectedRevision`. Only the in-memory store distinguishes them.
 */
export type AppendResult =
  | { readonly outcome: 'appended'; readonly revision: number; readonly position: number }
  | {
      readonly outcome: 'conflict';
      readonly reason: 'WrongExpectedRevision' | 'CorruptedIdempotency';
      readonly actual: number;
    };

export interface AppendOptions {
  /**
   * Longest time for the append with all its retries, in milliseconds. Default 3,500. After it:
   * `EventStoreUnavailableError`.
   */
  readonly deadlineMs?: number;
}

export interface ReadStreamOptions {
  /** First revision to read. Default: 0 forwards, the last one backwards. */
  readonly from?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
}

export interface ReadAllOptions {
  /**
   * Only events after this position (forwards) or before it (backwards). Default: from the first (forwards) or
   * the last (backwards).
   */
  readonly after?: number;
  readonly direction?: 'forwards' | 'backwards';
  readonly limit?: number;
  /** Only streams whose name starts with one of these. System streams (`$…`) are never included. */
  readonly prefixes?: readonly string[];
}

export interface SubscribeOptions {
  /** Only events after this position. Default: from the first event. */
  readonly after?: number;
  readonly prefixes?: readonly string[];
  /** Ends the subscription; its iterator then returns. */
  readonly signal: AbortSignal;
}

/**
 * What a catch-up subscription delivers, in order and at least once: an event; a position up to which all
 * matching events were delivered; or the notice that it has reached the end of the history (again after every
 * resumption).
 */
export type Delivery =
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'checkpoint'; readonly position: number }
  | { readonly kind: 'caught-up' };

/**
 * The port to EventStoreDB. Implementations: `esdb.ts` (the official client) and `memory.ts`. One contract
 * suite (`test/contracts/event-store.ts`) runs against all of them.
 */
export interface EventStore {
  /**
   * Appends all events (at least one) or none. Throws `EventStoreUnavailableError` (the result is unknown:
   * retry with the same ids), `StreamDeletedError`, `AppendTooLargeError`, or a `TypeError` for arguments that
   * no store accepts.
   */
  append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** A stream that does not exist reads as empty. A tombstoned stream throws `StreamDeletedError`. */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<StoredEvent>;
  /** Every event that was ever committed, also those that `keepLast` has hidden from their stream. */
  readAll(options?: ReadAllOptions): AsyncIterable<StoredEvent>;
  /**
   * Survives lost connections: it subscribes again after the last delivered position. The iteration applies
   * back-pressure.
   */
  subscribe(options: SubscribeOptions): AsyncIterable<Delivery>;
  /** Keeps only the last `count` events of the stream readable (`$maxCount`). */
  keepLast(stream: string, count: number): Promise<void>;
  /**
   * Ends running reads and subscriptions and closes the connection. Later calls throw
   * `EventStoreUnavailableError`.
   */
  close(): Promise<void>;
}

/** The store gave no answer in time. The result of the append is unknown: repeat it with the same event ids. */
export class EventStoreUnavailableError extends Error {
  override readonly name = 'EventStoreUnavailableError';
}

/** The stream was deleted for good (a tombstone). It accepts no more events. */
export class StreamDeletedError extends Error {
  override readonly name = 'StreamDeletedError';
  readonly stream: string;
  constructor(stream: string) {
    super(`The stream "${stream}" was deleted for good and accepts no more events.`);
    this.stream = stream;
  }
}

/**
 * The events of one append are larger than the store accepts. Nothing was stored: make the events smaller or
 * fewer.
 */
export class AppendTooLargeError extends Error {
  override readonly name = 'AppendTooLargeError';
  readonly stream: string;
  readonly maxBytes: number;
  constructor(stream: string, maxBytes: number) {
    super(
      `The append to "${stream}" is larger than the ${maxBytes} bytes that the event store accepts at once. ` +
        'Nothing was stored. Make the events smaller, or append fewer of them at a time.',
    );
    this.stream = stream;
    this.maxBytes = maxBytes;
  }
}
