import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import { PUBLIC_MODELS } from '../inference/public-models.ts';
import { SeedModelsError, seedModels, seedModelsFor } from './first-generation.ts';
import { genesisPlan } from './local.ts';

const LAPTOP = { tier: 'low', ramBytes: 8e9 } as const;

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dellm-generation-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Files as `dellm models pull` leaves them. */
function pull(...ids: readonly string[]): void {
  mkdirSync(join(home, 'models'), { recursive: true });
  for (const { id, source } of PUBLIC_MODELS) {
    if (ids.includes(id)) writeFileSync(join(home, 'models', source.split('/')[2] ?? ''), 'GGUF');
  }
}

describe('a first generation', () => {
  it('has miniature models without a check of files', async () => {
    expect(await seedModels({ models: 'miniature', home }, { tier: null, ramBytes: 1e9 })).toBe('miniature');
  });

  it('of public models needs those of this device’s tier, and says how to get missing ones', async () => {
    pull('qwen25-math-15b', 'phi-2', 'llama-32-1b', 'qwen25-05b', 'tinyllama-11b', 'qwen25-15b');
    const refused = await seedModels({ models: 'public', home }, LAPTOP).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SeedModelsError);
    const { message } = refused as SeedModelsError;
    expect(message.split('\n').slice(1)).toEqual([
      '  dellm models pull gemma-2-2b',
      '  dellm models pull qwen25-coder-15b',
      '  dellm models pull deepseek-coder-13b',
    ]);
    expect(message).toContain('tier low');
  });

  it('of public models has those of the tier, once they are installed', async () => {
    pull(...PUBLIC_MODELS.map(({ id }) => id));
    const seeds = await seedModels({ models: 'public', home }, LAPTOP);
    expect(seeds).toBe('low');
    const plan = genesisPlan('laptop', 'owner', seeds);
    if (plan.type !== 'BeginGenesis') throw new Error(plan.type);
    expect(plan.data.seeds.map(({ nodes: [first] }) => [first?.genome.modelA, first?.genome.modelB])).toEqual(
      [
        ['qwen25-math-15b', 'phi-2'],
        ['llama-32-1b', 'gemma-2-2b'],
        ['qwen25-coder-15b', 'deepseek-coder-13b'],
        ['llama-32-1b', 'qwen25-15b'],
        ['qwen25-05b', 'tinyllama-11b'],
      ],
    );
  });

  it('of public models is refused on a device that is too small', async () => {
    const tiny = { tier: null, ramBytes: 2e9 };
    await expect(seedModels({ models: 'public', home }, tiny)).rejects.toThrow('2.00 GB of memory');
  });

  it('does not replace an existing one: that network keeps its Nodes, and the log says so', async () => {
    const store = createMemoryEventStore();
    const log: string[] = [];
    await store.append(
      'genesis-main',
      [{ id: '00000000-0000-4000-8000-000000000000', type: 'GenesisBegun', data: {}, metadata: {} }],
      'any',
    );
    const seeds = await seedModelsFor(store, { models: 'public', home }, (level, text) =>
      log.push(`${level}: ${text}`),
    );
    expect([seeds, log.length]).toEqual(['miniature', 1]);
    expect(log[0]).toMatch(/^warn: .*keeps its Nodes/);
  });
});
