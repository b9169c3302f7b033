import { SCHEMA_VERSION } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { NetworkEvent, Recorded } from '../projections/projection.ts';
import type { PlacedEvent } from './history-file.ts';

/**
 * A stored event as the folds see it, in this release's shape. Its shape was checked when it was appended; `verify` tells
 * whether it was changed since. Throws `UnknownSchemaVersionError` where a later release wrote it.
 */
export function recordedOf(event: PlacedEvent): Recorded {
  const { stream, revision, position, id, type, metadata } = event;
  const { schemaVersion, correlationId } = metadata as Readonly<Record<string, unknown>>;
  const domainEvent = {
    type,
    data: schemaVersion === SCHEMA_VERSION ? event.data : upcast(event),
    stream,
    revision,
    position,
    id,
    correlationId: typeof correlationId === 'string' ? correlationId : '',
  };
  // The type names the shape of the data: they were written together.
  return domainEvent as unknown as Recorded & NetworkEvent;
}

/** When an event says that it happened; empty where it does not say. */
export function happenedAt({ data }: Pick<PlacedEvent, 'data'>): string {
  return 'at' in data && typeof data.at === 'string' ? data.at : '';
}
