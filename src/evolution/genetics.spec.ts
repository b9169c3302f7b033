import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawing } from '../../test/support/draws.ts';
import {
  EvolutionMode,
  type EvolutionSettings,
  type GenePool,
  Mutation,
  MutationKind,
  Strategy,
  Tier,
} from '../events/evolution.ts';
import { Genome } from '../events/values.ts';
import {
  type Bred,
  breed,
  carriesPair,
  crossover,
  GenePoolError,
  type Parent,
  randomGenome,
} from './genetics.ts';
import { RATES } from './modes.ts';

const ALL = [...Tier.options];
const POOL: GenePool = {
  models: [
    { id: 'small', tiers: ALL },
    { id: 'smaller', tiers: ALL },
    { id: 'tiny', tiers: ALL },
    { id: 'big', tiers: ['mid', 'high'] },
    { id: 'huge', tiers: ['high'] },
  ],
  specializations: ['mathematical', 'creative', 'logical'],
  promptTemplates: [
    { system: '', user: '{question}' },
    { system: 'Be precise.', user: '{question}' },
    { system: 'Think step by step.', user: 'Question: {question}' },
  ],
  contextTokens: [256, 1024, 4096],
  maxTokens: 128,
};

const GENOME: Genome = {
  modelA: 'small',
  modelB: 'tiny',
  specialization: 'mathematical',
  promptTemplates: { system: '', user: '{question}' },
  samplingParams: { temperature: 0.2, topP: 0.95, topK: 40, contextTokens: 1024, maxTokens: 128 },
};

const SETTINGS: EvolutionSettings = {
  strategy: 'evolution',
  tasksPerGeneration: 100,
  generationMs: 60_000,
  minTasks: 10,
  cullShare: 0.2,
  eliteShare: 0.2,
  variants: [2, 3],
  mutations: [...MutationKind.options],
  crossover: true,
  adaptiveModes: true,
  goldShare: 0.1,
  genePool: POOL,
};

function genome(change: Partial<Omit<Genome, 'samplingParams'>>, temperature = 0.2): Genome {
  return { ...GENOME, ...change, samplingParams: { ...GENOME.samplingParams, temperature } };
}

const parent = (node: string, seed: number): Parent => ({
  node,
  genome: randomGenome(POOL, 'high', drawing(seed)),
  species: `species-of-${node}`,
});

function offspring(seed: number, change: Partial<Parameters<typeof breed>[0]> = {}): Bred {
  return breed({
    strategy: 'evolution',
    parents: [parent('p', 1), parent('q', 2), parent('r', 3)],
    settings: SETTINGS,
    rates: RATES.normal,
    tier: 'high',
    index: seed,
    draw: drawing(seed),
    ...change,
  });
}

/** The only parent's offspring with one mutation, and what was changed in that way. */
function mutant(
  of: Genome,
  kind: MutationKind,
  tier: Tier | null,
  seed: number,
  genePool = POOL,
): Pick<Bred, 'genome' | 'mutations'> {
  const { genome: bred, mutations } = offspring(seed, {
    parents: [{ node: 'p', genome: of, species: 's' }],
    settings: { ...SETTINGS, mutations: [kind], genePool },
    rates: { immigration: 0, crossover: 0, mutations: [1, 1] },
    tier,
  });
  return { genome: bred, mutations: mutations.filter((one) => one.kind === kind) };
}

const many = (change?: Partial<Parameters<typeof breed>[0]>): Bred[] =>
  Array.from({ length: 1000 }, (_, seed) => offspring(seed, change));
const shareOf = (all: readonly Bred[], cause: Bred['cause']) =>
  all.filter((one) => one.cause === cause).length / all.length;

const seeds = fc.nat();
const tiers = fc.constantFrom(null, ...Tier.options);
const decimals = (most: number, least = 0) =>
  fc.integer({ min: least, max: most * 100 }).map((hundredths) => hundredths / 100);
