import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PARAMS, inferenceContract } from '../../test/contracts/inference.ts';
import { cachingEngine, openAnswers } from './cache.ts';
import { createInstantEngine } from './instant.ts';
import { type InferenceEngine, InferenceError, type InferenceRequest } from './port.ts';
import { openRecordedEngine } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-cache-'));
const path = join(folder, 'answers.jsonl');
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(path, { force: true }));

const QUESTION = 'What is 15 × 23?';
const answers = new Map([
  [QUESTION, '345'],
  ['What is the capital of Japan?', 'Tokyo'],
]);

function request(change: Partial<InferenceRequest> = {}): InferenceRequest {
  return { model: 'a', prompt: QUESTION, system: '', params: DEFAULT_PARAMS, seed: 7, ...change };
}

/** Counts what it is asked, takes a turn for it, and finds prompts of more than 100 characters too long. */
function source() {
  const engine = createInstantEngine({ answers, errorRates: new Map([['a', 0]]), seed: 1 });
  const asked: string[] = [];
  const counting: InferenceEngine = {
    ...engine,
    async infer(one, signal) {
      asked.push(one.prompt);
      await new Promise(setImmediate);
      if (one.prompt.length > 100) throw new InferenceError('prompt-too-long', 'too long');
      return engine.infer(one, signal);
    },
  };
  return { engine: counting, asked };
}

inferenceContract('an engine that keeps its answers', async () => {
  const engine = await cachingEngine(source().engine, join(folder, 'contract.jsonl'));
  const prompts = [QUESTION, 'What is the capital of Japan?'] as const;
  return { engine, model: 'a', prompts, dispose: () => engine.close() };
});

describe('an engine that keeps its answers', () => {
  it('asks for each once, also of several who ask at the same time, and never again after a restart', async () => {
    const first = source();
    const engine = await cachingEngine(first.engine, path);
    expect(engine.known(request())).toBeUndefined();
    const [one, other] = await Promise.all([engine.infer(request()), engine.infer(request())]);
    expect(other).toEqual(one);
    expect(engine.known(request())).toEqual(one);
    await engine.infer(request());
    expect(first.asked).toEqual([QUESTION]);
    await engine.close();

    const second = source();
    const again = await cachingEngine(second.engine, path);
    expect(again.known(request())).toEqual(one);
    expect(await again.infer(request())).toEqual(one);
    expect(second.asked).toEqual([]);
    await again.close();
  });

  it('tells apart whatever an answer depends on', async () => {
    const { engine: inner, asked } = source();
    const engine = await cachingEngine(inner, path);
    const others = [
      request(),
      request({ seed: 8 }),
      request({ system: 'Think.' }),
      request({ params: { ...DEFAULT_PARAMS, temperature: 0.7 } }),
      request({ params: { ...DEFAULT_PARAMS, topK: 1 } }),
      request({ prompt: 'What is the capital of Japan?' }),
    ];
    for (const one of others) await engine.infer(one);
    expect(asked).toHaveLength(others.length);
    await engine.close();
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(others.length);
  });

  it('takes no answers of another model file', async () => {
    const engine = await cachingEngine(source().engine, path, { modelHash: () => 'file 1' });
    await engine.infer(request());
    await engine.close();
    const other = await openAnswers(path, { modelHash: () => 'file 2' });
    expect(other.size).toBe(0);
    expect([...other.foreign]).toEqual(['a']);
    expect((await openAnswers(path, { modelHash: () => 'file 1' })).find(request())?.text).toBe('345');
  });

  it('remembers a prompt that did not fit', async () => {
    const long = request({ prompt: 'x'.repeat(101) });
    const first = source();
    const engine = await cachingEngine(first.engine, path);
    await expect(engine.infer(long)).rejects.toMatchObject({ reason: 'prompt-too-long' });
    await expect(engine.infer(long)).rejects.toMatchObject({ reason: 'prompt-too-long' });
    expect(() => engine.known(long)).toThrow(/window of \d+ tokens/);
    expect(first.asked).toHaveLength(1);
    await engine.close();
    expect((await openAnswers(path)).find(long)).toBeNull();
    const recorded = await openRecordedEngine(path, { match: 'exact' });
    await expect(recorded.infer(long)).rejects.toMatchObject({ reason: 'prompt-too-long' });
  });

  it('does not keep an error that may pass', async () => {
    const engine = await cachingEngine(source().engine, path);
    await expect(engine.infer(request({ model: 'b' }))).rejects.toMatchObject({ reason: 'model-missing' });
    expect(engine.known(request({ model: 'b' }))).toBeUndefined();
    await engine.close();
    expect(readFileSync(path, 'utf8')).toBe('');
  });

  it('cuts off a line that is not complete, says so, and continues after it', async () => {
    const engine = await cachingEngine(source().engine, path);
    await engine.infer(request());
    await engine.close();
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, whole.slice(0, 50));

    const notices: string[] = [];
    expect((await openAnswers(path, { onNotice: (notice) => notices.push(notice) })).size).toBe(1);
    expect(notices).toEqual([expect.stringMatching(/incomplete.*ignored/)]);
    const { engine: inner, asked } = source();
    const again = await cachingEngine(inner, path, { onNotice: (notice) => notices.push(notice) });
    expect(notices[1]).toMatch(/was incomplete.*The 1 answers before it are unchanged/);
    await again.infer(request({ seed: 8 }));
    await again.close();
    expect(asked).toHaveLength(1);
    expect(readFileSync(path, 'utf8').startsWith(whole)).toBe(true);
    expect((await openAnswers(path)).size).toBe(2);
  });

  it('names a line that is damaged, and a file that cannot be read or written to', async () => {
    writeFileSync(path, 'nonsense\n');
    await expect(cachingEngine(source().engine, path)).rejects.toThrow(/answers\.jsonl, line 1 is not JSON/);
    await expect(openAnswers(join(folder, 'absent.jsonl'))).rejects.toThrow(/cannot be read: ENOENT/);
    await expect(openAnswers(join(folder, 'absent.jsonl.gz'))).rejects.toThrow(/cannot be read: ENOENT/);
    await expect(cachingEngine(source().engine, `${path}.gz`)).rejects.toThrow(/unpack/);
    await expect(cachingEngine(source().engine, folder)).rejects.toThrow(/EISDIR/);
  });

  it('reads lines of any length from plain and gzipped files alike', async () => {
    const engine = await cachingEngine(source().engine, path);
    for (const system of ['', 'ß'.repeat(700_000)]) await engine.infer(request({ system }));
    await engine.close();
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path)));
    for (const file of [path, `${path}.gz`]) {
      const read = await openAnswers(file);
      expect(read.size).toBe(2);
      expect(read.find(request({ system: 'ß'.repeat(700_000) }))?.text).toBe('345');
    }
  });
});
