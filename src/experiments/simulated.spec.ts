import { describe, expect, it } from 'vitest';
import { castVote } from '../actors/node/voting.ts';
import { extractAnswer } from '../answers/extraction.ts';
import { GenePool } from '../events/evolution.ts';
import { ModelAnswer } from '../events/values.ts';
import type { InferenceRequest } from '../inference/port.ts';
import {
  probabilityOf,
  SIMULATED_GENE_POOL,
  SIMULATED_MODELS,
  SIMULATED_TASK_TYPES,
  type SimulatedModel,
  simulateAnswer,
  simulatedTask,
} from './simulated.ts';

const WORLD = 7;
const params = { temperature: 0.2, topP: 0.9, topK: 40, contextTokens: 2048, maxTokens: 256 };

function request(taskType: string, number: number, change: Partial<InferenceRequest> = {}): InferenceRequest {
  const { prompt } = simulatedTask(WORLD, taskType, number);
  return { model: 'sim-12', prompt, system: '', params, seed: 1, ...change };
}

function isRight(taskType: string, number: number, change: Partial<InferenceRequest> = {}, field = 'none') {
  const { text } = simulateAnswer(WORLD, request(taskType, number, change), field);
  const { expected } = simulatedTask(WORLD, taskType, number);
  const { value } = extractAnswer(text, taskType);
  return expected.kind === 'answer' ? value === expected.value : value.includes(expected.value);
}

function shareRight(taskType: string, change: Partial<InferenceRequest> = {}, field = 'none'): number {
  const numbers = Array.from({ length: 2_000 }, (_, index) => index + 1);
  return numbers.filter((number) => isRight(taskType, number, change, field)).length / numbers.length;
}

function model(id: string): SimulatedModel {
  const found = SIMULATED_MODELS.find((one) => one.id === id);
  if (!found) throw new Error(`no ${id}`);
  return found;
}

describe('the simulated models', () => {
  it('are 24 of 0.6 to 3 GB, with smaller ones for smaller devices', () => {
    expect(SIMULATED_MODELS).toHaveLength(24);
    expect(SIMULATED_MODELS[0]).toMatchObject({
      bytes: 0.6e9,
      tiers: ['ultra-low', 'low', 'mid', 'high'],
    });
    expect(SIMULATED_MODELS.at(-1)).toMatchObject({ bytes: 3e9, tiers: ['mid', 'high'] });
    const small = SIMULATED_MODELS.filter(({ tiers }) => tiers.includes('ultra-low'));
    expect(small.length).toBeGreaterThanOrEqual(2);
  });

  it('make a gene pool that says what it is', () => {
    expect(GenePool.parse(SIMULATED_GENE_POOL)).toEqual(SIMULATED_GENE_POOL);
    for (const { system } of SIMULATED_GENE_POOL.promptTemplates) expect(system).toContain('Simulated');
  });
});

