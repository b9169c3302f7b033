import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type {
  AllStreamSubscription,
  EventStoreDBClient,
  JSONEventData,
  RecordedEvent,
  ResolvedEvent,
} from '@eventstore/db-client';
import {
  BACKWARDS,
  EventStoreDBClient as Client,
  StreamDeletedError as ClientStreamDeletedError,
  END,
  FORWARDS,
  MaxAppendSizeExceededError,
  START,
  StreamNotFoundError,
  streamNameFilter,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  assertAppendable,
  assertLimit,
  assertPlace,
  assertStreamName,
  encodeEvents,
  matchesPrefixes,
} from './arguments.ts';
import { BatchAppender } from './batch-appender.ts';
import { Gate } from './gate.ts';
import type {
  AppendOptions,
  AppendResult,
  Delivery,
  EventStore,
  ExpectedRevision,
  JsonObject,
  NewEvent,
  ReadAllOptions,
  ReadStreamOptions,
  StoredEvent,
  SubscribeOptions,
} from './port.ts';
import { AppendTooLargeError, EventStoreUnavailableError, StreamDeletedError } from './port.ts';
import type { Pumped } from './pump.ts';
import { createPump } from './pump.ts';
import { AttemptTimeoutError, isTransient, needsNewClient } from './transient.ts';

/** Longest time for an append with its retries, and for a read without progress. In milliseconds. */
const defaultDeadlineMs = 3_500;

/**
 * One attempt may take half of the deadline, so that a connection that is dead without an error leaves time for
 * another.
 */
const attemptsPerDeadline = 2;

const maxAppendsInFlight = 64;

/** The client's default, which is also the shortest interval that it accepts without a warning. In milliseconds. */
const keepAliveMs = 10_000;

/**
 * How long `close` waits for the client to report that its calls have ended. They are cancelled at once. In
 * milliseconds.
 */
const closePatienceMs = 1_000;

/** With less time left than this, in milliseconds, no other attempt is made. */
const shortestAttemptMs = 10;

/** If the server answers no append for this long, in milliseconds, the connection may be dead without an error. */
const shortestSilenceMs = 800;

const firstPauseMs = 20;
const longestPauseMs = 500;

/** The server reports a checkpoint after this many times its search window (32 events). */
const checkpointIntervalMultiplier = 1;

/**
 * Most events in the buffer of a subscription or read, before the server has to wait. With the largest events
 * (1 MiB), the buffer has 64 MiB.
 */
const bufferedEvents = 64;

/**
 * The event store behind a connection string such as `esdb://127.0.0.1:2113?tls=false`: an EventStoreDB 23.10
 * or newer, or the embedded server. It connects with the first call, so the server may start later.
 *
 * @throws {TypeError} for a connection string that cannot be parsed
 */