const genomes = fc.record({
  modelA: fc.constantFrom(...POOL.models.map(({ id }) => id), 'not-in-the-pool'),
  modelB: fc.constantFrom(...POOL.models.map(({ id }) => id), 'not-in-the-pool'),
  specialization: fc.constantFrom(...POOL.specializations, 'unheard-of'),
  promptTemplates: fc.constantFrom(...POOL.promptTemplates),
  samplingParams: fc.record({
    temperature: decimals(2),
    topP: decimals(1, 1),
    topK: fc.nat(1000),
    contextTokens: fc.integer({ min: 64, max: 131_072 }),
    maxTokens: fc.integer({ min: 1, max: 8192 }),
  }),
});

describe('crossover', () => {
  it('is the founding document’s example', () => {
    const a = genome({ specialization: 'math', modelA: 'llama-1b', modelB: 'qwen-05b' }, 0.2);
    const b = genome({ specialization: 'general', modelA: 'phi-27b', modelB: 'llama-1b' }, 0.4);
    const [first, second] = crossover(a, b);
    expect([first.samplingParams.temperature, first.specialization, first.modelA, first.modelB]).toEqual([
      0.3,
      'math',
      'llama-1b',
      'phi-27b',
    ]);
    expect([second.samplingParams.temperature, second.specialization, second.modelA, second.modelB]).toEqual([
      0.3,
      'general',
      'phi-27b',
      'qwen-05b',
    ]);
  });

  it('averages topP and topK, and takes prompts and windows from the parent that gives the specialization', () => {
    const a = { ...GENOME, samplingParams: { ...GENOME.samplingParams, topP: 0.9, topK: 40 } };
    const b: Genome = {
      ...GENOME,
      specialization: 'logical',
      promptTemplates: { system: 'Be precise.', user: '{question}' },
      samplingParams: { temperature: 0.6, topP: 1, topK: 10, contextTokens: 4096, maxTokens: 64 },
    };
    const [first, second] = crossover(a, b);
    expect(first.samplingParams).toEqual({
      temperature: 0.4,
      topP: 0.95,
      topK: 25,
      contextTokens: 1024,
      maxTokens: 128,
    });
    expect(second.samplingParams).toMatchObject({ contextTokens: 4096, maxTokens: 64 });
    expect(second.promptTemplates.system).toBe('Be precise.');
  });

  it('holds two different models wherever the parents have two between them', () => {
    const a = genome({ modelA: 'x', modelB: 'y' });
    const b = genome({ modelA: 'x', modelB: 'z' });
    expect(crossover(a, b).map(({ modelA, modelB }) => [modelA, modelB])).toEqual([
      ['x', 'z'],
      ['x', 'y'],
    ]);
    fc.assert(
      fc.property(genomes, genomes, (first, second) => {
        const models = new Set([first.modelA, first.modelB, second.modelA, second.modelB]);
        for (const child of crossover(first, second)) {
          expect(child.modelA === child.modelB).toBe(models.size === 1);
          expect(models).toContain(child.modelA);
          expect(models).toContain(child.modelB);
          expect(Genome.parse(child)).toEqual(child);
        }
      }),
    );
  });
});

