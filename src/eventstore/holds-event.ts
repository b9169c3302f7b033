import type { EventStore, StoredEvent } from './port.ts';
import { StreamDeletedError } from './port.ts';

/** Where an event stands in one history; in another history it stands elsewhere, or nowhere. */
export type EventPlace = Pick<StoredEvent, 'stream' | 'revision' | 'position' | 'id'>;

/**
 * Whether the store has exactly this event at exactly this place. If not, whoever has noted the place has followed
 * another history. Read by the stream: a store may refuse positions at which no event of its own begins.
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
