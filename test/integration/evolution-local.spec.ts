import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Command } from '../../src/actors/actor.ts';
import { uuidOf } from '../../src/events/envelope.ts';
import type { WorkOrder } from '../../src/events/node.ts';
import type { ModelAnswer } from '../../src/events/values.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { evolution } from '../../src/projections/evolution.ts';
import { lineage } from '../../src/projections/lineage.ts';
import { type NodeRow, network } from '../../src/projections/network.ts';
import { SETTINGS } from '../support/evolution.ts';
import { DEVICE, LocalNetwork } from '../support/local-network.ts';

const TASK = {
  prompt: 'What is 6 × 7?',
  taskType: 'math.arithmetic',
  expected: { kind: 'answer', value: '42' },
} as const;

/** Nodes of the seed generation that never know the answer: the two that shall be culled. */
const DULL = ['mathematical-03', 'mathematical-07'];

/** A device on which everybody knows the answer but the dull ones, and their like. */
function answers({ node, taskId, models }: WorkOrder): Command {
  const text = DULL.includes(node) ? '13' : '42';
  const said = (model: string): ModelAnswer => ({
    model,
    text,
    logProb: -0.1,
    measured: true,
    completionTokens: 4,
    durationMs: 5,
    finish: 'stop',
  });
  return {
    type: 'SubmitAnswers',
    data: { taskId, answers: [said(models[0]), said(models[1])], failure: null },
  };
}

describe('evolution in a network of this process', () => {
  const local = new LocalNetwork(createInstantEngine({ answers: new Map(), errorRates: new Map(), seed: 1 }));

  async function settled(): Promise<void> {
    await local.transport.emptied();
    await local.quiet();
  }

  beforeAll(async () => {
    local.work = async (order) => answers(order);
    local.setDevices([{ id: DEVICE, proximityMs: 0, slots: 52, tier: 'low', region: 'eu' }]);
    await local.begin(10, SETTINGS);
    await settled();
    for (let round = 0; round < SETTINGS.minTasks; round += 1) {
      for (let index = 1; index <= 10; index += 1) {
        const node = `mathematical-${String(index).padStart(2, '0')}`;
        const taskId = uuidOf('exam', node, round);
        const dueAt = new Date(Date.now() + 60_000).toISOString();
        local.send(
          { kind: 'cluster', id: 'mathematical' },
          { type: 'ExamineNode', data: { taskId, node, task: TASK, dueAt } },
        );
      }
      await settled();
    }
    local.send({ kind: 'cluster', id: 'mathematical' }, { type: 'OpenGeneration', data: { generation: 99 } });
    await settled();
  });

  afterAll(() => local.close());

  it('ends a generation by itself after enough successful tasks', async () => {
    const events = await local.events('cluster-mathematical');
    const opened = events.filter(({ type }) => type === 'GenerationOpened');
    expect(opened.length).toBeGreaterThan(0);
    expect(opened[0]?.data).toMatchObject({ generation: 1, trigger: 'tasks' });
    expect(events.some(({ type }) => type === 'GenerationClosed')).toBe(true);
  });

  it('culls the worst and fills their slots with offspring of the best, and free slots elsewhere', () => {
    const lives = local.model.rows(lineage, { limit: 1000 }).map(([, row]) => row);
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

  it('gives no slot away twice', () => {
    const living = local.model
      .rows(network, { prefix: 'node/', limit: 1000 })
      .map(([, row]) => row as NodeRow)
      .filter(({ status }) => status !== 'retired');
    expect(living.length).toBeLessThanOrEqual(52);
    expect(new Set(living.map(({ id }) => id)).size).toBe(living.length);
  });

  it('measures how well the network does', () => {
    const state = local.model.row(evolution, 'state');
    expect(state).toMatchObject({ kind: 'state', mode: 'normal' });
    expect(state?.kind === 'state' && state.score).toBeGreaterThan(0.7);
  });

  it('leaves nothing that waits, nothing refused and nothing dead', () => {
    expect(local.transport.deadLetters).toEqual([]);
    expect(local.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