describe('mutation', () => {
  it('moves one parameter one step: temperature by exactly 0.1, most often of all', () => {
    const moves = new Map<string, number>();
    for (let seed = 0; seed < 500; seed += 1) {
      const { genome: moved, mutations } = mutant(GENOME, 'parameters', 'high', seed);
      const [mutation] = mutations;
      expect(mutations).toHaveLength(1);
      const { temperature, topP, topK, contextTokens } = moved.samplingParams;
      switch (mutation?.field) {
        case 'samplingParams.temperature':
          expect([0.1, 0.3]).toContain(temperature);
          break;
        case 'samplingParams.topP':
          expect([0.9, 1]).toContain(topP);
          break;
        case 'samplingParams.topK':
          expect([20, 80]).toContain(topK);
          break;
        default:
          expect([256, 4096]).toContain(contextTokens);
      }
      const move = `${mutation?.field} ${mutation?.to}`;
      moves.set(move, (moves.get(move) ?? 0) + 1);
    }
    expect(moves.size).toBe(8); // both directions of all four
    const temperature = [...moves].filter(([name]) => name.includes('temperature'));
    expect(temperature.reduce((sum, [, count]) => sum + count, 0) / 500).toBeCloseTo(4 / 9, 1);
  });

  it('turns at the bounds', () => {
    fc.assert(
      fc.property(genomes, seeds, (before, seed) => {
        const { genome: after, mutations } = mutant(before, 'parameters', null, seed);
        expect(Genome.parse(after)).toEqual(after);
        expect(mutations).toHaveLength(1);
        const [mutation] = mutations;
        if (mutation?.field !== 'samplingParams.temperature') return;
        expect(Math.abs(Number(mutation.to) - Number(mutation.from))).toBeCloseTo(0.1, 10);
      }),
    );
    const cold = Array.from({ length: 200 }, (_, seed) => mutant(genome({}, 0), 'parameters', 'high', seed));
    expect(new Set(cold.map((one) => one.genome.samplingParams.temperature))).toEqual(new Set([0, 0.1]));
  });

  it('records no more than the beginning of a long prompt', () => {
    const long = { system: 'x'.repeat(5000), user: `${'y'.repeat(5000)}{question}` };
    const pool = { ...POOL, promptTemplates: [long] };
    const { genome: bred, mutations } = mutant(GENOME, 'prompt', 'high', 1, pool);
    expect(bred.promptTemplates).toEqual(long);
    expect(mutations).toEqual([
      { kind: 'prompt', field: 'promptTemplates.system', from: '', to: 'x'.repeat(4096) },
      { kind: 'prompt', field: 'promptTemplates.user', from: '{question}', to: 'y'.repeat(4096) },
    ]);
    const { mutations: back } = mutant({ ...GENOME, promptTemplates: long }, 'prompt', 'high', 1);
    expect(back.map(({ from }) => from)).toEqual(['x'.repeat(4096), 'y'.repeat(4096)]);
  });

  it('changes a prompt whose system or user part differs', () => {
    const half = (system: string, user: string) => {
      const pool = { ...POOL, promptTemplates: [GENOME.promptTemplates, { system, user }] };
      return mutant(GENOME, 'prompt', 'high', 1, pool).mutations.map(({ field }) => field);
    };
    expect(half('Be precise.', '{question}')).toEqual(['promptTemplates.system']);
    expect(half('', 'Q: {question}')).toEqual(['promptTemplates.user']);
  });

  it('takes topK 0, which is no limit, for more than any limit', () => {
    const unlimited = { ...GENOME, samplingParams: { ...GENOME.samplingParams, topK: 0 } };
    const mutants = Array.from({ length: 200 }, (_, seed) => mutant(unlimited, 'parameters', 'high', seed));
    expect(new Set(mutants.map((one) => one.genome.samplingParams.topK))).toEqual(new Set([0, 160]));
  });

  it('takes another specialization or another prompt of the pool', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const other = mutant(GENOME, 'specialization', null, seed);
        expect(['creative', 'logical']).toContain(other.genome.specialization);
        const prompt = mutant(GENOME, 'prompt', null, seed);
        expect(POOL.promptTemplates.slice(1)).toContainEqual(prompt.genome.promptTemplates);
        expect(prompt.mutations[0]).toMatchObject({ kind: 'prompt', from: '' });
      }),
    );
  });

  it('swaps one model for another one that the device carries and the partner is not', () => {
    fc.assert(
      fc.property(seeds, tiers, (seed, tier) => {
        const { genome: swapped, mutations } = mutant(GENOME, 'model', tier, seed);
        const carried = tier === 'high' ? ['big', 'huge'] : tier === 'mid' ? ['big'] : [];
        expect(['smaller', ...carried]).toContain(mutations[0]?.to);
        expect(swapped.modelA).not.toBe(swapped.modelB);
        expect([swapped.modelA === 'small', swapped.modelB === 'tiny'].filter(Boolean)).toHaveLength(1);
      }),
    );
  });

  it('changes nothing, and says so, where the pool has nothing else', () => {
    const only: GenePool = {
      ...POOL,
      models: POOL.models.filter(({ id }) => id === 'small' || id === 'tiny'),
      specializations: ['mathematical'],
      promptTemplates: [GENOME.promptTemplates],
    };
    for (const kind of ['specialization', 'prompt', 'model'] as const) {
      expect(mutant(GENOME, kind, 'high', 1, only)).toEqual({ genome: GENOME, mutations: [] });
    }
    const bred = many({
      parents: [{ node: 'p', genome: GENOME, species: 's' }],
      settings: { ...SETTINGS, genePool: only },
    });
    expect(new Set(bred.flatMap((one) => one.mutations.map(({ kind }) => kind)))).toEqual(
      new Set(['parameters']),
    );
    expect(bred.every((one) => one.mutations.length === 1)).toBe(true);
  });
});

