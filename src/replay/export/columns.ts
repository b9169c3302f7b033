import { canonicalJson } from '../../events/envelope.ts';
import { happenedAt } from '../happened-at.ts';
import type { PlacedEvent } from '../history-file.ts';

/** An event as a row of a table: the same columns in every tabular export, in the order of the history. */
export interface EventRow {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  /** The event's own time (ISO 8601); empty if it has none. */
  readonly at: string;
  readonly id: string;
  readonly message_id: string;
  readonly causation_id: string;
  readonly correlation_id: string;
  readonly schema_version: number;
  readonly prev_hash: string;
  /** Canonical JSON. */
  readonly data: string;
}

export function rowOf(event: PlacedEvent): EventRow {
  const { stream, revision, type, id, data } = event;
  const metadata = event.metadata as Readonly<Record<string, unknown>>;
  const { schemaVersion } = metadata;
  return {
    stream,
    revision,
    type,
    at: happenedAt(event),
    id,
    message_id: textOf(metadata.messageId),
    causation_id: textOf(metadata.causationId),
    correlation_id: textOf(metadata.correlationId),
    schema_version: typeof schemaVersion === 'number' ? schemaVersion : 0,
    prev_hash: textOf(metadata.prevHash),
    data: canonicalJson(data),
  };
}

export const COLUMN_NAMES = [
  'stream',
  'revision',
  'type',
  'at',
  'id',
  'message_id',
  'causation_id',
  'correlation_id',
  'schema_version',
  'prev_hash',
  'data',
] as const satisfies readonly (keyof EventRow)[];

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
