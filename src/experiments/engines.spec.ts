import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GenePool } from '../events/evolution.ts';
import type { WorkOrder } from '../events/node.ts';
import { Catalogue, loadCatalogue } from '../inference/catalogue.ts';
import { createInstantEngine } from '../inference/instant.ts';
import { type InferenceEngine, InferenceError } from '../inference/port.ts';
import { type EngineSources, openEngine } from './engines.ts';
import { miniatureGenePool } from './gene-pools.ts';
import { nodeMs, virtualMs } from './timing.ts';
import { askModels, createWork } from './work.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-engines-'));
afterAll(() => rmSync(folder, { recursive: true }));
const catalogue = await loadCatalogue(join(import.meta.dirname, '../../models/miniature'));
const QUESTION = 'What is 15 × 23?';

/** Plays two miniature models; counts what it is asked, and finds other prompts too long. */
function models(): {
  readonly engine: InferenceEngine;
  readonly seeds: number[];
  readonly closed: () => boolean;
} {
  const seeds: number[] = [];
  let closed = false;
  const engine = createInstantEngine({
    answers: new Map([[QUESTION, '345']]),
    errorRates: new Map([
      ['maths-a', 0],
      ['logic-a', 0],
    ]),
    seed: 1,
  });
  return {
    seeds,
    closed: () => closed,
    engine: {
      ...engine,
      async infer(request) {
        seeds.push(request.seed);
        if (request.prompt !== QUESTION) throw new InferenceError('prompt-too-long', 'It is too long.');
        return { ...(await engine.infer(request)), completionTokens: 9, durationMs: 123.4 };
      },
      async close() {
        closed = true;
      },
    },
  };
}

function sources(change: Partial<EngineSources> = {}): EngineSources {
  return {
    catalogue,
    tasks: { training: [], heldOut: [] },
    startModels: async () => models().engine,
    answersFile: join(folder, 'answers.jsonl'),
    onNotice: () => {},
    ...change,
  };
}

function order(change: Partial<WorkOrder> = {}): WorkOrder {
  return {
    node: 'n1',
    taskId: 't1',
    prompt: QUESTION,
    system: '',
    models: ['maths-a', 'logic-a'],
    params: { temperature: 0.2, topP: 0.9, topK: 40, contextTokens: 256, maxTokens: 96 },
    seed: 4_000_000_001,
    dueAt: '2030-01-01T00:00:00.000Z',
    ...change,
  };
}

function workOf(engine: Awaited<ReturnType<typeof openEngine>>, onAnswer = () => {}) {
  return createWork({
    engine,
    tierOf: () => 'mid',
    genomeOf: () => null,
    seedVariants: 4,
    onAnswer,
  });
}

