import {
  appendedBytes,
  assertAppendable,
  assertLimit,
  assertPlace,
  assertStreamName,
  encodeEvents,
  matchesPrefixes,
} from './arguments.ts';
import { checkCommit } from './commit-check.ts';
import type {
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
import { EventStoreUnavailableError } from './port.ts';

export interface MemoryEventStoreOptions {
  /** Clock for `created`, in milliseconds since 1970. Default `Date.now`. Use a virtual one for repeatable runs. */
  readonly now?: () => number;
}

/**
 * Events that a filtered subscription considers before it reports a checkpoint. EventStoreDB has the same
 * default.
 */
const checkpointInterval = 32;

interface Stream {
  readonly events: StoredEvent[];
  /** Revision of the first occurrence of each id. */
  readonly revisionOf: Map<string, number>;
  maxCount: number;
}

/**
 * An event store in this process's memory with the semantics of the real one. It uses only promises, no timers
 * and no I/O, so runs with it are repeatable.
 */
export function createMemoryEventStore(options: MemoryEventStoreOptions = {}): EventStore {
  const now = options.now ?? Date.now;
  const streams = new Map<string, Stream>();
  const log: StoredEvent[] = [];
  const wakeups = new Set<() => void>();
  let end = 0;
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new EventStoreUnavailableError('The in-memory event store is closed.');
  }

  /** The stream, or an empty one. It exists only when it is put into `streams`. */
  function streamNamed(name: string): Stream {
    return streams.get(name) ?? { events: [], revisionOf: new Map(), maxCount: Infinity };
  }

  function wakeSubscribers(): void {
    for (const wake of [...wakeups]) wake();
  }

  async function append(
    name: string,
    events: readonly NewEvent[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    assertOpen();
    assertAppendable(name, events, expected);
    const encoded = encodeEvents(name, events);

    const stream = streamNamed(name);
    const last = stream.events.length - 1;
    const decision = checkCommit(
      {
        lastRevision: last,
        deleted: 'no',
        hasMetadata: stream.maxCount !== Infinity,
        idAt: (revision) => stream.events[revision]?.id,
        revisionOf: (id) => stream.revisionOf.get(id),
      },
      expected,
      events.map((event) => event.id),
    );
    if (decision.kind === 'conflict') return { outcome: 'conflict', reason: decision.reason, actual: last };
    if (decision.kind === 'idempotent') {
      const stored = stream.events[decision.revision];
      return { outcome: 'appended', revision: decision.revision, position: stored?.position ?? end };
    }

    const created = new Date(now()).toISOString();
    for (const event of encoded) {
      const revision = stream.events.length;
      // Like the byte offsets in EventStoreDB's log: increasing, never consecutive.
      end += 64 + name.length + appendedBytes(event);
      const stored: StoredEvent = {
        id: event.id,
        type: event.type,
        // A copy, as from a real store: later changes of the original have no effect, and `undefined` is
        // removed.
        data: decode(event.data),
        metadata: decode(event.metadata),
        stream: name,
        revision,
        position: end,
        created,
      };
      stream.events.push(stored);
      if (!stream.revisionOf.has(event.id)) stream.revisionOf.set(event.id, revision);
      log.push(stored);
    }
    streams.set(name, stream);
    wakeSubscribers();
    return { outcome: 'appended', revision: stream.events.length - 1, position: end };
  }

  async function* readStream(name: string, read: ReadStreamOptions = {}): AsyncGenerator<StoredEvent> {
    assertOpen();
    assertStreamName(name);
    assertPlace('revision', read.from);
    assertLimit(read.limit);
    const stream = streams.get(name);
    if (stream === undefined) return;
    const last = stream.events.length - 1;
    const first = Math.max(0, stream.events.length - stream.maxCount);
    const backwards = read.direction === 'backwards';
    const step = backwards ? -1 : 1;
    let revision = backwards ? Math.min(read.from ?? last, last) : Math.max(read.from ?? 0, first);
    for (let left = read.limit ?? Infinity; left > 0 && revision >= first && revision <= last; left -= 1) {
      const event = stream.events[revision];
      if (event === undefined) return;
      yield event;
      revision += step;
    }
  }

  async function* readAll(read: ReadAllOptions = {}): AsyncGenerator<StoredEvent> {
    assertOpen();
    assertPlace('position', read.after);
    assertLimit(read.limit);
    const backwards = read.direction === 'backwards';
    let index: number;
    if (backwards) index = read.after === undefined ? log.length - 1 : indexAfter(log, read.after - 1) - 1;
    else index = indexAfter(log, read.after ?? -1);
    const stop = log.length;
    for (
      let left = read.limit ?? Infinity;
      left > 0 && index >= 0 && index < stop;
      index += backwards ? -1 : 1
    ) {
      const event = log[index];
      if (event === undefined) return;
      if (!matchesPrefixes(event.stream, read.prefixes)) continue;
      yield event;
      left -= 1;
    }
  }

  async function* subscribe(subscription: SubscribeOptions): AsyncGenerator<Delivery> {
    assertOpen();
    assertPlace('position', subscription.after);
    const { signal, prefixes } = subscription;
    let index = indexAfter(log, subscription.after ?? -1);
    let considered = 0;
    let caughtUp = false;
    while (!signal.aborted && !closed) {
      const event = log[index];
      if (event === undefined) {
        if (!caughtUp) {
          caughtUp = true;
          yield { kind: 'caught-up' };
          continue;
        }
        await nextAppend(signal);
        continue;
      }
      index += 1;
      considered += 1;
      if (matchesPrefixes(event.stream, prefixes)) yield { kind: 'event', event };
      if (prefixes !== undefined && considered === checkpointInterval) {
        considered = 0;
        if (!signal.aborted) yield { kind: 'checkpoint', position: event.position };
      }
    }
  }

  function nextAppend(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        wakeups.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      wakeups.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  async function keepLast(name: string, count: number): Promise<void> {
    assertOpen();
    assertStreamName(name);
    assertLimit(count);
    const stream = streamNamed(name);
    stream.maxCount = count;
    streams.set(name, stream);
    // The real store records this as an event of `$$<stream>`, so positions increase.
    end += 128 + name.length;
  }

  async function close(): Promise<void> {
    closed = true;
    wakeSubscribers();
  }

  return { append, readStream, readAll, subscribe, keepLast, close };
}

/** Index of the first event after this position. */
function indexAfter(log: readonly StoredEvent[], position: number): number {
  let low = 0;
  let high = log.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((log[middle]?.position ?? Infinity) > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

function decode(json: Uint8Array): JsonObject {
  return JSON.parse(Buffer.from(json).toString());
}
