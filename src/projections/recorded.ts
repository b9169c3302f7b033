import { type HashedContent, SCHEMA_VERSION } from '../events/envelope.ts';
import { upcast } from '../events/upcasters.ts';
import type { NetworkEvent, Recorded } from './projection.ts';

/** An event as it is stored, in the shape of the release that wrote it, with its position. */
export type Stored = HashedContent & { readonly position: number };

/**
 * A stored event as folds get it, in this release's shape. The shape was checked before the append; `dellm
 * history verify` finds later changes. Throws `UnknownSchemaVersionError` if a later release wrote the event.
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
  // The type determines the shape of the data.
  return domainEvent as unknown as Recorded & NetworkEvent;
}
