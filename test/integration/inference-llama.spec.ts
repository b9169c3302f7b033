import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLlamaEngine, type LlamaEngine } from '../../src/inference/llama/engine.ts';
import type { InferenceRequest } from '../../src/inference/port.ts';
import { DEFAULT_PARAMS, inferenceContract } from '../contracts/inference.ts';
import { writeTinyGguf } from '../support/gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-llama-'));
const pathOf = (model: string) => (model === 'no-such-model' ? undefined : join(folder, `${model}.gguf`));
const request = (over: Partial<InferenceRequest> = {}): InferenceRequest => ({
  model: 'tiny',
  prompt: 'What is 15 × 23?',
  system: 'Be short.',
  params: DEFAULT_PARAMS,
  seed: 7,
  ...over,
});

beforeAll(() => {
  writeTinyGguf(join(folder, 'tiny.gguf'));
  writeTinyGguf(join(folder, 'other.gguf'), { metadata: { 'general.name': 'other' } });
});
afterAll(() => rmSync(folder, { recursive: true }));

inferenceContract('llama.cpp', async () => {
  const engine = createLlamaEngine({ modelPath: pathOf });
  return {
    engine,
    model: 'tiny',
    prompts: ['What is 15 × 23?', 'What is the capital of Japan?', 'Hello'],
    slow: () => undefined,
    dispose: () => engine.close(),
  };
});

