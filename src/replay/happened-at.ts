import type { StoredEvent } from '../eventstore/port.ts';
import type { PlacedEvent } from './history-file.ts';

/** An event's own time; empty if it has none. */
export function happenedAt({ data }: Pick<PlacedEvent, 'data'>): string {
  return 'at' in data && typeof data.at === 'string' ? data.at : '';
}

/** An event as a store would return it. Histories do not keep times of writing, so the event's own time replaces it. */
export function asStored(event: PlacedEvent): StoredEvent {
  // The event was read from JSON, so its data is what a store returns.
  return { ...event, created: happenedAt(event) } as unknown as StoredEvent;
}
