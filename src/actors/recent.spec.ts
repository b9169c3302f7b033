import { expect, it } from 'vitest';
import { type RecentKeys, remember } from './recent.ts';

it('remembers the last keys in order: between the limit and twice as many', () => {
  let keys: RecentKeys = [];
  const counts: number[] = [];
  for (let turn = 1; turn <= 10; turn += 1) {
    keys = remember(keys, `k${turn}`, 3);
    counts.push(keys.length);
  }
  expect(counts).toEqual([1, 2, 3, 4, 5, 6, 4, 5, 6, 4]);
  expect(keys).toEqual(['k7', 'k8', 'k9', 'k10']);
});

it('cuts what was remembered under a larger limit', () => {
  expect(remember(['a', 'b', 'c', 'd', 'e'], 'f', 2)).toEqual(['d', 'e', 'f']);
});
