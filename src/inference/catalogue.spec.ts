import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { estimateTokensPerSecond, loadCatalogue, modelPath } from './catalogue.ts';
import { detectDevice, pairFits, TIERS, tierOf } from './device.ts';
import { SPECIES, seedGenome } from './species.ts';

const folder = mkdtempSync(join(tmpdir(), 'dellm-catalogue-'));
afterAll(() => rmSync(folder, { recursive: true }));
const catalogue = await loadCatalogue(join(import.meta.dirname, '../../models/miniature'));
const entryOf = (id: string) => {
  const entry = catalogue.find(id);
  if (!entry) throw new Error(`${id} is not in the catalogue`);
  return entry;
};

describe('the model catalogue', () => {
  it('holds public Node models to 0.6–3 GB, with address, licence and no invented checksum', () => {
    const entries = catalogue.models.filter((entry) => entry.class === 'public');
    expect(entries.length).toBeGreaterThanOrEqual(10);
    for (const entry of entries) {
      expect(entry.bytes).toBeGreaterThanOrEqual(0.6e9);
      expect(entry.bytes).toBeLessThanOrEqual(3e9);
      expect(entry.bytesAreApproximate).toBe(true);
      expect(entry.sha256).toBeNull();
      expect(entry.url).toMatch(/^https:\/\/huggingface\.co\/[^/]+\/[^/]+\/resolve\/main\/.*\.gguf$/);
      expect(entry.uri).toBe(
        `hf:${entry.url?.slice('https://huggingface.co/'.length).replace('/resolve/main', '')}`,
      );
    }
  });

  it('reads the miniature models from their manifest, as a separate class', async () => {
    const model = {
      name: 'maths-z',
      file: 'maths-z.gguf',
      bytes: 800_000,
      sha256: 'a'.repeat(64),
      parameters: 400_000,
      quantisation: 'F16',
      trainedOn: 'sums',
      families: ['maths'],
    };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ models: [model], more: 1 }));
    const entry = (await loadCatalogue(folder)).find('maths-z');
    expect(entry).toMatchObject({
      class: 'miniature',
      trainedOn: 'sums',
      bytesAreApproximate: false,
      url: null,
    });
    if (!entry) return;
    expect(modelPath(entry, { miniature: '/m', pulled: '/p' })).toBe('/m/maths-z.gguf');
    expect(modelPath(entryOf('phi-2'), { miniature: '/m', pulled: '/p' })).toBe('/p/phi-2.Q4_K_M.gguf');
  });

  it('has only public models where there is no manifest, and refuses a damaged one', async () => {
    rmSync(join(folder, 'manifest.json'), { force: true });
    const alone = await loadCatalogue(folder);
    expect(alone.models.every((entry) => entry.class === 'public')).toBe(true);
    for (const damaged of ['{', '{}', '{"models":[{"name":"../x"}]}']) {
      writeFileSync(join(folder, 'manifest.json'), damaged);
      await expect(loadCatalogue(folder)).rejects.toThrow(
        /manifest\.json does not describe miniature models/,
      );
    }
  });

  it('estimates smaller models and better devices to be faster', () => {
    const speeds = TIERS.map((tier) => estimateTokensPerSecond(entryOf('phi-2'), tier));
    expect([...speeds].sort((a, b) => a - b)).toEqual(speeds);
    expect(estimateTokensPerSecond(entryOf('qwen25-05b'), 'low')).toBeGreaterThan(
      estimateTokensPerSecond(entryOf('phi-2'), 'low'),
    );
  });
});

describe('the five species', () => {
  it('are those of the founding document, with its temperatures', () => {
    const temperatures = SPECIES.map((species) => [
      species.id,
      species.public.samplingParams.temperature,
      species.miniature.samplingParams.temperature,
    ]);
    expect(temperatures).toEqual([
      ['mathematical-specialist', 0.2, 0.2],
      ['creative-generalist', 0.8, 0.8],
      ['coding-specialist', 0.4, 0.4],
      ['logical-reasoner', 0.3, 0.3],
      ['fast-responder', 0.5, 0.5],
    ]);
  });

  it.each(SPECIES.flatMap((species) => TIERS.map((tier) => ({ species, tier }))))(
    'have two different models that exist and fit: $species.id, $tier',
    ({ species, tier }) => {
      const [a, b] = species.public.pairs[tier];
      expect(a).not.toBe(b);
      expect(entryOf(a).tiers).toContain(tier);
      expect(entryOf(b).tiers).toContain(tier);
      expect(pairFits(tier, [entryOf(a), entryOf(b)])).toBe(true);
      expect(seedGenome(species, tier)).toMatchObject({ modelA: a, modelB: b });
    },
  );

  it('give a miniature model nothing but the question', () => {
    for (const species of SPECIES) {
      const genome = seedGenome(species, 'miniature');
      expect(genome.promptTemplates).toEqual({ system: '', user: '{question}' });
      expect(genome.samplingParams.contextTokens).toBe(256);
    }
  });
});

describe('the device', () => {
  it('belongs to the tier of its RAM, also where the system reports a little less', () => {
    expect([2e9, 3.8e9, 4.1e9, 7.6e9, 8e9, 16e9, 31.2e9, 64e9].map(tierOf)).toEqual([
      null,
      'ultra-low',
      'ultra-low',
      'low',
      'low',
      'mid',
      'high',
      'high',
    ]);
  });

  it('can be looked at', () => {
    const device = detectDevice();
    expect(device.ramBytes).toBeGreaterThan(0);
    expect(device.cores).toBeGreaterThan(0);
    expect(device.tier).toBe(tierOf(device.ramBytes));
  });
});
