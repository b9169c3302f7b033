import type { ExpectedRevision } from './port.ts';

/** The state of a stream that the check depends on. Revisions count from 0; -1 means that there is none. */
export interface StreamState {
  readonly lastRevision: number;
  readonly deleted: 'no' | 'soft' | 'tombstone';
  /** A stream with only metadata counts as existing. */
  readonly hasMetadata: boolean;
  readonly idAt: (revision: number) => string | undefined;
  readonly revisionOf: (id: string) => number | undefined;
}

/**
 * - `append`: write after `lastRevision`.
 * - `idempotent`: the events are already stored, the last one at `revision`.
 * - `conflict`: refuse.
 * - `deleted`: refuse; the stream does not accept this append.
 */
export type CommitDecision =
  | { readonly kind: 'append' }
  | { readonly kind: 'idempotent'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly reason: 'WrongExpectedRevision' | 'CorruptedIdempotency' }
  | { readonly kind: 'deleted' };

const append: CommitDecision = { kind: 'append' };
const deleted: CommitDecision = { kind: 'deleted' };
const wrongRevision: CommitDecision = { kind: 'conflict', reason: 'WrongExpectedRevision' };
const corrupted: CommitDecision = { kind: 'conflict', reason: 'CorruptedIdempotency' };

/**
 * Decides what an append with these event ids does, by EventStoreDB's rules (its `IndexWriter.CheckCommit`).
 * Only ids are compared, never data: the same id with other data at an old revision counts as a repeat, while
 * the same id at the current revision is written a second time.
 */
export function checkCommit(
  stream: StreamState,
  expected: ExpectedRevision,
  ids: readonly string[],
): CommitDecision {
  if (stream.deleted === 'tombstone') return deleted;
  if (expected === 'stream-exists') {
    if (stream.deleted === 'soft') return deleted;
    if (stream.lastRevision < 0 && !stream.hasMetadata) return wrongRevision;
  }
  if (expected === 'any' || expected === 'stream-exists') return checkByIdAlone(stream, ids);

  const after = expected === 'no-stream' ? -1 : expected;
  if (after > stream.lastRevision) return wrongRevision;
  if (after === stream.lastRevision) return append;

  const firstDifference = ids.findIndex((id, i) => stream.idAt(after + 1 + i) !== id);
  if (firstDifference > 0) return corrupted;
  if (firstDifference === 0) {
    return expected === 'no-stream' && stream.deleted === 'soft' ? append : wrongRevision;
  }
  return ids.length > 0 ? { kind: 'idempotent', revision: after + ids.length } : wrongRevision;
}

function checkByIdAlone(stream: StreamState, ids: readonly string[]): CommitDecision {
  let revision = -1;
  for (const [i, id] of ids.entries()) {
    const found = stream.revisionOf(id);
    if (found === undefined) return i === 0 ? append : corrupted;
    revision = found;
  }
  return revision < 0 ? append : { kind: 'idempotent', revision };
}
