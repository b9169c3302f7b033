import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeFitness, Strategy } from '../events/evolution.ts';
import { type Selection, select } from './selection.ts';

const settings = (strategy: Strategy = 'evolution') => ({
  strategy,
  cullShare: 0.2,
  eliteShare: 0.2,
  variants: [2, 3] as [number, number],
});

function node(id: string, fitness: number | null, judged = 20): NodeFitness {
  return { node: id, judged, right: 0, fitness, score: fitness, byType: [] };
}

/** `n0` is the best. */
const population = (size: number): NodeFitness[] =>
  Array.from({ length: size }, (_, index) => node(`n${index}`, 1 - index / 100));

const run = (fitness: readonly NodeFitness[], strategy?: Strategy, draw = 0): Selection =>
  select(fitness, settings(strategy), () => draw);

describe('selection', () => {
  it('culls the bottom 20 %, lets the top 20 % have 2–3 variants each and keeps the middle', () => {
    const selection = run(population(10));
    expect(selection.elites).toEqual(['n0', 'n1']);
    expect(selection.culled).toEqual([
      { node: 'n8', rank: 9, fitness: 1 - 8 / 100 },
      { node: 'n9', rank: 10, fitness: 1 - 9 / 100 },
    ]);
    expect(selection.kept).toEqual(['n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
    expect(selection.wanted).toBe(4);
    expect(run(population(10), 'evolution', 0.99).wanted).toBe(6);
    expect(selection.rule).toBe(
      'ranked 10 of 10 by fitness: the bottom 20 % are culled (2), the top 20 % have offspring (2)',
    );
  });

  it('draws the variants of each elite by itself, and records the draws', () => {
    const drawn = [0.2, 0.7, 0.5];
    const selection = select(population(15), settings(), (index) => drawn[index] ?? expect.fail('too many'));
    expect(selection).toMatchObject({ wanted: 2 + 3 + 3, draws: drawn });
  });

  it.each([
    [0, 0, 0],
    [1, 0, 0],
    [2, 1, 0],
    [4, 1, 0],
    [5, 1, 1],
    [7, 1, 1],
    [8, 2, 2],
    [13, 3, 3],
    [50, 10, 10],
  ])('of %i judged Nodes takes %i elites and culls %i', (size, elites, culled) => {
    const selection = run(population(size));
    expect([selection.elites.length, selection.culled.length]).toEqual([elites, culled]);
  });

  it('culls no elite, where both shares are half of an odd number', () => {
    const selection = select(population(7), { ...settings(), cullShare: 0.5, eliteShare: 0.5 }, () => 0);
    expect(selection.elites).toEqual(['n0', 'n1', 'n2', 'n3']);
    expect(selection.culled.map((one) => one.node)).toEqual(['n4', 'n5', 'n6']);
  });

  it.each<[Strategy, number, string]>([
    ['evolution', 4, 'fewer than 5, so nobody is culled, the top 20 % have offspring (1)'],
    ['random-search', 5, 'the bottom 20 % are culled (1), the top 20 % have offspring (1)'],
    ['static', 5, 'nobody is culled and nobody is born (strategy static)'],
    ['best-of-n', 5, 'all of them are replaced (strategy best-of-n)'],
  ])('says by which rule it went: %s of %i', (strategy, size, rule) => {
    expect(run(population(size), strategy).rule).toBe(`ranked ${size} of ${size} by fitness: ${rule}`);
  });

  it('lets Nodes on trial go on, ranked last, and does not count them', () => {
    const selection = run([node('new', null, 3), ...population(10), node('newer', null, 1)]);
    expect(selection.onTrial).toEqual(['new', 'newer']);
    expect(selection.ranked.slice(-2).map((one) => one.node)).toEqual(['new', 'newer']);
    expect(selection.culled.map((one) => one.node)).toEqual(['n8', 'n9']);
    expect(selection.rule).toMatch(/^ranked 10 of 12/);
  });

  it('breaks ties by more judged answers, then by id', () => {
    const selection = run([node('b', 0.5, 20), node('c', 0.5, 30), node('a', 0.5, 20)]);
    expect(selection.ranked.map((one) => one.node)).toEqual(['c', 'a', 'b']);
  });

  it('changes nobody when static, and replaces everybody for best-of-n while it notes the best', () => {
    expect(run(population(10), 'static')).toMatchObject({
      culled: [],
      wanted: 0,
      draws: [],
      elites: ['n0', 'n1'],
    });
    const all = run(population(10), 'best-of-n');
    expect(all).toMatchObject({ wanted: 10, draws: [], kept: [], elites: ['n0', 'n1'] });
    expect(all.culled).toHaveLength(10);
    expect(run([], 'best-of-n')).toMatchObject({ wanted: 0, culled: [] });
  });

  it('selects alike for random search', () => {
    const { rule: _, ...evolution } = run(population(23), 'evolution', 0.4);
    expect(run(population(23), 'random-search', 0.4)).toMatchObject(evolution);
  });

  it('puts every Node in one place, the worst below the best, in whatever order they come', () => {
    const fitness = fc.uniqueArray(
      fc.record({
        node: fc.string({ minLength: 1, maxLength: 4 }),
        fitness: fc.option(fc.constantFrom(0, 0.25, 0.5, 0.75, 1)),
        judged: fc.integer({ min: 1, max: 3 }),
      }),
      { selector: (one) => one.node, maxLength: 60 },
    );
    const share = fc.double({ min: 0.01, max: 0.5, noNaN: true });
    fc.assert(
      fc.property(fitness, share, share, fc.nat(), (nodes, cullShare, eliteShare, turn) => {
        const all = nodes.map((one) => node(one.node, one.fitness, one.judged));
        const select1 = (list: readonly NodeFitness[]) =>
          select(list, { ...settings(), cullShare, eliteShare }, () => 0.5);
        const selection = select1(all);
        const culled = selection.culled.map((one) => one.node);
        const places = [...selection.elites, ...culled, ...selection.kept, ...selection.onTrial];
        expect(places.sort()).toEqual(all.map((one) => one.node).sort());
        const fitnessOf = new Map(all.map((one) => [one.node, one.fitness ?? Number.NaN]));
        const best = Math.max(...culled.map((id) => fitnessOf.get(id) ?? 0));
        for (const id of selection.elites) expect(fitnessOf.get(id)).toBeGreaterThanOrEqual(best);
        const start = turn % (all.length + 1);
        expect(select1([...all.slice(start), ...all.slice(0, start)])).toEqual(selection);
      }),
    );
  });
});
