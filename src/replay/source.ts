import { hash } from 'node:crypto';
import { realpath, stat } from 'node:fs/promises';
import { type EventPlace, holdsEvent } from '../eventstore/holds-event.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { CATEGORY_PREFIXES } from '../projections/runner.ts';
import {
  type Cursor,
  eventBefore,
  type HistoryBatch,
  type PlacedEvent,
  readHistoryBatches,
} from './history-file.ts';

/** A source of a history, always read in the order in which it was stored. */
export interface HistorySource {
  /** Name of the source, for a person. */
  readonly label: string;
  /** Meaning of an event's `position`. */
  readonly unit: 'position' | 'line';
  /** All events after a place. Default: from the first event. */
  batches(after?: Cursor): AsyncIterable<HistoryBatch>;
  /** The events of some streams, each stream in order. */
  select(streams: ReadonlySet<string>): AsyncIterable<PlacedEvent>;
  /** Whether exactly this event is at exactly this place. */
  holds(event: EventPlace, cursor: Cursor): Promise<boolean>;
  identity(): Promise<SourceIdentity>;
  close(): Promise<void>;
}

/** Identifies a history, so that the cache of one is not used for another. */
export interface SourceIdentity {
  /** Name of the history's folder in the cache. */
  readonly history: string;
  /** Changes if earlier content may have changed. */
  readonly stamp: string;
}

const STORE_BATCH = 500;

/** A `history.jsonl`. */
export function fileSource(path: string): HistorySource {
  return {
    label: path,
    unit: 'line',
    batches: (after) => readHistoryBatches(path, after),
    async *select(streams) {
      for await (const { events } of readHistoryBatches(path)) {
        for (const event of events) if (streams.has(event.stream)) yield event;
      }
    },
    async holds({ id, stream, revision }, cursor) {
      const found = await eventBefore(path, cursor);
      return found?.id === id && found.stream === stream && found.revision === revision;
    },
    async identity() {
      const { size, mtimeMs } = await stat(path);
      const history = `file-${hash('sha256', await realpath(path)).slice(0, 16)}`;
      return { history, stamp: `${size}-${mtimeMs}` };
    },
    close: async () => {},
  };
}

/** An event store. Closing the source does not close the store. */
export function storeSource(store: EventStore, label: string): HistorySource {
  const all = (after?: number, limit?: number): AsyncIterable<StoredEvent> =>
    store.readAll({
      prefixes: CATEGORY_PREFIXES,
      ...(after !== undefined && { after }),
      ...(limit !== undefined && { limit }),
    });
  return {
    label,
    unit: 'position',
    async *batches(after) {
      let events: PlacedEvent[] = [];
      for await (const event of all(after?.position)) {
        events.push(event);
        if (events.length < STORE_BATCH) continue;
        yield { events, cursor: { position: event.position, offset: 0 } };
        events = [];
      }
      const last = events.at(-1);
      if (last) yield { events, cursor: { position: last.position, offset: 0 } };
    },
    async *select(streams) {
      for (const stream of streams) yield* store.readStream(stream);
    },
    holds: (event) => holdsEvent(store, event),
    async identity() {
      for await (const { id } of all(undefined, 1)) return storeIdentity(id);
      return storeIdentity('empty');
    },
    close: async () => {},
  };
}

/** A store and its file are the same history. Only appends change it. */
export function storeIdentity(firstEvent: string): SourceIdentity {
  return { history: `store-${hash('sha256', firstEvent).slice(0, 16)}`, stamp: '' };
}