export function connectEventStore(connectionString: string): EventStore {
  let client = openClient(connectionString, 0);
  let appender = new BatchAppender(client);
  let replacements = 0;
  const gate = new Gate(maxAppendsInFlight);
  const closing = new AbortController();
  // Every call in progress adds a listener.
  setMaxListeners(0, closing.signal);

  /** When the server last answered an append, by the monotonic clock in milliseconds. */
  let lastAnswerAt = 0;

  /**
   * Replaces the client after silence or an unknown fault; it repairs lost connections itself. A single late
   * append is not enough, because a new client costs every other call its connection. So no other append may
   * have been answered since `startedAt`, and an attempt that its deadline cut short proves nothing.
   */
  function afterFault(used: EventStoreDBClient, error: unknown, startedAt: number): void {
    gate.cool();
    const now = performance.now();
    const silent = lastAnswerAt < startedAt && now - startedAt >= shortestSilenceMs;
    if (used !== client || !needsNewClient(error) || (error instanceof AttemptTimeoutError && !silent))
      return;
    replacements += 1;
    client = openClient(connectionString, replacements);
    appender.close();
    appender = new BatchAppender(client);
    // Ends its reads. Its channel closes after it has been idle for a while.
    void used.dispose().catch(() => {});
  }

  function assertOpen(): void {
    if (closing.signal.aborted)
      throw new EventStoreUnavailableError('The connection to the event store was closed.');
  }

  /** Tries until it succeeds, fails permanently, or the deadline is over. */
  async function persist<T>(
    what: string,
    deadlineMs: number,
    attempt: (ms: number) => Promise<T>,
  ): Promise<T> {
    const started = performance.now();
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      assertOpen();
      const used = client;
      const attemptedAt = performance.now();
      const left = deadlineMs - (attemptedAt - started);
      try {
        const result = await attempt(Math.max(1, Math.min(left, deadlineMs / attemptsPerDeadline)));
        lastAnswerAt = performance.now();
        gate.warm();
        return result;
      } catch (error) {
        if (!isTransient(error)) {
          // A refusal is also an answer.
          lastAnswerAt = performance.now();
          gate.warm();
          throw error;
        }
        afterFault(used, error, attemptedAt);
        const remaining = deadlineMs - (performance.now() - started);
        if (remaining < shortestAttemptMs) throw unavailable(what, deadlineMs, error);
        // The pause is at most half of the remaining time, so that there is still an attempt if the server
        // comes back late.
        pause = Math.min(pause, remaining / 2);
        await delay(pause);
      }
    }
  }

  async function append(
    stream: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
    { deadlineMs = defaultDeadlineMs }: AppendOptions = {},
  ): Promise<AppendResult> {
    assertOpen();
    assertAppendable(stream, events, expected);
    const encoded = encodeEvents(stream, events);
    const what = `the append to "${stream}"`;
    const started = performance.now();
    if (!(await gate.enter(deadlineMs))) {
      throw unavailable(what, deadlineMs, new Error('other appends were waiting ahead of it'));
    }
    try {
      const left = deadlineMs - (performance.now() - started);
      if (left < shortestAttemptMs) {
        throw unavailable(what, deadlineMs, new Error('other appends were waiting ahead of it'));
      }
      const appended = await persist(what, left, (ms) => appender.append(stream, encoded, expected, ms));
      return { outcome: 'appended', ...appended };
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) {
        const actual = typeof error.actualVersion === 'bigint' ? Number(error.actualVersion) : -1;
        return { outcome: 'conflict', reason: 'WrongExpectedRevision', actual };
      }
      if (error instanceof ClientStreamDeletedError) throw new StreamDeletedError(stream);
      if (error instanceof MaxAppendSizeExceededError)
        throw new AppendTooLargeError(stream, error.maxAppendSize);
      throw error;
    } finally {
      gate.leave();
    }
  }

  /**
   * Reads, and resumes after a lost connection from where `open` then begins. `open` returns undefined when
   * everything was read. Throws after the deadline without any progress.
   */
  async function* readResuming(
    what: string,
    open: () => ClosableStream | undefined,
  ): AsyncGenerator<ResolvedEvent> {
    let lastProgress = performance.now();
    for (let pause = firstPauseMs; ; pause = Math.min(pause * 2, longestPauseMs)) {
      assertOpen();
      const used = client;
      const stream = open();
      if (stream === undefined) return;
      try {
        const silence = defaultDeadlineMs / attemptsPerDeadline;
        for await (const item of createPump<ResolvedEvent>(stream, closing.signal, silence)) {
          if (item.kind !== 'object') continue;
          yield item.object;
          lastProgress = performance.now();
          pause = firstPauseMs;
        }
        assertOpen();
        // When the client is replaced, its other streams end as if everything had been read.
        if (used === client) return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        afterFault(used, error, lastProgress);
        if (performance.now() - lastProgress >= defaultDeadlineMs)
          throw unavailable(what, defaultDeadlineMs, error);
        await delay(pause);
      } finally {
        cancel(stream);
      }
    }
  }

  async function* readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<StoredEvent> {
    assertStreamName(stream);
    assertPlace('revision', options.from);
    assertLimit(options.limit);
    const backwards = options.direction === 'backwards';
    let next = options.from;
    let left = options.limit ?? Number.MAX_SAFE_INTEGER;
    const open = () => {
      if (left === 0 || (next !== undefined && next < 0)) return undefined;
      return client.readStream(
        stream,
        {
          direction: backwards ? BACKWARDS : FORWARDS,
          fromRevision: next === undefined ? (backwards ? END : START) : BigInt(next),
          maxCount: left,
        },
        { highWaterMark: bufferedEvents },
      );
    };
    try {
      for await (const { event } of readResuming(`reading "${stream}"`, open)) {
        const stored = storedEvent(event);
        if (stored === undefined) continue;
        yield stored;
        next = stored.revision + (backwards ? -1 : 1);
        left -= 1;
      }
    } catch (error) {
      if (error instanceof StreamNotFoundError) return;
      if (error instanceof ClientStreamDeletedError) throw new StreamDeletedError(stream);
      throw error;
    }
  }

  async function* readAll(options: ReadAllOptions = {}): AsyncGenerator<StoredEvent> {
    assertPlace('position', options.after);
    assertLimit(options.limit);
    const backwards = options.direction === 'backwards';
    let after = options.after;
    let left = options.limit ?? Number.MAX_SAFE_INTEGER;
    const open = () =>
      client.readAll(
        {
          direction: backwards ? BACKWARDS : FORWARDS,
          fromPosition: after === undefined ? (backwards ? END : START) : clientPosition(after),
        },
        { highWaterMark: bufferedEvents },
      );
    for await (const { event } of readResuming('reading all events', open)) {
      const stored = storedEvent(event);
      // Forwards, the server begins at the position itself, which was already delivered.
      if (stored === undefined || stored.position === after) continue;
      after = stored.position;
      if (!matchesPrefixes(stored.stream, options.prefixes)) continue;
      yield stored;
      left -= 1;
      if (left === 0) return;
    }
  }

  async function* subscribe(options: SubscribeOptions): AsyncGenerator<Delivery> {
    assertOpen();
    assertPlace('position', options.after);
    const signal = AbortSignal.any([options.signal, closing.signal]);
    const { prefixes } = options;
    let after = options.after;
    let pause = firstPauseMs;
    while (!signal.aborted) {
      const used = client;
      const fromPosition = after === undefined ? START : clientPosition(after);
      const { subscription, deliveries } = openSubscription(used, fromPosition, prefixes, signal);
      try {
        for await (const delivery of deliveries) {
          pause = firstPauseMs;
          if (delivery.kind === 'event') after = delivery.event.position;
          if (delivery.kind === 'checkpoint') after = delivery.position;
          yield delivery;
          if (signal.aborted) return;
        }
      } catch (error) {
        if (!isTransient(error)) throw error;
        afterFault(used, error, performance.now());
      } finally {
        cancel(subscription);
      }
      await delay(pause, undefined, { signal }).catch(() => {});
      pause = Math.min(pause * 2, longestPauseMs);
    }
  }

  async function keepLast(stream: string, count: number): Promise<void> {
    assertOpen();
    assertStreamName(stream);
    assertLimit(count);
    const what = `keeping the last ${count} of "${stream}"`;
    const metadataStream = `$$${stream}`;
    const current = await lastMetadata(what, metadataStream);
    // This is called with every snapshot, so nothing is written if nothing changes.
    if (current.$maxCount === count) return;
    const event = {
      id: randomUUID(),
      type: '$metadata',
      data: { ...current, $maxCount: count },
      metadata: {},
    };
    const encoded = encodeEvents(metadataStream, [event]);
    await persist(what, defaultDeadlineMs, (ms) => appender.append(metadataStream, encoded, 'any', ms));
  }

  async function lastMetadata(what: string, metadataStream: string): Promise<JsonObject> {
    const open = () =>
      client.readStream(metadataStream, { direction: BACKWARDS, fromRevision: END, maxCount: 1 });
    try {
      for await (const { event } of readResuming(what, open)) {
        if (event?.isJson) return event.data as JSONEventData as JsonObject;
      }
    } catch (error) {
      if (!(error instanceof StreamNotFoundError)) throw error;
    }
    return {};
  }

  async function close(): Promise<void> {
    if (closing.signal.aborted) return;
    closing.abort();
    appender.close();
    await Promise.race([client.dispose(), delay(closePatienceMs, undefined, { ref: false })]);
  }

  return { append, readStream, readAll, subscribe, keepLast, close };
}

