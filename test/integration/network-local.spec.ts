import { afterEach, describe, expect, it } from 'vitest';
import { TASK_TYPES } from '../../src/answers/task-types.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SPECIES } from '../../src/inference/species.ts';
import { credits } from '../../src/projections/credits.ts';
import { queryTrace } from '../../src/projections/query-trace.ts';
import { LocalNetwork } from '../support/local-network.ts';

const ANSWERS = new Map([
  ['What is 15 × 23?', '15*3:5400 15*20:0030 0+5=5,0+4=4,3+0=3,0+0=0:345'],
  ['What is 2 + 2?', '4'],
  ['What is the capital of Japan?', 'Tokyo'],
  ['Write a sentence about a cat.', 'The quiet cat waits for the sea.'],
  ['Hello', "I don't know"],
]);
const MODELS = ['maths', 'code', 'logic', 'creative', 'fast'].flatMap((name) => [`${name}-a`, `${name}-b`]);

let network: LocalNetwork;

function start(errorRate = 0): LocalNetwork {
  const errorRates = new Map(MODELS.map((model) => [model, errorRate]));
  network = new LocalNetwork(createInstantEngine({ answers: ANSWERS, errorRates, seed: 1 }));
  return network;
}

afterEach(() => network.close());

describe('the network, with simulated models', () => {
  it('starts with five Clusters of ten Nodes', async () => {
    await start().begin();
    expect([...network.view().clusters.values()].length).toBe(5);
    expect([...network.view().nodes.values()].filter((node) => node.alive).length).toBe(50);
    expect((await network.events('genesis-main')).at(-1)?.type).toBe('GenesisCompleted');
    expect(network.transport.deadLetters).toEqual([]);
  });

  it('has a species for every task type', () => {
    start();
    const wanted = new Set(TASK_TYPES.map(({ specialization }) => specialization));
    const born = new Set<string>(SPECIES.map(({ specialization }) => specialization));
    expect([...wanted].filter((specialization) => !born.has(specialization))).toEqual([]);
  });

  it('answers a simple question through one Node, and pays for it', async () => {
    await start().begin();
    const reply = await network.ask('What is 15 × 23?', { queryId: 'q-simple' });
    expect(reply).toMatchObject({ outcome: 'answered', answer: '345', queryId: 'q-simple', credits: 0.75 });
    expect(reply.confidence).toBeGreaterThan(0.9);
    const totals = network.model.row(credits, 'totals');
    expect(totals).toMatchObject({ kind: 'totals', escrow: 0 });
    const trace = [...network.model.rows(queryTrace, { prefix: 'q-simple/' })];
    expect(trace.map(([, step]) => step.kind === 'step' && step.type)).toEqual(
      expect.arrayContaining([
        'CreditsReserved',
        'QueryAnalysed',
        'SubtaskRouted',
        'ModelAnswered',
        'VoteCast',
        'VerdictReached',
        'QueryAnswered',
      ]),
    );
    expect(network.transport.deadLetters).toEqual([]);
  });

  it('splits a complex question and combines the answers', async () => {
    await start().begin();
    const reply = await network.ask(
      'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.',
    );
    expect(reply).toMatchObject({ outcome: 'answered' });
    expect(reply.answer).toContain('345');
    expect(reply.answer).toContain('Tokyo');
    expect(reply.answer).toContain('cat');
    expect(network.transport.deadLetters).toEqual([]);
  });

  it('says that it does not know', async () => {
    await start().begin();
    const reply = await network.ask('Hello');
    expect(reply).toMatchObject({ outcome: 'unknown', answer: "I don't know.", credits: 0 });
  });

  it('returns the same ending when a query is asked again, and charges nothing more', async () => {
    await start().begin();
    const first = await network.ask('What is 2 + 2?', { queryId: 'same' });
    const again = await network.ask('What is 2 + 2?', { queryId: 'same' });
    expect(again).toEqual(first);
    expect(network.model.row(credits, 'totals')).toMatchObject({ escrow: 0 });
  });

  it('refuses an unknown account, and charges nothing', async () => {
    await start().begin();
    const reply = await network.ask('What is 2 + 2?', { account: 'nobody' });
    expect(reply).toMatchObject({ error: { code: 'unknown-account' } });
  });
});
