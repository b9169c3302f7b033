import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evolution } from '../../src/projections/evolution.ts';
import { lineage } from '../../src/projections/lineage.ts';
import { evolutionProblems, unfinishedEvolution } from '../support/evolution-history.ts';
import { DULL, evolvingNetwork, SLOTS } from '../support/evolving-network.ts';
import type { LocalNetwork } from '../support/local-network.ts';

describe('evolution in a network in this process', () => {
  let local: LocalNetwork;

  beforeAll(async () => {
    local = await evolvingNetwork();
  });

  afterAll(() => local.close());

  it('completes a generation after enough successful tasks', async () => {
    const events = await local.events('cluster-mathematical');
    const opened = events.filter(({ type }) => type === 'GenerationOpened');
    expect(opened.length).toBeGreaterThan(0);
    expect(opened[0]?.data).toMatchObject({ generation: 1, trigger: 'tasks' });
    expect(events.some(({ type }) => type === 'GenerationClosed')).toBe(true);
  });

  it('culls the worst, and fills their slots and free ones with offspring of the best', () => {
    const lives = [...local.model.rows(lineage)].map(([, row]) => row);
    const ended = lives.filter(({ end }) => end !== null).map(({ node }) => node);
    expect(ended).toEqual(DULL);
    const born = lives.filter(({ generation }) => generation > 0);
    expect(born.length).toBeGreaterThanOrEqual(4);
    for (const { parents, cause } of born) {
      expect(parents.length).toBe(cause === 'crossover' ? 2 : 1);
      for (const parent of parents) expect(DULL).not.toContain(parent);
    }
    expect(born.filter(({ bornIn }) => bornIn === 'mathematical')).toHaveLength(2);
    expect(born.some(({ bornIn }) => bornIn !== 'mathematical')).toBe(true);
  });

  it('loses no Node, and grants no slot twice', async () => {
    expect(evolutionProblems(await local.events(), SLOTS)).toEqual([]);
  });

  it('measures the fitness of the network', () => {
    const state = local.model.row(evolution, 'state');
    expect(state).toMatchObject({ kind: 'state', mode: 'normal' });
    expect(state?.kind === 'state' && state.score).toBeGreaterThan(0.7);
  });

  it('leaves nothing unfinished, and refuses and gives up nothing', async () => {
    expect(unfinishedEvolution(await local.events())).toEqual([]);
    expect(local.transport.deadLetters).toEqual([]);
    expect(local.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
