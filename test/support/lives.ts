import type { LineageRow } from '../../src/projections/lineage.ts';

const START = Date.parse('2026-01-01T00:00:00.000Z');

/**
 * A life in generation 0 without parents, born `bornPosition` minutes after the first. `given` overrides its
 * fields.
 */
export function life(node: string, given: Partial<LineageRow> = {}): LineageRow {
  const bornPosition = given.bornPosition ?? 0;
  return {
    node,
    parents: [],
    cause: 'genesis',
    species: 'mathematical',
    generation: 0,
    genome: {
      modelA: 'mini-a',
      modelB: 'mini-b',
      specialization: 'mathematical',
      promptTemplates: { system: '', user: '{question}' },
      samplingParams: { temperature: 0.7, topP: 0.9, topK: 40, contextTokens: 512, maxTokens: 64 },
    },
    mutations: [],
    bornIn: 'c1',
    cluster: 'c1',
    bornAt: minutes(bornPosition),
    bornPosition,
    endedAt: null,
    end: null,
    fitness: [],
    offspring: 0,
    ...given,
  };
}

/** The time that is this many minutes after the first birth. */
export function minutes(count: number): string {
  return new Date(START + 60_000 * count).toISOString();
}

const SPECIES = ['mathematical', 'programming', 'creative', 'analytical', 'factual'] as const;

/**
 * Lives of a population under selection: `generations` cycles over `slots` slots. In each cycle a fifth of the
 * Nodes end, and children of the others take their slots. `draw` gives numbers in [0, 1).
 */
export function population(slots: number, generations: number, draw: () => number): LineageRow[] {
  const pick = <Item>(items: readonly Item[], fallback: Item): Item =>
    items[Math.floor(draw() * items.length)] ?? fallback;
  const lives: LineageRow[] = [];
  const bear = (generation: number, parents: readonly LineageRow[]): LineageRow => {
    const inherited = parents[0]?.genome.specialization ?? pick(SPECIES, 'creative');
    const specialization = draw() < 0.12 ? pick(SPECIES, 'creative') : inherited;
    const born = life(`n-${lives.length}`, {
      parents: parents.map(({ node }) => node),
      cause: ['genesis', 'mutation', 'crossover'][parents.length] ?? 'genesis',
      species: specialization,
      generation,
      genome: { ...life('').genome, specialization },
      bornAt: minutes(60 * generation + draw()),
      bornPosition: lives.length,
    });
    lives.push(born);
    return born;
  };
  let living = Array.from({ length: slots }, () => bear(0, []));
  for (let generation = 1; generation <= generations; generation += 1) {
    const ended = new Set<string>();
    while (ended.size < Math.floor(slots / 5)) ended.add(pick(living, living[0] ?? life('')).node);
    for (const [index, one] of lives.entries()) {
      if (ended.has(one.node)) lives[index] = { ...one, endedAt: minutes(60 * generation) };
    }
    living = living.filter(({ node }) => !ended.has(node));
    const elite = living.filter(() => draw() < 0.25);
    const [first = life('')] = living;
    for (const _ of ended) {
      const parents = draw() < 0.3 ? [pick(elite, first), pick(living, first)] : [pick(elite, first)];
      living.push(bear(generation, parents));
    }
  }
  return lives;
}
