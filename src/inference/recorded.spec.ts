import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_PARAMS, inferenceContract } from '../../test/contracts/inference.ts';
import { createInstantEngine } from './instant.ts';
import type { InferenceRequest } from './port.ts';
import { openRecordedEngine, recordingEngine, recordingKey } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-recorded-'));
const answers = new Map([
  ['What is 15 × 23?', '345'],
  ['What is the capital of Japan?', 'Tokyo'],
]);
const source = () =>
  createInstantEngine({
    answers,
    seed: 1,
    errorRates: new Map([
      ['a', 0],
      ['b', 0],
    ]),
  });
const request = (over: Partial<InferenceRequest> = {}): InferenceRequest => ({
  model: 'a',
  prompt: 'What is 15 × 23?',
  system: '',
  params: DEFAULT_PARAMS,
  seed: 7,
  ...over,
});
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  const recording = await recordingEngine(source(), join(folder, 'contract.jsonl'));
  for (const prompt of answers.keys()) await recording.infer(request({ prompt }));
  await recording.close();
  writeFileSync(join(folder, 'contract.jsonl.gz'), gzipSync(readFileSync(join(folder, 'contract.jsonl'))));
});

for (const file of ['contract.jsonl', 'contract.jsonl.gz']) {
  inferenceContract(`recorded answers (${file})`, async () => {
    const engine = await openRecordedEngine(join(folder, file));
    return {
      engine,
      model: 'a',
      prompts: ['What is 15 × 23?', 'What is the capital of Japan?'],
      dispose: () => engine.close(),
    };
  });
}

describe('recorded answers', () => {
  const path = join(folder, 'answers.jsonl');
  beforeEach(() => rmSync(path, { force: true }));

  it('are written once each, also over several runs, and give back what the engine gave', async () => {
    for (let run = 0; run < 2; run++) {
      const recording = await recordingEngine(source(), path);
      expect(recording.kind).toBe('simulated');
      await Promise.all([request(), request({ model: 'b' }), request()].map((one) => recording.infer(one)));
      await recording.close();
    }
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    const engine = await openRecordedEngine(path);
    expect(await engine.infer(request({ seed: 99 }))).toEqual(await source().infer(request()));
  });

  it('match exactly by model file, prompts, parameters and seed where that is asked', async () => {
    const recording = await recordingEngine(source(), path, () => 'hash-1');
    await recording.infer(request());
    await recording.close();
    const exact = await openRecordedEngine(path, { match: 'exact', modelHash: () => 'hash-1' });
    await expect(exact.infer(request())).resolves.toHaveProperty('text', '345');
    for (const other of [
      request({ seed: 8 }),
      request({ system: 'Think.' }),
      request({ params: { ...DEFAULT_PARAMS, temperature: 0.7 } }),
    ]) {
      await expect(exact.infer(other)).rejects.toMatchObject({ reason: 'no-recording', transient: false });
    }
    const otherFile = await openRecordedEngine(path, { match: 'exact', modelHash: () => 'hash-2' });
    await expect(otherFile.infer(request())).rejects.toMatchObject({ reason: 'no-recording' });
  });

  it('have keys that differ whenever any input does', () => {
    const keys = [
      recordingKey(null, request()),
      recordingKey('h', request()),
      recordingKey(null, request({ model: 'b' })),
      recordingKey(null, request({ prompt: '', system: 'What is 15 × 23?' })),
      recordingKey(null, request({ seed: 8 })),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    // A model's file decides, not what it is called.
    expect(recordingKey('h', request({ model: 'b' }))).toBe(recordingKey('h', request()));
  });

  it('name the line that is damaged', async () => {
    const recording = await recordingEngine(source(), path);
    await recording.infer(request());
    await recording.close();
    appendFileSync(path, '{"key": 3}\n');
    await expect(openRecordedEngine(path)).rejects.toThrow(/answers\.jsonl, line 2 is not a recording/);
    writeFileSync(path, 'nonsense\n');
    await expect(openRecordedEngine(path)).rejects.toThrow(/line 1 is not JSON/);
    writeFileSync(path, '{"key": "torn');
    await expect(openRecordedEngine(path)).rejects.toThrow(/last line .* incomplete/);
  });

  it('say what is wrong with a file that is missing, or no gzip', async () => {
    await expect(openRecordedEngine(join(folder, 'absent.jsonl'))).rejects.toThrow(/cannot be read: ENOENT/);
    writeFileSync(join(folder, 'plain.jsonl.gz'), '{}');
    await expect(openRecordedEngine(join(folder, 'plain.jsonl.gz'))).rejects.toThrow(/cannot be read/);
    await expect(recordingEngine(source(), `${path}.gz`)).rejects.toThrow(/record to .*answers\.jsonl/);
  });
});
