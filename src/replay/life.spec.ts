import { describe, expect, it } from 'vitest';
import { historyOf, placed, sourceOf, type Told } from '../../test/histories/histories.ts';
import { lifeOf } from './life.ts';
import { editDistance, nearNames } from './near.ts';

const at = '2030-01-01T00:00:00.000Z';
const genome = {
  modelA: 'a',
  modelB: 'b',
  specialization: 'mathematical',
  promptTemplates: { system: '', user: '{question}' },
  samplingParams: { temperature: 0.7, topP: 0.9, topK: 40, contextTokens: 512, maxTokens: 64 },
};
const mutation = { kind: 'parameters', field: 'samplingParams.temperature', from: 0.7, to: 0.8 };

function birth(node: string, parents: readonly string[], cause: string, generation: number): Told {
  const data = {
    node,
    genome,
    species: 's',
    device: 'd',
    owner: 'o',
    cluster: 'x',
    generation,
    parents,
    cause,
    mutations: cause === 'mutation' ? [mutation] : [],
    saga: { kind: 'genesis', id: 'main' },
    at,
  };
  return { stream: `node-${node}`, type: 'NodeBorn', data };
}

function fitness(node: string, value: number | null) {
  return { node, judged: 10, right: 7, fitness: value, score: value, byType: [] };
}

const told: readonly Told[] = [
  birth('x-01', [], 'genesis', 0),
  birth('x-02', [], 'genesis', 0),
  birth('x-03', ['x-01'], 'mutation', 1),
  { stream: 'node-x-03', type: 'VoteCast', data: { taskType: 'math.arithmetic', at } },
  { stream: 'node-x-03', type: 'VoteCast', data: { taskType: 'math.arithmetic', at } },
  { stream: 'node-x-03', type: 'VoteCast', data: { taskType: 'general.facts', at } },
  {
    stream: 'node-x-03',
    type: 'PerformanceRecorded',
    data: { taskType: 'math.arithmetic', correct: true, at },
  },
  {
    stream: 'node-x-03',
    type: 'PerformanceRecorded',
    data: { taskType: 'math.arithmetic', correct: false, at },
  },
  { stream: 'node-x-03', type: 'TaskFailed', data: { at } },
  { stream: 'node-x-03', type: 'TaskRefused', data: { at } },
  { stream: 'node-x-02', type: 'VoteCast', data: { taskType: 'code.debug', at } },
  {
    stream: 'generation-x-1',
    type: 'FitnessEvaluated',
    data: {
      cluster: 'x',
      generation: 1,
      ranking: [fitness('x-01', 2), fitness('x-02', 1), fitness('x-03', null)],
      at,
    },
  },
  {
    stream: 'generation-x-1',
    type: 'SelectionMade',
    data: { elites: ['x-01'], kept: ['x-02'], culled: [], onTrial: ['x-03'], rule: 'first rule', at },
  },
  birth('x-04', ['x-03', 'x-02'], 'crossover', 2),
  { stream: 'node-x-03', type: 'NodeMoved', data: { from: 'x', to: 'y', cause: 'split', at } },
  {
    stream: 'generation-y-2',
    type: 'FitnessEvaluated',
    data: { cluster: 'y', generation: 2, ranking: [fitness('x-02', 1), fitness('x-03', 0.5)], at },
  },
  {
    stream: 'generation-y-2',
    type: 'SelectionMade',
    data: { elites: ['x-02'], kept: [], culled: [{ node: 'x-03' }], onTrial: [], rule: 'bottom 20 %', at },
  },
  {
    stream: 'node-x-03',
    type: 'NodeCulled',
    data: { rule: 'bottom 20 %', rank: 2, of: 2, fitness: 0.5, generation: 2, at },
  },
  { stream: 'node-x-03', type: 'NodeRetired', data: { at } },
];
const source = sourceOf(placed(historyOf(told)));

describe("a Node's life", () => {
  it('runs from birth to end, with the decisions of selection', async () => {
    const life = await lifeOf('x-03', { source, cache: null });
    expect(life).toMatchObject({
      node: 'x-03',
      born: { at, position: 3, cause: 'mutation', cluster: 'x', generation: 1 },
      parents: [{ node: 'x-01', cause: 'genesis', generation: 0, alive: true }],
      mutations: [mutation],
      moves: [{ at, from: 'x', to: 'y', cause: 'split' }],
      cluster: 'y',
      votes: {
        cast: 3,
        missed: 1,
        refused: 1,
        byType: [
          { taskType: 'math.arithmetic', votes: 2, right: 1, wrong: 1 },
          { taskType: 'general.facts', votes: 1, right: 0, wrong: 0 },
        ],
      },
      end: { at, rule: 'bottom 20 %', rank: 2, of: 2, fitness: 0.5, generation: 2 },
      retiredAt: at,
      offspring: [{ node: 'x-04', cause: 'crossover', generation: 2, alive: true }],
      toldTo: { position: told.length },
    });
    expect(
      life.judgements.map(({ generation, rank, of, outcome, rule }) => ({
        generation,
        rank,
        of,
        outcome,
        rule,
      })),
    ).toEqual([
      { generation: 1, rank: 3, of: 2, outcome: 'on-trial', rule: 'first rule' },
      { generation: 2, rank: 2, of: 2, outcome: 'culled', rule: 'bottom 20 %' },
    ]);
  });

  it('that continues has no end', async () => {
    const life = await lifeOf('x-01', { source, cache: null });
    expect(life).toMatchObject({
      end: null,
      retiredAt: null,
      parents: [],
      offspring: [{ node: 'x-03', alive: false }],
    });
  });

  it('of nobody is refused, with the names that come near', async () => {
    await expect(lifeOf('x-3', { source, cache: null })).rejects.toThrow(
      'There is no Node "x-3" in the spec. Did you mean "x-03"',
    );
    await expect(lifeOf('somebody-else', { source, cache: null })).rejects.toThrow(/lists all Nodes/);
  });
});

describe('near names', () => {
  it('are those that little has to be changed in', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance('', 'abc')).toBe(3);
    expect(nearNames('mathematcal-01', ['mathematical-01', 'mathematical-02', 'creative-01'])).toEqual([
      'mathematical-01',
      'mathematical-02',
    ]);
    expect(nearNames('math', ['mathematical-01', 'creative-01'])).toEqual(['mathematical-01']);
  });
});
