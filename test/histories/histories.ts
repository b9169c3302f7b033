import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  type EventMetadata,
  eventId,
  GENESIS_HASH,
  hashOf,
  SCHEMA_VERSION,
} from '../../src/events/envelope.ts';
import type { Cursor, HistoryEvent, PlacedEvent } from '../../src/replay/history-file.ts';
import type { HistorySource } from '../../src/replay/source.ts';

/** What a spec says of an event; everything else follows. */
export interface Told {
  readonly stream: string;
  readonly type: string;
  readonly data?: object;
  readonly messageId?: string;
  /** The event that it followed from, by its index among those told. */
  readonly causedBy?: number;
}

/** A history with true ids, chains and causes. */
export function historyOf(told: readonly Told[]): readonly HistoryEvent[] {
  const heads = new Map<string, HistoryEvent>();
  const events: HistoryEvent[] = [];
  for (const [
    index,
    { stream, type, data = {}, messageId = `message-${index}`, causedBy },
  ] of told.entries()) {
    const before = heads.get(stream);
    const revision = before ? before.revision + 1 : 0;
    const metadata: EventMetadata = {
      schemaVersion: SCHEMA_VERSION,
      messageId,
      causationId: causedBy === undefined ? messageId : (events[causedBy]?.id ?? messageId),
      correlationId: 'test',
      prevHash: before ? hashOf(before) : GENESIS_HASH,
    };
    const id = eventId(stream, revision, type, data, messageId);
    const event = { stream, revision, id, type, data, metadata };
    heads.set(stream, event);
    events.push(event);
  }
  return events;
}

export function placed(events: readonly HistoryEvent[]): readonly PlacedEvent[] {
  return events.map((event, index) => ({ ...event, position: index + 1 }));
}

/** A source for specs: its events in batches of `size`. It counts what is read from it. */
export function sourceOf(
  events: readonly PlacedEvent[],
  size = 100,
): HistorySource & { readonly given: () => number } {
  let given = 0;
  return {
    label: 'the spec',
    unit: 'line',
    given: () => given,
    async *batches(after: Cursor = { position: 0, offset: 0 }) {
      const rest = events.filter(({ position }) => position > after.position);
      for (let start = 0; start < rest.length; start += size) {
        const batch = rest.slice(start, start + size);
        given += batch.length;
        yield { events: batch, cursor: { position: batch.at(-1)?.position ?? 0, offset: 0 } };
      }
    },
    async *select(streams) {
      yield* events.filter(({ stream }) => streams.has(stream));
    },
    holds: async ({ id }, cursor) =>
      events.some((event) => event.id === id && event.position === cursor.position),
    identity: async () => ({ history: 'spec', stamp: '' }),
    close: async () => {},
  };
}

/** A recorded history of this folder, as lines of `history.jsonl`. */
export async function recordedHistory(name: string): Promise<string> {
  return gunzipSync(await readFile(join(import.meta.dirname, `${name}.jsonl.gz`))).toString('utf8');
}
