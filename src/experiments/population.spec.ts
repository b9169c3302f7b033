import { describe, expect, it } from 'vitest';
import { EvolutionSettings } from '../events/evolution.ts';
import { GenesisCommand } from '../events/genesis.ts';
import { parseExperiment } from './config.ts';
import { clusterSizes, type Population, populate, settingsOf } from './population.ts';
import { SIMULATED_GENE_POOL, SIMULATED_MODELS } from './simulated.ts';

const arm = { strategy: 'evolution', overrides: {} } as const;

function born(input: object, seed = 7): Population {
  const config = parseExperiment(input);
  return populate(config, seed, settingsOf(config, arm, SIMULATED_GENE_POOL));
}

function nodesOf({ geneses }: Population) {
  return geneses.flatMap(({ command }) => {
    const read = GenesisCommand.parse(command);
    if (read.type !== 'BeginGenesis') throw new Error('unreachable');
    return read.data.seeds.flatMap(({ nodes }) => nodes);
  });
}

describe('the first generation of an experiment', () => {
  it('is the same for the same seed and another for others', () => {
    expect(born({ nodes: 30 })).toEqual(born({ nodes: 30 }));
    expect(nodesOf(born({ nodes: 30 }, 8))).not.toEqual(nodesOf(born({ nodes: 30 })));
  });

  it('gives every Node its own genome and a device with one slot', () => {
    const population = born({ nodes: 47, clusterSize: 10 });
    const nodes = nodesOf(population);
    expect(nodes).toHaveLength(47);
    expect(new Set(nodes.map(({ node }) => node)).size).toBe(47);
    expect(new Set(nodes.map(({ device }) => device)).size).toBe(47);
    expect(new Set(nodes.map(({ genome }) => JSON.stringify(genome))).size).toBe(47);
    expect(population.devices.map(({ id, slots }) => [id, slots])).toEqual(
      nodes.map(({ device }) => [device, 1]),
    );
  });

  it('has every specialization, as often as any other', () => {
    const counts = new Map<string, number>();
    for (const { genome } of nodesOf(born({ nodes: 50 }))) {
      counts.set(genome.specialization, (counts.get(genome.specialization) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([10, 10, 10, 10, 10]);
  });

  it('names models only where their device carries them', () => {
    const population = born({ nodes: 200, tiers: 'ultra-low,mid' });
    const tiers = new Map(population.devices.map(({ id, tier }) => [id, tier]));
    expect(new Set(tiers.values())).toEqual(new Set(['ultra-low', 'mid']));
    for (const { device, genome } of nodesOf(population)) {
      for (const id of [genome.modelA, genome.modelB]) {
        const model = SIMULATED_MODELS.find((one) => one.id === id);
        expect(model?.tiers).toContain(tiers.get(device));
      }
    }
  });

  it('of 10,000 Nodes comes of several geneses, of which only the first configures evolution', () => {
    const population = born({ engine: 'simulated', nodes: 10_000, clusterSize: 50 });
    expect(nodesOf(population)).toHaveLength(10_000);
    expect(population.geneses).toHaveLength(20);
    const configured = population.geneses.filter(({ command }) => {
      const read = GenesisCommand.parse(command);
      return read.type === 'BeginGenesis' && read.data.evolution !== null;
    });
    expect(configured.map(({ id }) => id)).toEqual(['main']);
    for (const { command } of population.geneses) {
      expect(JSON.stringify(command).length).toBeLessThan(512 * 1024);
    }
  });
});

describe('the sizes of Clusters', () => {
  it.each([
    [50, 10, [10, 10, 10, 10, 10]],
    [47, 10, [10, 10, 9, 9, 9]],
    [5, 50, [5]],
    [9, 5, [9]],
    [12, 5, [6, 6]],
    [51, 50, [26, 25]],
  ])('of %d Nodes, at most %d each, are %j', (nodes, size, sizes) => {
    expect(clusterSizes(nodes, size)).toEqual(sizes);
  });
});

describe('the settings of an arm', () => {
  it('are the founding document’s, with what the experiment and then the arm change', () => {
    const config = parseExperiment({ evolution: { cullShare: 0.1, crossover: false } });
    const settings = settingsOf(
      config,
      { strategy: 'evolution', overrides: { crossover: true } },
      SIMULATED_GENE_POOL,
    );
    expect(EvolutionSettings.parse(settings)).toEqual(settings);
    expect(settings).toMatchObject({
      strategy: 'evolution',
      cullShare: 0.1,
      eliteShare: 0.2,
      variants: [2, 3],
      crossover: true,
      minTasks: 10,
    });
  });

  it('never ask for more judged tasks than a Node gets in its first generation, unless they are told to', () => {
    const few = parseExperiment({ tasksPerNode: 4 });
    expect(settingsOf(few, arm, SIMULATED_GENE_POOL).minTasks).toBe(4);
    const told = parseExperiment({ tasksPerNode: 4, evolution: { minTasks: 8 } });
    expect(settingsOf(told, arm, SIMULATED_GENE_POOL).minTasks).toBe(8);
  });
});
