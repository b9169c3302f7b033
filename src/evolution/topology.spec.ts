import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClusterView,
  characterise,
  LIMITS,
  type MemberView,
  type OtherCluster,
  reshape,
} from './topology.ts';

let born = 0;
const members = (count: number, specialization = 'logical', region: string | null = null): MemberView[] =>
  Array.from({ length: count }, () => {
    born += 1;
    return { node: `n${String(born).padStart(5, '0')}`, specialization, region };
  });
const self = (list: readonly MemberView[], score: number | null = 0.9): ClusterView => ({
  cluster: 'm',
  members: list,
  score,
});
const other = (cluster: string, change: Partial<OtherCluster> = {}): OtherCluster => ({
  cluster,
  members: 10,
  specialization: 'logical',
  score: 0.8,
  ...change,
});

describe('a Cluster is named by what it is', () => {
  it('specialized, where 70 % share a specialization', () => {
    const list = [...members(7, 'mathematical', 'eu'), ...members(3, 'creative', 'eu')];
    expect(characterise(list, 2)).toEqual({
      kind: 'specialized',
      name: 'Mathematical',
      specialization: 'mathematical',
      share: 0.7,
    });
  });

  it('geographic, where 70 % share a region of a network with several', () => {
    const list = [...members(5, 'mathematical', 'eu'), ...members(3, 'creative', 'eu'), ...members(2)];
    expect(characterise(list, 2)).toEqual({
      kind: 'geographic',
      name: 'Region eu',
      specialization: 'mathematical',
      share: 0.8,
    });
    expect(characterise(list, 1)).toMatchObject({ kind: 'hybrid' });
  });

  it('hybrid otherwise, with the most common specialization, ties by name', () => {
    const list = [...members(3, 'mathematical'), ...members(3, 'creative'), ...members(2, 'logical')];
    expect(characterise(list, 3)).toEqual({
      kind: 'hybrid',
      name: 'Hybrid',
      specialization: 'creative',
      share: 3 / 8,
    });
    expect(characterise([], 3)).toMatchObject({ kind: 'hybrid', share: 0 });
  });
});

describe('a Cluster that is too large', () => {
  it('lets its second most common specialization go', () => {
    const leaving = members(12, 'creative');
    const list = [...members(24, 'mathematical'), ...leaving, ...members(5, 'coding')];
    expect(reshape(self(list), [])).toEqual({
      kind: 'split',
      movers: leaving.map(({ node }) => node),
      cause: '41 members are more than 40: the creative ones leave',
    });
  });

  it('lets a region go where more are of one than of another specialization', () => {
    const list = [
      ...members(14, 'mathematical', 'eu'),
      ...members(8, 'creative', 'eu'),
      ...members(13, 'mathematical', 'us'),
      ...members(6, 'mathematical'),
    ];
    const leaving = list.filter(({ region }) => region === 'us').map(({ node }) => node);
    expect(reshape(self(list.toReversed()), [])).toEqual({
      kind: 'split',
      movers: leaving,
      cause: '41 members are more than 40: the us ones leave',
    });
  });

  it('does not part by a region that all share', () => {
    const list = [...members(36, 'mathematical', 'eu'), ...members(6, 'creative', 'eu')];
    expect(reshape(self(list), [])).toMatchObject({
      cause: '42 members are more than 40: the creative ones leave',
    });
  });

  it('halves by id where no other specialization has enough members for a Cluster', () => {
    const list = [...members(38, 'mathematical'), ...members(4, 'creative')];
    const half = list
      .map(({ node }) => node)
      .sort()
      .slice(21);
    expect(reshape(self(list.toReversed()), [])).toMatchObject({ kind: 'split', movers: half });
  });

  it('stays whole up to 40', () => {
    expect(reshape(self(members(40)), [])).toBeNull();
  });
});

