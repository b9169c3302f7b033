import type { EvolutionSettings, GenePool } from '../events/evolution.ts';
import { FOUNDING_RULES } from '../evolution/founding-rules.ts';
import { miniatureGenePool } from '../experiments/gene-pools.ts';
import { loadCatalogue } from '../inference/catalogue.ts';
import { SPECIES } from '../inference/species.ts';
import { modelFolders } from './engine.ts';
import type { SeedModels } from './first-generation.ts';

/** The founding document's numbers, and what it leaves open: docs/adr/0009-evolution.md. */
export const DEFAULT_EVOLUTION: Omit<EvolutionSettings, 'genePool'> = {
  strategy: 'evolution',
  tasksPerGeneration: 100,
  generationMs: 6 * 3_600_000,
  minTasks: 10,
  ...FOUNDING_RULES,
  goldShare: 0.1,
};

/** The rules of evolution for a new network with these models. */
export async function evolutionSettings(models: SeedModels): Promise<EvolutionSettings> {
  return { ...DEFAULT_EVOLUTION, genePool: await genePool(models === 'miniature' ? 'miniature' : 'public') };
}

/** All models, specializations and prompts that a genome of this class can have. */
export async function genePool(models: 'miniature' | 'public'): Promise<GenePool> {
  // Only the package's catalogue is read. Which files a device has pulled makes no difference.
  const catalogue = await loadCatalogue(modelFolders('').miniature);
  if (models === 'miniature') return miniatureGenePool(catalogue);
  return {
    models: catalogue.models
      .filter((model) => model.class === models)
      .map(({ id, tiers }) => ({ id, tiers })),
    specializations: SPECIES.map(({ specialization }) => specialization),
    promptTemplates: SPECIES.map((species) => species.public.promptTemplates),
    contextTokens: [2048, 4096],
    maxTokens: 512,
  };
}