describe('the llama engine', () => {
  let engine: LlamaEngine;
  const logged: string[] = [];
  beforeAll(() => {
    engine = createLlamaEngine({ modelPath: pathOf, onLog: (message) => logged.push(message) });
  });
  afterAll(() => engine.close());

  it('samples by seed: another seed may give another text, temperature 0 never does', async () => {
    const texts = await Promise.all(
      [1, 2, 3, 4].map(async (seed) => (await engine.infer(request({ seed }))).text),
    );
    expect(new Set(texts).size).toBeGreaterThan(1);
    const greedy = { ...DEFAULT_PARAMS, temperature: 0 };
    const same = await Promise.all(
      [1, 2, 3].map(async (seed) => (await engine.infer(request({ seed, params: greedy }))).text),
    );
    expect(new Set(same).size).toBe(1);
  });

  it('gives the same text in another process', async () => {
    const another = createLlamaEngine({ modelPath: pathOf });
    const [a, b] = await Promise.all([engine.infer(request()), another.infer(request())]);
    await another.close();
    expect({ ...a, durationMs: 0 }).toEqual({ ...b, durationMs: 0 });
  });

  it('stops at maxTokens and says so', async () => {
    const result = await engine.infer(request({ params: { ...DEFAULT_PARAMS, maxTokens: 3 } }));
    expect(result).toMatchObject({ completionTokens: 3, finish: 'length', measured: true });
  });

  it('keeps special markers in a question as text', async () => {
    const plain = await engine.infer(request({ prompt: 'Hi' }));
    const marked = await engine.infer(request({ prompt: '<|im_end|>Hi' }));
    // As a special token, the marker is one token. Spelt out by this tokenizer, it is ten.
    expect(marked.promptTokens).toBe(plain.promptTokens + '<|im_end|>'.length);
  });

  it('passes the system prompt to a model whose template has one', async () => {
    const without = await engine.infer(request({ system: '' }));
    const given = await engine.infer(request({ system: 'Answer in one word.' }));
    expect(given.promptTokens).toBeGreaterThan(without.promptTokens);
  });

  it('refuses a prompt that does not fit, however long it is', async () => {
    for (const length of [300, 5_000, 900_000]) {
      await expect(engine.infer(request({ prompt: 'x'.repeat(length) }))).rejects.toMatchObject({
        reason: 'prompt-too-long',
        transient: false,
      });
    }
    const narrow = { ...DEFAULT_PARAMS, contextTokens: 64 };
    await expect(engine.infer(request({ prompt: 'x'.repeat(64), params: narrow }))).rejects.toMatchObject({
      reason: 'prompt-too-long',
    });
  });

  it('names the path of a missing file, and what to do', async () => {
    await expect(engine.infer(request({ model: 'absent' }))).rejects.toMatchObject({
      reason: 'model-missing',
      message: expect.stringMatching(/absent\.gguf.*dellm models pull/),
    });
  });

  it('refuses invalid files without a crash', async () => {
    const pid = engine.workerPid();
    writeFileSync(join(folder, 'html.gguf'), '<html>404</html>');
    writeTinyGguf(join(folder, 'short.gguf'), { cut: 500 });
    writeTinyGguf(join(folder, 'lacking.gguf'), { metadata: { 'llama.attention.head_count': null } });
    writeTinyGguf(join(folder, 'foreign.gguf'), { metadata: { 'general.architecture': 'abacus' } });
    for (const model of ['html', 'short', 'lacking', 'foreign']) {
      await expect(engine.infer(request({ model })), model).rejects.toMatchObject({
        reason: 'model-broken',
        transient: false,
        message: expect.stringContaining(`${model}.gguf`),
      });
    }
    expect(engine.workerPid()).toBe(pid);
  });

  it('refuses a file that made the process abort until the file changes, and continues with others', async () => {
    const path = join(folder, 'aborting.gguf');
    writeTinyGguf(path, { metadata: { 'llama.expert_count': 99_999 } });
    await expect(engine.infer(request({ model: 'aborting' }))).rejects.toMatchObject({
      reason: 'model-broken',
    });
    await expect(engine.infer(request({ model: 'aborting' }))).rejects.toMatchObject({
      reason: 'model-broken',
    });
    expect(logged.filter((message) => message.includes('ended with SIGABRT'))).toHaveLength(1);
    await expect(engine.infer(request())).resolves.toMatchObject({ measured: true });
    writeTinyGguf(path);
    await expect(engine.infer(request({ model: 'aborting' }))).resolves.toMatchObject({ measured: true });
  });

  it('fails requests in progress with a transient error when its process is killed, then works again', async () => {
    const before = await engine.infer(request());
    const asked = Array.from({ length: 12 }, (_, i) =>
      engine.infer(request({ seed: i, params: { ...DEFAULT_PARAMS, maxTokens: 200 } })),
    );
    process.kill(engine.workerPid() ?? 0, 'SIGKILL');
    const outcomes = await Promise.allSettled(asked);
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failed.length).toBeGreaterThan(0);
    for (const { reason } of failed)
      expect(reason).toMatchObject({ reason: 'engine-crashed', transient: true });
    const after = await engine.infer(request());
    expect(after.text).toBe(before.text);
  });

  it('unloads the least recently used model when the limit is reached', async () => {
    const small = createLlamaEngine({ modelPath: pathOf, maxModels: 1 });
    const asked = Array.from({ length: 6 }, (_, i) =>
      small.infer(request({ model: i % 2 === 0 ? 'tiny' : 'other' })),
    );
    const results = await Promise.all(asked);
    await small.close();
    // Both files have the same weights, so the answers do not depend on which one is loaded.
    expect(new Set(results.map((result) => result.text)).size).toBe(1);
  });

  it('refuses requests when its queue is full', async () => {
    const bounded = createLlamaEngine({ modelPath: pathOf, maxQueued: 5 });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => bounded.infer(request())));
    await bounded.close();
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      ...Array(5).fill('fulfilled'),
      ...Array(3).fill('rejected'),
    ]);
    expect(outcomes.at(-1)).toMatchObject({ reason: { reason: 'engine-unreachable', transient: true } });
  });

  it('rejects waiting requests when it is closed', async () => {
    const closing = createLlamaEngine({ modelPath: pathOf });
    const asked = Promise.allSettled(Array.from({ length: 4 }, () => closing.infer(request())));
    await closing.close();
    for (const outcome of await asked) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { reason: 'engine-unreachable' } });
    }
  });

  it('rejects waiting requests when its process cannot start, and tries again with the next request', async () => {
    const starting = createLlamaEngine({ modelPath: pathOf });
    vi.stubEnv('NODE_OPTIONS', '--require=/no/such/module.cjs');
    await expect(starting.infer(request())).rejects.toMatchObject({
      reason: 'engine-crashed',
      message: expect.stringMatching(/before it was ready[\s\S]*npm run build/),
    });
    vi.unstubAllEnvs();
    await expect(starting.infer(request())).resolves.toHaveProperty('text');
    await starting.close();
  });

  it('ends its process when the parent is killed', async () => {
    const compiled = pathToFileURL(join(import.meta.dirname, '../../dist/inference/llama/engine.js'));
    const script = `
      import { createLlamaEngine } from ${JSON.stringify(compiled.href)};
      const engine = createLlamaEngine({ modelPath: () => ${JSON.stringify(join(folder, 'tiny.gguf'))} });
      await engine.infer(${JSON.stringify(request())});
      console.log(engine.workerPid());
      void engine.infer(${JSON.stringify(request({ params: { ...DEFAULT_PARAMS, maxTokens: 200 } }))});
      setInterval(() => undefined, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [output] = await once(parent.stdout, 'data');
      const workerPid = Number(String(output));
      expect(isRunning(workerPid)).toBe(true);
      parent.kill('SIGKILL');
      await vi.waitFor(() => expect(isRunning(workerPid)).toBe(false), { timeout: 20_000, interval: 50 });
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

/** A zombie counts as ended, because a container without an init process does not collect it. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/status`;
    return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
}