type ClosableStream =
  | ReturnType<EventStoreDBClient['readAll']>
  | ReturnType<EventStoreDBClient['readStream']>;

/**
 * @param replacement how many clients came before. gRPC shares a connection, even a dead one, between all
 * channels with the same options. So a replacement has another option: its keep-alive interval differs by a
 * millisecond
 */
function openClient(connectionString: string, replacement: number): EventStoreDBClient {
  // The client must throw conflicts: otherwise it reports a wrong revision.
  const options = ['throwOnAppendFailure=true'];
  if (replacement > 0) options.push(`keepAliveInterval=${keepAliveMs + replacement}`);
  const separator = connectionString.includes('?') ? '&' : '?';
  try {
    return Client.connectionString(connectionString + separator + options.join('&'));
  } catch (error) {
    throw new TypeError(
      `The connection string of the event store cannot be used (${error instanceof Error ? error.message : error}). ` +
        'It has the form esdb://host:2113?tls=false.',
      { cause: error },
    );
  }
}

function openSubscription(
  client: EventStoreDBClient,
  fromPosition: typeof START | ReturnType<typeof clientPosition>,
  prefixes: readonly string[] | undefined,
  signal: AbortSignal,
): { subscription: AllStreamSubscription; deliveries: AsyncIterable<Delivery> } {
  // The client calls back only later, when data arrives.
  let mark: (delivery: Delivery) => void = () => {};
  const filter =
    prefixes === undefined
      ? undefined
      : streamNameFilter({
          prefixes: [...prefixes],
          checkpointInterval: checkpointIntervalMultiplier,
          checkpointReached: async (_subscription, position) => {
            mark({ kind: 'checkpoint', position: Number(position.commit) });
          },
        });
  const subscription = client.subscribeToAll(
    filter === undefined ? { fromPosition } : { fromPosition, filter },
    { highWaterMark: bufferedEvents },
  );
  const pump = createPump<ResolvedEvent, Delivery>(subscription, signal, undefined);
  mark = pump.mark;
  subscription.on('caughtUp', () => mark({ kind: 'caught-up' }));
  return { subscription, deliveries: deliveriesOf(pump) };
}