describe('a simulated answer', () => {
  it.each(SIMULATED_TASK_TYPES)('to %s is read by the rules for real answers, right or wrong', (taskType) => {
    const outcomes = new Set<boolean>();
    for (let number = 1; number <= 200; number += 1) {
      const { durationMs: _none, ...answer } = simulateAnswer(WORLD, request(taskType, number), 'none');
      const { text, logProb, completionTokens, measured, finish } = answer;
      const said = ModelAnswer.parse({
        model: 'sim-12',
        text,
        logProb,
        measured,
        completionTokens,
        durationMs: 1,
        finish,
      });
      expect(castVote([said, null], taskType).outcome).toBe('preferred');
      outcomes.add(isRight(taskType, number));
    }
    expect(outcomes).toEqual(new Set([true, false]));
  });

  it('is the same for the same request, and differs between worlds', () => {
    const answers = (world: number) =>
      SIMULATED_TASK_TYPES.flatMap((taskType) =>
        Array.from(
          { length: 20 },
          (_, number) => simulateAnswer(world, request(taskType, number), 'none').text,
        ),
      );
    expect(answers(WORLD)).toEqual(answers(WORLD));
    expect(answers(WORLD)).not.toEqual(answers(WORLD + 1));
  });

  it('is right as often as the model of skill says', () => {
    for (const id of ['sim-01', 'sim-12', 'sim-24']) {
      for (const taskType of ['math.arithmetic', 'code.evaluate']) {
        const said = probabilityOf(WORLD, request(taskType, 1), model(id), taskType, 'mathematical');
        expect(Math.abs(shareRight(taskType, { model: id }, 'mathematical') - said)).toBeLessThan(0.04);
      }
    }
  });

  it('is more often right in the field of the genome, and at a temperature that suits it', () => {
    const suited = shareRight('math.arithmetic', {}, 'mathematical');
    expect(suited).toBeGreaterThan(shareRight('math.arithmetic', {}, 'creative') + 0.1);
    const hot = { params: { ...params, temperature: 0.8 } };
    expect(suited).toBeGreaterThan(shareRight('math.arithmetic', hot, 'mathematical') + 0.1);
    expect(shareRight('creative.sentence', hot, 'creative')).toBeGreaterThan(
      shareRight('creative.sentence', {}, 'creative') + 0.1,
    );
  });

  it('depends on the prompt template a little', () => {
    const shares = SIMULATED_GENE_POOL.promptTemplates.map(({ system }) =>
      probabilityOf(
        WORLD,
        { ...request('math.arithmetic', 1), system },
        model('sim-12'),
        'math.arithmetic',
        'mathematical',
      ),
    );
    expect(new Set(shares).size).toBe(shares.length);
    expect(Math.max(...shares) - Math.min(...shares)).toBeGreaterThan(0.05);
  });

  it('is wrong together with others’ more often than chance would have it', () => {
    const numbers = Array.from({ length: 4_000 }, (_, index) => index + 1);
    const [one, other] = ['sim-08', 'sim-16'].map((id) =>
      numbers.map((number) => isRight('math.arithmetic', number, { model: id }, 'mathematical')),
    );
    if (!one || !other) throw new Error('unreachable');
    const share = (rights: readonly boolean[]) => rights.filter((right) => !right).length / rights.length;
    const both = share(one.map((right, index) => right || (other[index] ?? true)));
    const [p, q] = [share(one), share(other)];
    const correlation = (both - p * q) / Math.sqrt(p * (1 - p) * q * (1 - q));
    expect(correlation).toBeGreaterThan(0.12);
    expect(correlation).toBeLessThan(0.4);
  });

  it('knows of itself how sure it is, within ten points', () => {
    const votes = Array.from({ length: 3_000 }, (_, number) => {
      const { text, logProb, completionTokens, measured, finish } = simulateAnswer(
        WORLD,
        request('math.arithmetic', number, { model: 'sim-18' }),
        'mathematical',
      );
      const said = { model: 'sim-18', text, logProb, measured, completionTokens, durationMs: 1, finish };
      const { confidence } = castVote([said, null], 'math.arithmetic');
      return { confidence, right: isRight('math.arithmetic', number, { model: 'sim-18' }, 'mathematical') };
    });
    for (const [from, to] of [
      [0, 0.5],
      [0.5, 0.8],
      [0.8, 1],
    ] as const) {
      const within = votes.filter(({ confidence }) => confidence >= from && confidence < to);
      expect(within.length).toBeGreaterThan(100);
      const mean = within.reduce((sum, { confidence }) => sum + confidence, 0) / within.length;
      const right = within.filter((vote) => vote.right).length / within.length;
      expect(Math.abs(mean - right)).toBeLessThan(0.1);
    }
  });

  it('comes from models and to tasks of this world only', () => {
    expect(() => simulateAnswer(WORLD, request('math.arithmetic', 1, { model: 'maths-a' }), 'none')).toThrow(
      /no model "maths-a"/,
    );
    expect(() =>
      simulateAnswer(WORLD, request('math.arithmetic', 1, { prompt: 'What is 1 + 1?' }), 'none'),
    ).toThrow(/no simulated task/);
  });
});