describe('a random genome', () => {
  it('is made of the pool, for any device', () => {
    fc.assert(
      fc.property(seeds, tiers, (seed, tier) => {
        const random = randomGenome(POOL, tier, drawing(seed));
        expect(Genome.parse(random)).toEqual(random);
        expectInPool(random, tier);
        expect(POOL.specializations).toContain(random.specialization);
        expect(POOL.contextTokens).toContain(random.samplingParams.contextTokens);
      }),
    );
  });

  it('begins in the range of the first species', () => {
    const drawn = (value: number) => randomGenome(POOL, 'high', () => value);
    expect(drawn(0).samplingParams).toEqual({
      temperature: 0,
      topP: 0.5,
      topK: 1,
      contextTokens: 256,
      maxTokens: 128,
    });
    expect(drawn(0.5).samplingParams).toMatchObject({ temperature: 0.5, topP: 0.75, topK: 20 });
    expect(drawn(0.999)).toMatchObject({
      modelA: 'huge',
      modelB: 'big',
      specialization: 'logical',
      promptTemplates: { system: 'Think step by step.', user: 'Question: {question}' },
      samplingParams: { temperature: 1, topP: 1, topK: 160, contextTokens: 4096 },
    });
  });

  it('cannot be made for a device that carries fewer than two models', () => {
    const heavy: GenePool = { ...POOL, models: POOL.models.filter(({ tiers: only }) => only.length < 4) };
    expect(() => randomGenome(heavy, 'low', drawing(1))).toThrow(GenePoolError);
    expect(() => randomGenome(heavy, 'mid', drawing(1))).toThrow(
      'The gene pool has no two models that a device of tier mid carries, so nothing was bred for it. Add models for that tier to the gene pool, or lend no slots on such devices.',
    );
    expect(() => randomGenome(heavy, null, drawing(1))).toThrow(
      'models that a device without a tier carries',
    );
    expect(new GenePoolError('mid')).toMatchObject({ name: 'GenePoolError', tier: 'mid' });
    expect(() => offspring(1, { tier: null, settings: { ...SETTINGS, genePool: heavy } })).toThrow(
      GenePoolError,
    );
    expectInPool(randomGenome(heavy, 'high', drawing(1)), 'high');
    const able = [null, ...Tier.options].filter((tier) => carriesPair(heavy, tier));
    expect(able).toEqual(['high']);
  });
});

