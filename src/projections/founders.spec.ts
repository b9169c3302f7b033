import { describe, expect, it } from 'vitest';
import { tally } from '../evolution/fitness.ts';
import { founderOf, rightAnswersByFounder } from './founders.ts';

const lives = new Map([
  ['seed', { parents: [] }],
  ['other', { parents: [] }],
  ['child', { parents: ['seed'] }],
  ['grandchild', { parents: ['child', 'other'] }],
]);

function answered(taskType: string, ...correct: readonly boolean[]) {
  return correct.reduce<ReturnType<typeof tally> | undefined>(
    (before, one) => tally(before, { taskType, correct: one, responseMs: 100, computeMs: 100 }),
    undefined,
  );
}

describe('a founder', () => {
  it('is the first ancestor along first parents, and its own', () => {
    expect(['seed', 'child', 'grandchild', 'other'].map((node) => founderOf(node, lives))).toEqual([
      'seed',
      'seed',
      'seed',
      'other',
    ]);
  });

  it('is the last one that is known, where older ones are not', () => {
    expect(founderOf('stray', new Map([['stray', { parents: ['unknown'] }]]))).toBe('unknown');
  });

  it('counts what all its living descendants answered rightly, by task type', () => {
    const nodes = [
      { id: 'seed', fitness: answered('a', true, true, false) },
      { id: 'grandchild', fitness: { ...answered('a', true), ...answered('b', true, false) } },
      { id: 'other', fitness: undefined },
    ];
    expect(rightAnswersByFounder(nodes, lives)).toEqual(
      new Map([
        ['seed', { a: 3, b: 1 }],
        ['other', {}],
      ]),
    );
  });
});
