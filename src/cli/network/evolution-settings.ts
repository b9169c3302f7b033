import type { EvolutionSettings, GenePool } from '../../events/evolution.ts';
import { loadCatalogue } from '../../inference/catalogue.ts';
import type { PromptTemplates } from '../../inference/species.ts';
import { SPECIES } from '../../inference/species.ts';
import { modelFolders } from './engine.ts';
import type { SeedModels } from './first-generation.ts';

/** The founding document's numbers, and what it leaves open: docs/adr/0009-evolution.md. */
export const DEFAULT_EVOLUTION: Omit<EvolutionSettings, 'genePool'> = {
  strategy: 'evolution',
  tasksPerGeneration: 100,
  generationMs: 6 * 3_600_000,
  minTasks: 10,
  cullShare: 0.2,
  eliteShare: 0.2,
  variants: [2, 3],
  mutations: ['specialization', 'parameters', 'prompt', 'model'],
  crossover: true,
  adaptiveModes: true,
  goldShare: 0.1,
};

/** Ways to put a question to a model that knows no system prompt; the bare one is what miniature models were taught. */
export const MINIATURE_PROMPTS: readonly PromptTemplates[] = [
  { system: '', user: '{question}' },
  { system: '', user: 'Question: {question}' },
  { system: '', user: '{question} Answer:' },
  { system: '', user: 'Please answer: {question}' },
];

/** What evolution goes by in a new network of these models. */
export async function evolutionSettings(models: SeedModels): Promise<EvolutionSettings> {
  return { ...DEFAULT_EVOLUTION, genePool: await genePool(models === 'miniature' ? 'miniature' : 'public') };
}

/** Every model, specialization and prompt that a genome of this class can have. */
export async function genePool(models: 'miniature' | 'public'): Promise<GenePool> {
  // Only what is in the package is asked for: which files a device has pulled is its own affair.
  const catalogue = await loadCatalogue(modelFolders('').miniature);
  return {
    models: catalogue.models
      .filter((model) => model.class === models)
      .map(({ id, tiers }) => ({ id, tiers })),
    specializations: SPECIES.map(({ specialization }) => specialization),
    promptTemplates:
      models === 'miniature'
        ? [...MINIATURE_PROMPTS]
        : SPECIES.map((species) => species.public.promptTemplates),
    contextTokens: models === 'miniature' ? [256] : [2048, 4096],
    maxTokens: models === 'miniature' ? 128 : 512,
  };
}