describe('breeding', () => {
  it('lets the elites take turns', () => {
    const mutants = Array.from({ length: 6 }, (_, index) =>
      offspring(7, { index, settings: { ...SETTINGS, crossover: false } }),
    );
    expect(mutants.map(({ parents }) => parents)).toEqual([['p'], ['q'], ['r'], ['p'], ['q'], ['r']]);
    expect(mutants.map(({ species }) => species).slice(0, 2)).toEqual(['species-of-p', 'species-of-q']);
  });

  it('gives a crossover the specialization and species of its first parent, unless that mutated', () => {
    const elites = [parent('p', 1), parent('q', 2), parent('r', 3)];
    const crossed = many({ settings: { ...SETTINGS, mutations: [] } }).filter(
      ({ cause }) => cause === 'crossover',
    );
    expect(crossed.length).toBeGreaterThan(100);
    for (const { parents, species, genome: child, mutations } of crossed) {
      const giver = elites.find(({ node }) => node === parents[0]) ?? expect.fail('an unknown parent');
      expect(species).toBe(giver.species);
      expect(child.specialization).toBe(giver.genome.specialization);
      expect(child.modelA).toBe(giver.genome.modelA);
      expect(mutations).toEqual([]);
    }
    // each of the three with each other, either first, and never with itself
    expect(new Set(crossed.map(({ parents }) => parents.join())).size).toBe(6);
    expect(crossed.every(({ parents: [first, second] }) => first !== second)).toBe(true);
  });

  it.each(EvolutionMode.options)('follows the shares and counts of mode %s', (mode) => {
    const rates = RATES[mode];
    const all = many({ rates });
    expect(Math.abs(shareOf(all, 'crossover') - rates.crossover)).toBeLessThan(0.05);
    expect(Math.abs(shareOf(all, 'immigration') - rates.immigration)).toBeLessThan(0.05);
    const counts = (cause: Bred['cause']) =>
      all
        .filter((one) => one.cause === cause)
        .map(
          (one) => new Set(one.mutations.map(({ kind, field }) => (kind === 'prompt' ? kind : field))).size,
        );
    const [least, most] = rates.mutations;
    const mutants = counts('mutation');
    if (mutants.length > 0) {
      expect(Math.min(...mutants)).toBe(least);
      expect(Math.max(...mutants)).toBe(most);
    }
    expect(Math.min(...counts('crossover'))).toBe(0);
    expect(Math.max(...counts('crossover'))).toBe(most);
  });

  it('mutates specialization more than any other kind, in mode normal', () => {
    const kinds = many().flatMap((one) => [...new Set(one.mutations.map(({ kind }) => kind))]);
    const count = (kind: MutationKind) => kinds.filter((one) => one === kind).length;
    for (const kind of ['parameters', 'prompt', 'model'] as const) {
      expect(count('specialization')).toBeGreaterThan(count(kind));
      expect(count(kind)).toBeGreaterThan(0);
    }
  });

  it('keeps to the kinds of mutation that the settings allow', () => {
    const bred = many({ settings: { ...SETTINGS, mutations: ['prompt'] }, rates: RATES.crisis });
    expect(new Set(bred.flatMap((one) => one.mutations.map(({ kind }) => kind)))).toEqual(
      new Set(['prompt']),
    );
  });

  it('breeds only random genomes for the controls, and where there is no parent', () => {
    for (const change of [
      { strategy: 'random-search' },
      { strategy: 'best-of-n' },
      { parents: [] },
    ] as const) {
      const bred = offspring(3, change);
      expect(bred).toMatchObject({ cause: 'immigration', parents: [], species: 'immigrant', mutations: [] });
    }
  });

  it('crosses nobody with itself', () => {
    const alone = many({ parents: [parent('p', 1)], rates: { ...RATES.normal, crossover: 1 } });
    expect(shareOf(alone, 'mutation')).toBe(1);
  });

  it('replaces models that the device does not carry, and records it', () => {
    const heavy = { node: 'p', genome: genome({ modelA: 'huge', modelB: 'small' }), species: 's' };
    const bred = offspring(1, { parents: [heavy], tier: 'low', settings: { ...SETTINGS, mutations: [] } });
    expect(bred.mutations).toMatchObject([{ kind: 'model', field: 'modelA', from: 'huge' }]);
    expect(['smaller', 'tiny']).toContain(bred.genome.modelA);
  });

  it('always makes a genome that is valid, in the pool, on the tier, and explained by its record', () => {
    const options = fc.record({
      strategy: fc.constantFrom(...Strategy.options),
      parents: fc.array(
        fc.record({ node: fc.constantFrom('p', 'q', 'r'), genome: genomes, species: fc.constant('s') }),
        { maxLength: 3 },
      ),
      mode: fc.constantFrom(...EvolutionMode.options),
      tier: tiers,
      index: fc.nat(20),
    });
    fc.assert(
      fc.property(options, seeds, ({ mode, ...option }, seed) => {
        const bred = offspring(seed, { ...option, rates: RATES[mode] });
        expect(Genome.parse(bred.genome)).toEqual(bred.genome);
        expectInPool(bred.genome, option.tier);
        for (const mutation of bred.mutations) Mutation.parse(mutation);
        const fields = bred.mutations.map(({ field }) => field);
        expect(new Set(fields).size).toBe(fields.length);
        for (const { field, to } of bred.mutations) expect(valueAt(bred.genome, field)).toBe(to);
        expect(bred.mutations.length).toBeLessThanOrEqual(16);
      }),
      { numRuns: 300 },
    );
  });

  const once = { immigration: 0, crossover: 0, mutations: [1, 1] as [number, number] };
  const by = (...mutations: MutationKind[]) => ({ settings: { ...SETTINGS, mutations } });
  it.each<[string, Partial<Parameters<typeof breed>[0]>, string]>([
    [
      'an immigrant',
      { rates: { ...once, immigration: 1 } },
      'cause immigrant/modelA immigrant/modelB immigrant/specialization immigrant/prompt immigrant/temperature immigrant/topP immigrant/topK immigrant/contextTokens',
    ],
    [
      'a crossover',
      { rates: { ...once, crossover: 1, mutations: [0, 0] } },
      'cause mate offspring mutations',
    ],
    [
      'two mutations, of which one kind has only one',
      { ...by('specialization', 'prompt'), rates: { ...once, mutations: [2, 2] } },
      'cause mutations mutation-1/kind-of-2 mutation-1/specialization mutation-2/kind-of-2 mutation-2/kind-of-1 mutation-2/prompt',
    ],
    [
      'a parameter',
      by('parameters'),
      'cause mutations mutation-1/kind-of-1 mutation-1/parameter mutation-1/direction',
    ],
    ['a model', by('model'), 'cause mutations mutation-1/kind-of-1 mutation-1/half mutation-1/model'],
    [
      'models that the device does not carry',
      {
        ...by(),
        tier: null,
        parents: [{ node: 'p', genome: genome({ modelA: 'huge', modelB: 'big' }), species: 's' }],
      },
      'cause fit-modelA/model fit-modelB/model mutations',
    ],
  ])('draws for %s by purpose, as recorded generations did', (_what, change, purposes) => {
    const used: string[] = [];
    const draw = (purpose: string) => used.push(purpose) * 0;
    offspring(0, { parents: [parent('p', 1), parent('q', 2)], rates: once, draw, ...change });
    expect(used.join(' ')).toBe(purposes);
  });

  it('uses each draw for one purpose, and records them in order', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const used: string[] = [];
        const bred = offspring(seed, {
          rates: RATES.aggressive,
          draw: (purpose) => {
            used.push(purpose);
            return drawing(seed)(purpose);
          },
        });
        expect(new Set(used).size).toBe(used.length);
        expect(bred.draws).toEqual(used.map(drawing(seed)));
        expect(offspring(seed, { rates: RATES.aggressive })).toEqual(bred);
      }),
    );
  });
});

function expectInPool({ modelA, modelB }: Genome, tier: Tier | null): void {
  expect(modelA).not.toBe(modelB);
  for (const model of [modelA, modelB]) {
    const found = POOL.models.find(({ id }) => id === model) ?? expect.fail(`${model} is not in the pool`);
    if (tier === null) expect(found.tiers).toHaveLength(4);
    else expect(found.tiers).toContain(tier);
  }
}

function valueAt(value: Genome, path: string): unknown {
  return path.split('.').reduce<unknown>((at, key) => Object(at)[key], value);
}