describe('a Cluster that is too small', () => {
  it('joins the best of its specialization that has room', () => {
    const others = [
      other('full', { members: 47, score: 0.99 }),
      other('strange', { specialization: 'creative', score: 0.95 }),
      other('good'),
      other('better', { score: 0.85 }),
      other('unknown', { score: null }),
    ];
    expect(reshape(self(members(4)), others)).toEqual({
      kind: 'merge',
      into: 'better',
      cause: '4 members are fewer than the 5 of a Cluster',
    });
  });

  it('joins a Cluster of another specialization if none has its own', () => {
    const others = [other('strange', { specialization: 'creative' })];
    expect(reshape(self(members(4)), others)).toMatchObject({ into: 'strange' });
    expect(reshape(self(members(4)), [])).toBeNull();
  });

  it('never swaps with another small one: exactly one of the two moves', () => {
    const sizes = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const view = (cluster: string, size: number) => ({ ...self(members(size)), cluster });
        const moves = [
          reshape(view('a', a), [other('b', { members: b })]),
          reshape(view('b', b), [other('a', { members: a })]),
        ];
        expect(moves.filter((move) => move?.kind === 'merge')).toHaveLength(1);
      }),
    );
  });
});

describe('a Cluster that fails', () => {
  it('goes over to the best of its specialization, if it is the worst and below 0.55', () => {
    const others = [other('fair', { score: 0.6 }), other('best', { score: 0.9 })];
    expect(reshape(self(members(8), 0.5), others)).toEqual({
      kind: 'merge',
      into: 'best',
      cause: 'the worst of 3 logical Clusters, with a score of 0.50, below 0.55',
    });
    expect(reshape(self(members(8), 0.55), others)).toBeNull();
    expect(reshape(self(members(8), null), others)).toBeNull();
  });

  it('stays where another one is worse, unmeasured or of another specialization', () => {
    expect(reshape(self(members(8), 0.5), [other('worse', { score: 0.4 })])).toBeNull();
    expect(reshape(self(members(8), 0.5), [other('new', { score: null })])).toBeNull();
    expect(reshape(self(members(8), 0.5), [other('far', { specialization: 'creative' })])).toBeNull();
  });

  it('does not join one that would have to split at once', () => {
    expect(reshape(self(members(8), 0.5), [other('large', { members: 33 })])).toBeNull();
  });

  it('of equally bad ones only one moves', () => {
    const view = (cluster: string) => ({ ...self(members(8), 0.3), cluster });
    expect(reshape(view('a'), [other('b', { score: 0.3 })])).toBeNull();
    expect(reshape(view('b'), [other('a', { score: 0.3 })])).toMatchObject({ into: 'a' });
  });
});

describe('reshaping', () => {
  it('never leaves a Cluster outside of 5–50 Nodes', () => {
    const kinds = fc.constantFrom('logical', 'creative', 'coding');
    const regions = fc.constantFrom('eu', 'us', null);
    const list = fc.array(fc.tuple(kinds, regions), { minLength: 1, maxLength: 50 });
    const score = fc.option(fc.double({ min: 0, max: 1, noNaN: true }));
    const others = fc.uniqueArray(
      fc.record({
        cluster: fc.constantFrom('a', 'b', 'z'),
        members: fc.integer({ min: 5, max: 50 }),
        specialization: kinds,
        score,
      }),
      { selector: (one) => one.cluster },
    );
    fc.assert(
      fc.property(list, score, others, (traits, own, rest) => {
        const all = traits.flatMap(([specialization, region]) => members(1, specialization, region));
        const move = reshape(self(all, own), rest);
        const sizes =
          move?.kind === 'split'
            ? [move.movers.length, all.length - move.movers.length]
            : move?.kind === 'merge'
              ? [all.length + (rest.find((one) => one.cluster === move.into)?.members ?? Number.NaN)]
              : [];
        for (const size of sizes) {
          expect(size).toBeGreaterThanOrEqual(LIMITS.min);
          expect(size).toBeLessThanOrEqual(LIMITS.max);
        }
        if (move?.kind === 'split') {
          expect(new Set(move.movers).size).toBe(move.movers.length);
          expect(all.map(({ node }) => node)).toEqual(expect.arrayContaining([...move.movers]));
        }
        expect(all.length > LIMITS.splitAbove).toBe(move?.kind === 'split');
      }),
      { numRuns: 300 },
    );
  });
});
