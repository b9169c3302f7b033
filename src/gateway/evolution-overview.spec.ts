import type { NatsConnection } from 'nats';
import { describe, expect, it } from 'vitest';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import { EvolutionOutput } from '../projections/evolution.ts';
import { PROJECTIONS } from '../projections/index.ts';
import { NodesOutput } from '../projections/nodes.ts';
import type { Recorded } from '../projections/projection.ts';
import { ReadModel } from '../projections/read-model.ts';
import { readEndpoints } from './read-service.ts';

const AT = '2026-01-05T10:00:00.000Z';
const GENOME = {
  modelA: 'maths-a',
  modelB: 'maths-b',
  specialization: 'mathematical',
  promptTemplates: { system: '', user: '{question}' },
  samplingParams: { temperature: 0.2, topP: 0.95, topK: 40, contextTokens: 256, maxTokens: 128 },
};

/** Cluster `a` is in its second generation, which culled `n2` and bred `n3`. Cluster `b` waits for its first. */
function model(): ReadModel {
  const model = new ReadModel(':memory:', PROJECTIONS);
  let position = 0;
  const tell = (type: string, stream: string, data: object) => {
    position += 1;
    const place = { id: `e${position}`, stream, revision: position, position, correlationId: 'c' };
    // Only the fields that the projections read.
    model.apply({ type, data: { ...data, at: AT }, ...place } as unknown as Recorded);
  };
  for (const cluster of ['a', 'b']) {
    tell('ClusterFormed', `cluster-${cluster}`, { cluster, name: cluster, specialization: 'mathematical' });
  }
  const bear = (node: string, cluster: string, parents: readonly string[] = []) => {
    const birth = { node, cluster, parents, device: 'd', owner: 'o', species: 's', genome: GENOME };
    tell('NodeBorn', `node-${node}`, {
      ...birth,
      generation: parents.length,
      cause: 'genesis',
      mutations: [],
    });
    tell('NodeAdmitted', `cluster-${cluster}`, { node });
  };
  const record = (node: string, taskType: string, correct: boolean) =>
    tell('PerformanceRecorded', `node-${node}`, {
      taskId: `t${position}`,
      taskType,
      correct,
      basis: 'gold',
      answerKind: 'number',
      responseMs: 100,
      computeMs: 100,
    });
  for (const [node, cluster] of [
    ['n1', 'a'],
    ['n2', 'a'],
    ['n4', 'b'],
  ] as const) {
    bear(node, cluster);
  }
  for (const [generation, scores, culled, born] of [
    [1, [null, null], 0, 0],
    [2, [0.9, 0.5], 1, 1],
  ] as const) {
    const stream = `generation-a-${generation}`;
    tell('GenerationBegun', stream, { cluster: 'a', generation, mode: 'normal', members: ['n1', 'n2'] });
    const ranking = scores.map((score, n) => ({
      node: `n${n + 1}`,
      judged: 4,
      right: 2,
      fitness: score,
      score,
    }));
    tell('FitnessEvaluated', stream, { cluster: 'a', generation, ranking });
    if (culled > 0) {
      tell('NodeCulled', 'node-n2', { rule: 'r', rank: 2, of: 2, fitness: 0.5, generation });
      tell('NodeDismissed', 'cluster-a', { node: 'n2' });
      tell('NodeRetired', 'node-n2', { node: 'n2' });
      bear('n3', 'a', ['n1']);
    }
    tell('GenerationCompleted', stream, { cluster: 'a', generation, culled, born });
    tell('GenerationClosed', 'cluster-a', { generation, culled, born });
  }
  for (const node of ['n1', 'n3']) for (const correct of [true, true, false]) record(node, 'sums', correct);
  for (const correct of [true, true, true, true]) record('n4', 'poems', correct);
  record('n2', 'sums', true); // it is retired: it counts no more
  tell('NetworkFitnessMeasured', 'superCluster-main', { generation: 'a-2', cluster: 'a', score: 0.7 });
  tell('EvolutionModeChanged', 'superCluster-main', { from: 'normal', to: 'increased', score: 0.7 });
  return model;
}

const endpoints = readEndpoints({
  nc: {} as NatsConnection, // these endpoints ask no broker
  model: model(),
  store: createMemoryEventStore(),
  version: '0.0.0',
  signal: new AbortController().signal,
});

async function run(subject: string, input: unknown): Promise<unknown> {
  const found = endpoints.find((one) => one.subject === subject);
  return found?.run(found.input.parse(input), { signal: AbortSignal.timeout(5_000) });
}

async function evolution(request: object = {}): Promise<EvolutionOutput> {
  return EvolutionOutput.parse(await run('dellm.evolution', request));
}

describe('the overview of evolution', () => {
  it('shows the mode, and the last measurement of the network’s fitness', async () => {
    expect(await evolution()).toMatchObject({ mode: 'increased', score: 0.7, measured: 1, settings: null });
  });

  it('shows the last generation of each Cluster, and how many were born and culled in all generations', async () => {
    const { clusters } = await evolution();
    expect(clusters).toMatchObject([
      {
        cluster: 'a',
        kind: 'specialized',
        generation: 2,
        members: 2,
        last: {
          generation: 2,
          judged: 2,
          meanScore: 0.7,
          bestScore: 0.9,
          culled: 1,
          born: 1,
          completedAt: AT,
        },
        culled: 1,
        born: 1,
      },
      { cluster: 'b', generation: 0, members: 1, last: null, culled: 0, born: 0 },
    ]);
  });

  it('lists Clusters page by page', async () => {
    const page = await evolution({ limit: 1 });
    expect([page.clusters.map(({ cluster }) => cluster), page.next]).toEqual([['a'], 'cluster/a']);
    const rest = await evolution({ limit: 1, after: page.next });
    expect([rest.clusters.map(({ cluster }) => cluster), rest.next]).toEqual([['b'], null]);
  });

  it('measures specialization over right answers of living Nodes, which count for their founder', async () => {
    const { specialization } = await evolution();
    // Four sums by the lineage of n1, four poems by that of n4: the lineage determines the task type, which is
    // one bit.
    expect(specialization).toMatchObject({ mutualInformation: 1, normalised: 1, rightAnswers: 8 });
    expect(specialization.expectedByChance).toBeCloseTo(1 / (2 * 8 * Math.LN2), 9);
  });

  it('lists retired Nodes only on request', async () => {
    const list = async (request: object) => {
      const { nodes } = NodesOutput.parse(await run('dellm.nodes', request));
      return nodes.map(({ id, status, parents }) => [id, status, ...parents]);
    };
    const living = [
      ['n1', 'alive'],
      ['n3', 'alive', 'n1'],
      ['n4', 'alive'],
    ];
    expect(await list({})).toEqual(living);
    expect(await list({ all: true })).toEqual([...living, ['n2', 'retired']].sort());
  });
});
