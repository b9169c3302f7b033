import { describe, expect, it } from 'vitest';
import type { Recorded } from '../projections/projection.ts';
import { MemoryModel } from '../replay/memory-model.ts';
import { clusterFields, counts, TOTAL } from './population-rows.ts';

function folded(
  ...events: readonly { type: Recorded['type']; stream: string; data?: object }[]
): MemoryModel {
  const model = new MemoryModel([clusterFields, counts]);
  for (const event of events) model.apply({ data: {}, ...event } as unknown as Recorded);
  return model;
}

describe('the fields of a Cluster', () => {
  const formed = (cluster: string, specialization: string) => ({
    type: 'ClusterFormed' as const,
    stream: `cluster-${cluster}`,
    data: { cluster, specialization },
  });

  it('stay with both parts of a split, and go with a merger, once each', () => {
    const model = folded(
      formed('a', 'maths'),
      formed('b', 'code'),
      { type: 'ClusterMerged', stream: 'cluster-b', data: { into: 'a' } },
      { type: 'ClusterSplit', stream: 'cluster-a', data: { into: 'c' } },
      formed('c', 'maths'),
      { type: 'ClusterMerged', stream: 'cluster-c', data: { into: 'a' } },
    );
    expect(Object.fromEntries(model.rows(clusterFields))).toEqual({
      a: ['maths', 'code'],
      b: ['code'],
      c: ['maths', 'code'],
    });
  });
});

describe('the counts of a population', () => {
  it('are of births after genesis, of cullings, and of judged answers', () => {
    const born = (cause: string) => ({ type: 'NodeBorn' as const, stream: 'node-n', data: { cause } });
    const judged = (correct: boolean) => ({
      type: 'GoldTaskJudged' as const,
      stream: 'cluster-a',
      data: { correct },
    });
    const model = folded(
      born('genesis'),
      born('mutation'),
      born('crossover'),
      { type: 'NodeCulled', stream: 'node-n' },
      judged(true),
      judged(false),
      judged(true),
    );
    expect(model.rows(counts).get(TOTAL)).toEqual({ born: 2, culled: 1, judged: 3, right: 2 });
  });
});
