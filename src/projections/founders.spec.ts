import { describe, expect, it } from 'vitest';
import { tally } from '../evolution/fitness.ts';
import { MemoryModel } from '../replay/memory-model.ts';
import { founders, rightAnswersByFounder } from './founders.ts';
import type { Recorded } from './projection.ts';

function rowsOf(births: Readonly<Record<string, readonly string[]>>) {
  const model = new MemoryModel([founders]);
  for (const [node, parents] of Object.entries(births))
    model.apply({ type: 'NodeBorn', data: { node, parents } } as unknown as Recorded);
  return model.rows(founders);
}

const family = rowsOf({ seed: [], other: [], child: ['seed'], grandchild: ['child', 'other'] });

function answered(taskType: string, ...correct: readonly boolean[]) {
  return correct.reduce<ReturnType<typeof tally> | undefined>(
    (before, one) => tally(before, { taskType, correct: one, responseMs: 100, computeMs: 100 }),
    undefined,
  );
}

describe('a founder', () => {
  it('is the first ancestor along first parents, and the founder of itself', () => {
    expect([...family].map(([key, { founder }]) => [key, founder])).toEqual([
      ['node/seed', 'seed'],
      ['node/other', 'other'],
      ['node/child', 'seed'],
      ['node/grandchild', 'seed'],
    ]);
  });

  it('is the oldest known ancestor if older ones are unknown', () => {
    expect(rowsOf({ stray: ['unknown'] }).get('node/stray')).toEqual({ founder: 'unknown' });
  });

  it('counts the right answers of its living descendants, by task type', () => {
    const nodes = [
      { id: 'seed', fitness: answered('a', true, true, false) },
      { id: 'grandchild', fitness: { ...answered('a', true), ...answered('b', true, false) } },
      { id: 'other', fitness: undefined },
    ];
    expect(rightAnswersByFounder(nodes, family)).toEqual(
      new Map([
        ['seed', { a: 3, b: 1 }],
        ['other', {}],
      ]),
    );
  });
});
