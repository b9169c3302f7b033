import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { diffFields, diffRows } from './diff.ts';

describe('the difference of rows', () => {
  it('names rows that came, went and changed, with the fields', () => {
    const before = new Map<string, unknown>([
      ['a', { n: 1, genome: { t: 0.7, models: ['x', 'y'] } }],
      ['b', { n: 1 }],
      ['c', { n: 1 }],
    ]);
    const after = new Map<string, unknown>([
      ['d', { n: 4 }],
      ['c', { n: 1 }],
      ['a', { n: 2, genome: { t: 0.8, models: ['x', 'z'] }, end: null }],
    ]);
    expect(diffRows(before, after)).toEqual({
      added: [{ key: 'd', row: { n: 4 } }],
      removed: [{ key: 'b', row: { n: 1 } }],
      changed: [
        {
          key: 'a',
          fields: [
            { field: 'end', from: undefined, to: null },
            { field: 'genome.models', from: ['x', 'y'], to: ['x', 'z'] },
            { field: 'genome.t', from: 0.7, to: 0.8 },
            { field: 'n', from: 1, to: 2 },
          ],
        },
      ],
    });
  });

  it('is nothing between equals, and something between others', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(diffFields(value, JSON.parse(JSON.stringify(value)))).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        if (!same && diffFields(one, other).length === 0) {
          // Members in another order are the same row.
          expect(diffFields(other, one)).toEqual([]);
        }
        if (same) expect(diffFields(one, other)).toEqual([]);
      }),
    );
  });
});
