import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InferenceEngine, InferenceRequest } from '../../src/inference/port.ts';

export interface InferenceSubject {
  readonly engine: InferenceEngine;
  /** A model of the engine, and prompts that it can answer. */
  readonly model: string;
  readonly prompts: readonly [string, string, ...string[]];
  /** Makes the next answer so slow that it can be aborted. Engines that answer at once do not have it. */
  slow?(): void;
  dispose(): Promise<void>;
}

export const DEFAULT_PARAMS = { temperature: 0.8, topP: 0.95, topK: 40, contextTokens: 256, maxTokens: 32 };

/** What every engine behind the inference port does in the same way. */
export function inferenceContract(name: string, open: () => Promise<InferenceSubject>): void {
  describe(`inference by ${name}`, () => {
    let subject: InferenceSubject;
    const ask = (over: Partial<InferenceRequest> = {}, signal?: AbortSignal) =>
      subject.engine.infer(
        {
          model: subject.model,
          prompt: subject.prompts[0],
          system: '',
          params: DEFAULT_PARAMS,
          seed: 7,
          ...over,
        },
        signal,
      );
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject.dispose());

    it('gives the same text for the same request', async () => {
      const [first, ...others] = await Promise.all([ask(), ask(), ask()]);
      const later = await ask();
      for (const other of [...others, later]) {
        expect(other.text).toBe(first.text);
        expect(other.logProb).toBe(first.logProb);
      }
    });

    it('gives well-formed results', async () => {
      for (const prompt of subject.prompts) {
        const result = await ask({ prompt });
        expect(typeof result.text).toBe('string');
        expect(result.promptTokens).toBeGreaterThanOrEqual(0);
        expect(Number.isInteger(result.completionTokens)).toBe(true);
        expect(result.completionTokens).toBeLessThanOrEqual(DEFAULT_PARAMS.maxTokens);
        expect(result.logProb).toBeLessThanOrEqual(0);
        expect(Number.isFinite(result.logProb)).toBe(true);
        if (!result.measured) expect(result.logProb).toBe(0);
        expect(result.durationMs).toBeGreaterThanOrEqual(0);
        expect(['stop', 'length']).toContain(result.finish);
      }
    });

    it('answers many requests at once', async () => {
      const prompts = Array.from({ length: 20 }, (_, i) => subject.prompts[i % subject.prompts.length] ?? '');
      const together = await Promise.all(prompts.map((prompt) => ask({ prompt })));
      const alone = await Promise.all([ask({ prompt: prompts[0] ?? '' }), ask({ prompt: prompts[1] ?? '' })]);
      expect(together[0]?.text).toBe(alone[0].text);
      expect(together[1]?.text).toBe(alone[1].text);
    });

    it('refuses an unknown model with a permanent error', async () => {
      await expect(ask({ model: 'no-such-model' })).rejects.toMatchObject({
        name: 'InferenceError',
        reason: expect.stringMatching(/^(model-missing|no-recording)$/),
        transient: false,
        message: expect.stringContaining('no-such-model'),
      });
    });

    it('rejects with the reason of a signal that has already aborted', async () => {
      const reason = new Error('the deadline is over');
      await expect(ask({}, AbortSignal.abort(reason))).rejects.toBe(reason);
    });

    it('rejects with the reason of a signal that aborts during inference, and answers the next request', async ({
      skip,
    }) => {
      if (!subject.slow) return skip('this engine answers before anything can be aborted');
      subject.slow();
      const controller = new AbortController();
      const reason = new Error('nobody waits any more');
      const asked = ask({ seed: 8 }, controller.signal);
      setImmediate(() => controller.abort(reason));
      await expect(asked).rejects.toBe(reason);
      await expect(ask()).resolves.toHaveProperty('text');
    });

    it('ends everything when it is closed, and may be closed twice', async () => {
      const { engine, dispose } = await open();
      await engine.close();
      await engine.close();
      await expect(
        engine.infer({
          model: subject.model,
          prompt: subject.prompts[0],
          system: '',
          params: DEFAULT_PARAMS,
          seed: 7,
        }),
      ).rejects.toMatchObject({ name: 'InferenceError', reason: 'engine-unreachable' });
      await dispose();
    });
  });
}
