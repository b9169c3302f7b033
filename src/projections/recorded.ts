import { type HashedContent, SCHEMA_VERSION } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { NetworkEvent, Recorded } from './projection.ts';

/** An event as it is stored, in the shape of the release that wrote it, and where it stands in its history. */
export type Stored = HashedContent & { readonly position: number };

/**
 * A stored event as the folds see it, in this release's shape. Its shape was checked when it was appended; `dellm history
 * verify` tells whether it was changed since. Throws `UnknownSchemaVersionError` where a later release wrote it.
 */
export function recordedOf(event: Stored): Recorded {
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
