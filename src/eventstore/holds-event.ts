import type { EventStore, StoredEvent } from './port.ts';
import { StreamDeletedError } from './port.ts';

/** The place of an event in one history. In another history the event has another place, or none. */
export type EventPlace = Pick<StoredEvent, 'stream' | 'revision' | 'position' | 'id'>;

/**
 * Whether the store has exactly this event at exactly this place. If not, the place comes from another history.
 * The event is read from its stream, because a store may refuse positions at which none of its events begins.
 */
export async function holdsEvent(store: EventStore, place: EventPlace): Promise<boolean> {
  const { stream, revision, position, id } = place;
  try {
    for await (const event of store.readStream(stream, { from: revision, limit: 1 })) {
      return event.revision === revision && event.id === id && event.position === position;
    }
  } catch (error) {
    if (!(error instanceof StreamDeletedError)) throw error;
  }
  return false;
}