describe('the engine of an experiment', () => {
  it('runs the models once for what it does not know, and answers at once from then on, also when only recorded', async () => {
    const played = models();
    const miniature = await openEngine(
      { engine: 'miniature', world: 1 },
      sources({ startModels: async () => played.engine }),
    );
    let answers = 0;
    const first = workOf(miniature, () => {
      answers += 1;
    })(order(), 'laptop');
    expect(first).toBeInstanceOf(Promise);
    const answered = await first;
    // The seed is folded into four variants, and the second model samples by a separate one.
    expect(played.seeds).toEqual([1, 2]);
    expect(workOf(miniature)(order(), 'laptop')).toEqual(answered);
    expect(workOf(miniature)(order({ seed: 5 }), 'laptop')).toEqual(answered);
    expect(played.seeds).toHaveLength(2);
    expect(answers).toBe(2);

    // What is recorded is virtual, whatever was measured.
    const sizes = ['maths-a', 'logic-a'].map((model) => virtualMs(miniature.sizeOf(model), 'mid', 9));
    expect(answered).toMatchObject({
      to: { kind: 'node', id: 'n1' },
      afterMs: nodeMs(sizes),
      command: {
        type: 'SubmitAnswers',
        data: {
          taskId: 't1',
          answers: [
            { model: 'maths-a', text: '345', durationMs: sizes[0] },
            { model: 'logic-a', text: '345', durationMs: sizes[1] },
          ],
          failure: null,
        },
      },
    });
    await miniature.close();
    expect(played.closed()).toBe(true);

    const recorded = await openEngine(
      { engine: 'recorded', recordings: join(folder, 'answers.jsonl'), world: 1 },
      sources({
        startModels: async () => {
          throw new Error('no model may run');
        },
      }),
    );
    expect(workOf(recorded)(order(), 'laptop')).toEqual(answered);
    expect(recorded.simulated).toBe(false);
  });

  it('takes a prompt that does not fit for an answer that did not come, and any other failure for the end', async () => {
    const engine = await openEngine(
      { engine: 'miniature', world: 1 },
      sources({ answersFile: join(folder, 'failures.jsonl') }),
    );
    const work = workOf(engine);
    const answered = await work(order({ prompt: 'long' }), 'laptop');
    expect(answered).toMatchObject({
      afterMs: 1,
      command: {
        data: {
          answers: [null, null],
          failure: expect.stringMatching(/^maths-a: .*did not fit the window of 256.*; logic-a: /),
        },
      },
    });
    // What is recorded is the same, wherever it is found that it does not fit.
    expect(await work(order({ prompt: 'long' }), 'laptop')).toEqual(answered);
    await engine.flush();
    const recordings = join(folder, 'failures.jsonl');
    const recorded = await openEngine({ engine: 'recorded', recordings, world: 1 }, sources());
    expect(workOf(recorded)(order({ prompt: 'long' }), 'laptop')).toEqual(answered);
    await expect(work(order({ models: ['maths-b', 'maths-a'] }), 'laptop')).rejects.toMatchObject({
      reason: 'model-missing',
    });
    await engine.close();
  });

  it('has a gene pool of all miniature models, which its population can be made of', async () => {
    const engine = await openEngine(
      { engine: 'miniature', world: 1 },
      sources({ answersFile: join(folder, 'pool.jsonl') }),
    );
    expect(GenePool.parse(engine.genePool)).toEqual(engine.genePool);
    expect(engine.genePool.models).toHaveLength(10);
    expect(engine.genePool.specializations).toHaveLength(5);
    await engine.close();
    expect(() => miniatureGenePool(new Catalogue([]))).toThrow(/0 miniature models, but a genome needs two/);
  });

  it('asks by one seed where nothing is left to chance', async () => {
    const played = models();
    const engine = await openEngine(
      { engine: 'miniature', world: 1 },
      sources({ startModels: async () => played.engine, answersFile: join(folder, 'greedy.jsonl') }),
    );
    const { params } = order();
    for (const seed of [1, 2, 3]) {
      await workOf(engine)(order({ seed, params: { ...params, temperature: 0 } }), 'laptop');
    }
    expect(played.seeds).toEqual([0, 0]);
    await engine.close();
  });

  it('says what is missing from recorded answers, and whether they are of another model file', async () => {
    const path = join(folder, 'some.jsonl');
    const miniature = await openEngine({ engine: 'miniature', world: 1 }, sources({ answersFile: path }));
    await workOf(miniature)(order(), 'laptop');
    await miniature.close();
    const open = (models: Catalogue) =>
      openEngine({ engine: 'recorded', recordings: path, world: 1 }, sources({ catalogue: models }));
    const { params } = order();
    const other = workOf(await open(catalogue));
    expect(() => other(order({ params: { ...params, temperature: 0.9 } }), 'laptop')).toThrow(
      /some\.jsonl has no answer of "maths-a".*What is 15/,
    );
    const changed = new Catalogue(catalogue.models.map((entry) => ({ ...entry, sha256: '0'.repeat(64) })));
    const foreign = workOf(await open(changed));
    expect(() => foreign(order(), 'laptop')).toThrow(/another file of the model "maths-a"/);
  });

  it('that is simulated starts nothing, and says that it is', async () => {
    const engine = await openEngine(
      { engine: 'simulated', world: 3 },
      sources({
        startModels: async () => {
          throw new Error('no model may run');
        },
      }),
    );
    expect(engine.simulated).toBe(true);
    const [task] = engine.tasks.training;
    if (!task) throw new Error('unreachable');
    const answers = askModels(
      { engine, seedVariants: 4 },
      { ...order(), prompt: task.prompt, models: ['sim-01', 'sim-20'] },
      'mathematical',
      'mid',
    );
    if (answers instanceof Promise) throw new Error('it thinks');
    expect(answers.answers.map((answer) => answer?.model)).toEqual(['sim-01', 'sim-20']);
    // The bigger model is the slower one.
    expect(answers.latencyMs).toBe(answers.answers[1]?.durationMs);
    expect(() => engine.sizeOf('maths-a')).toThrow(/no model "maths-a"/);
  });
});
