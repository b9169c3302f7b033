import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamState } from './commit-check.ts';
import { checkCommit } from './commit-check.ts';

function streamOf(ids: readonly string[], overrides: Partial<StreamState> = {}): StreamState {
  return {
    lastRevision: ids.length - 1,
    deleted: 'no',
    hasMetadata: false,
    idAt: (revision) => ids[revision],
    revisionOf: (id) => {
      const found = ids.lastIndexOf(id);
      return found < 0 ? undefined : found;
    },
    ...overrides,
  };
}

const uniqueIds = (minLength: number, maxLength: number) =>
  fc.uniqueArray(fc.uuid(), { minLength, maxLength });

describe('checking a commit', () => {
  it('recognises any sequence of stored events as a repeat of its append', () => {
    fc.assert(
      fc.property(uniqueIds(1, 8), fc.nat(), fc.nat(), (ids, a, b) => {
        const from = a % ids.length;
        const until = from + 1 + (b % (ids.length - from));
        const repeated = ids.slice(from, until);
        const repeat = { kind: 'idempotent', revision: until - 1 };
        expect(checkCommit(streamOf(ids), from === 0 ? 'no-stream' : from - 1, repeated)).toEqual(repeat);
        expect(checkCommit(streamOf(ids), 'any', repeated)).toEqual(repeat);
      }),
    );
  });

  it('writes new ids at the last revision, and refuses them at any other', () => {
    fc.assert(
      fc.property(uniqueIds(2, 8), fc.nat({ max: 10 }), (all, expected) => {
        const [id = '', ...ids] = all;
        const decision = checkCommit(streamOf(ids), expected, [id]);
        expect(decision.kind).toBe(expected === ids.length - 1 ? 'append' : 'conflict');
      }),
    );
  });

  it('reports corrupted idempotency if only the first ids are stored', () => {
    const conflict = { kind: 'conflict', reason: 'CorruptedIdempotency' };
    expect(checkCommit(streamOf(['a', 'b']), 'no-stream', ['a', 'x'])).toEqual(conflict);
    expect(checkCommit(streamOf(['a']), 'no-stream', ['a', 'x'])).toEqual(conflict);
    expect(checkCommit(streamOf(['a', 'b']), 'any', ['b', 'x'])).toEqual(conflict);
    expect(checkCommit(streamOf(['a', 'b']), 'no-stream', ['x', 'b'])).toEqual({
      kind: 'conflict',
      reason: 'WrongExpectedRevision',
    });
  });

  it('continues a softly deleted stream, except for a writer that expects it to exist', () => {
    const stream = streamOf(['a', 'b'], { deleted: 'soft', hasMetadata: true });
    expect(checkCommit(stream, 'no-stream', ['c'])).toEqual({ kind: 'append' });
    expect(checkCommit(stream, 1, ['c'])).toEqual({ kind: 'append' });
    expect(checkCommit(stream, 'any', ['c'])).toEqual({ kind: 'append' });
    expect(checkCommit(stream, 'stream-exists', ['c'])).toEqual({ kind: 'deleted' });
  });

  it('refuses everything after a tombstone', () => {
    const stream = streamOf(['a'], { deleted: 'tombstone' });
    for (const expected of ['any', 'no-stream', 'stream-exists', 0] as const) {
      expect(checkCommit(stream, expected, ['b'])).toEqual({ kind: 'deleted' });
    }
  });

  it('counts a stream with only metadata as existing', () => {
    expect(checkCommit(streamOf([], { hasMetadata: true }), 'stream-exists', ['a'])).toEqual({
      kind: 'append',
    });
    expect(checkCommit(streamOf([]), 'stream-exists', ['a']).kind).toBe('conflict');
  });
});
