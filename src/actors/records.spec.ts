import { describe, expect, it } from 'vitest';
import { changed, takenOut } from './records.ts';

const [one, two] = [
  { size: 1, colour: 'red' },
  { size: 2, colour: 'blue' },
];
const entries = Object.freeze({ one: Object.freeze(one), two });

describe('what an actor knows by key', () => {
  it('can change in one entry, which keeps its place', () => {
    const after = changed(entries, 'one', ({ size }) => ({ size: size + 10 }));
    expect(Object.entries(after)).toEqual([
      ['one', { size: 11, colour: 'red' }],
      ['two', two],
    ]);
  });

  it('can do without an entry', () => {
    expect(takenOut(entries, 'one')).toEqual([one, { two }]);
  });

  it('has no entry that it does not know', () => {
    expect(() => changed(entries, 'three', (entry) => entry)).toThrow('Nothing is known under "three".');
    expect(() => takenOut(entries, 'three')).toThrow(RangeError);
  });
});
