import { describe, expect, it } from 'vitest';
import { bytes } from '../inference/size.ts';
import { facts, table } from './output.ts';

describe('what people read', () => {
  it('has columns below their titles: texts left, numbers right', () => {
    const rows = [
      { id: 'maths-a', answers: 7 },
      { id: 'fast', answers: 1234 },
    ];
    expect(
      table(rows, [
        { title: 'model', of: (row) => row.id },
        { title: 'n', of: (row) => row.answers },
      ]),
    ).toEqual(['model       n', 'maths-a     7', 'fast     1234']);
  });

  it('has titles also where there are no rows', () => {
    expect(table([], [{ title: 'model', of: String }])).toEqual(['model']);
  });

  it('has facts with their values below each other', () => {
    expect(
      facts([
        ['a', '1'],
        ['long name', '2'],
      ]),
    ).toEqual(['a          1', 'long name  2']);
  });

  it('rounds sizes to what one can tell apart', () => {
    expect([882_432, 676e6, 1.12e9].map(bytes)).toEqual(['882 kB', '676 MB', '1.12 GB']);
  });
});