async function* deliveriesOf(
  items: AsyncIterable<Pumped<ResolvedEvent, Delivery>>,
): AsyncGenerator<Delivery> {
  for await (const item of items) {
    if (item.kind === 'mark') {
      yield item.mark;
      continue;
    }
    const event = storedEvent(item.object.event);
    if (event !== undefined && matchesPrefixes(event.stream, undefined)) yield { kind: 'event', event };
  }
}

/**
 * The event in the port's form; undefined for events of other programs and of the store itself (binary, `$…`
 * types).
 */
function storedEvent(event: RecordedEvent | undefined): StoredEvent | undefined {
  if (event === undefined || !event.isJson || event.type.startsWith('$')) return undefined;
  return {
    id: event.id,
    type: event.type,
    // The server has stored what `append` sent, or JSON from another writer, which only a reader can validate.
    data: event.data as JSONEventData as JsonObject,
    metadata: (event.metadata ?? {}) as JsonObject,
    stream: event.streamId,
    revision: Number(event.revision),
    position: Number(event.position?.commit ?? 0n),
    created: event.created.toISOString(),
  };
}

function clientPosition(position: number): { commit: bigint; prepare: bigint } {
  return { commit: BigInt(position), prepare: BigInt(position) };
}

function unavailable(what: string, ms: number, cause: unknown): EventStoreUnavailableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new EventStoreUnavailableError(
    `The event store gave no answer to ${what} within ${Math.round(ms)} ms (${reason}). ` +
      'Its result is unknown. Check that the server runs, then repeat it with the same event ids.',
    { cause },
  );
}

/**
 * Ends the call behind a stream. The rest of the stream is read and dropped, because the client keeps every
 * call until its end, and a stream that was only destroyed would never reach it.
 */
function cancel(stream: ClosableStream | AllStreamSubscription): void {
  const cancelled = 'unsubscribe' in stream ? stream.unsubscribe() : stream.cancel();
  // If the call was never established, there is nothing to cancel, and its error was already handled.
  cancelled.catch(() => {});
  // While there is a listener for it, the stream does not flow.
  stream.removeAllListeners('readable');
  stream.resume();
}
