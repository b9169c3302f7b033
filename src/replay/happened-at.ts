import type { StoredEvent } from '../eventstore/port.ts';
import type { PlacedEvent } from './history-file.ts';

/** When an event says that it happened; empty where it does not say. */
export function happenedAt({ data }: Pick<PlacedEvent, 'data'>): string {
  return 'at' in data && typeof data.at === 'string' ? data.at : '';
}

/** An event as a store would give it. Times of writing are not kept in histories: when it happened stands in for that. */
export function asStored(event: PlacedEvent): StoredEvent {
  // What was read is JSON, which is what a store gives.
  return { ...event, created: happenedAt(event) } as unknown as StoredEvent;
}
