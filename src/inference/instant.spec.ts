import { describe, expect, it } from 'vitest';
import { DEFAULT_PARAMS, inferenceContract } from '../../test/contracts/inference.ts';
import { createInstantEngine } from './instant.ts';

const answers = new Map(Array.from({ length: 1000 }, (_, i) => [`question ${i}`, `answer ${i % 50}`]));
const create = (seed = 1) =>
  createInstantEngine({
    answers,
    seed,
    errorRates: new Map([
      ['sure', 0],
      ['often-wrong', 0.3],
      ['always-wrong', 1],
    ]),
  });

inferenceContract('simulation', async () => {
  const engine = create();
  return { engine, model: 'sure', prompts: ['question 1', 'question 2'], dispose: () => engine.close() };
});

describe('the simulated engine', () => {
  const ask = (model: string, prompt: string, seed?: number) =>
    create(seed).infer({ model, prompt, system: '', params: DEFAULT_PARAMS, seed: 0 });
  async function wrongShare(model: string): Promise<number> {
    const results = await Promise.all(
      [...answers].map(async ([prompt, right]) => (await ask(model, prompt)).text !== right),
    );
    return results.filter(Boolean).length / results.length;
  }

  it('says that it is simulated, and claims no measured probability', async () => {
    expect(create().kind).toBe('simulated');
    expect(await ask('sure', 'question 1')).toMatchObject({ text: 'answer 1', measured: false, logProb: 0 });
  });

  it('errs as often as it was told to, with answers of the table', async () => {
    expect(await wrongShare('sure')).toBe(0);
    expect(await wrongShare('often-wrong')).toBeGreaterThan(0.25);
    expect(await wrongShare('often-wrong')).toBeLessThan(0.35);
    expect(await wrongShare('always-wrong')).toBe(1);
    expect([...answers.values()]).toContain((await ask('always-wrong', 'question 1')).text);
  });

  it('errs elsewhere with another seed', async () => {
    const texts = (seed: number) =>
      Promise.all([...answers.keys()].map(async (prompt) => (await ask('often-wrong', prompt, seed)).text));
    expect(await texts(1)).toEqual(await texts(1));
    expect(await texts(1)).not.toEqual(await texts(2));
  });

  it('has no answer to a prompt that it was given none for', async () => {
    await expect(ask('sure', 'What is 2 + 2?')).rejects.toMatchObject({ reason: 'no-recording' });
  });
});
