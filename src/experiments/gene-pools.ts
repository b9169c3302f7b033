import type { GenePool } from '../events/evolution.ts';
import type { Catalogue } from '../inference/catalogue.ts';
import { SPECIES } from '../inference/species.ts';

/**
 * Prompt templates for miniature models. The models were trained on bare questions in many wordings, and any other text
 * confuses them more or less. Selection has to find out which template suits which Node.
 */
const TEMPLATES: readonly { readonly system: string; readonly user: string }[] = [
  { system: '', user: '{question}' },
  { system: '', user: 'Please {question}' },
  { system: '', user: 'Question: {question}' },
  { system: '', user: '{question} Answer briefly.' },
  { system: '', user: 'Think step by step. {question}' },
  { system: '', user: 'Can you tell me: {question}' },
];

/** The window that the miniature models were trained with, and a smaller one that still holds every prompt. */
const CONTEXT_TOKENS = [128, 256];
const MAX_TOKENS = 96;

/** The gene pool for miniature models: all of them in the catalogue, and the specializations of the seed species. */
export function miniatureGenePool(catalogue: Catalogue): GenePool {
  const models = catalogue.models.filter((entry) => entry.class === 'miniature');
  if (models.length < 2) {
    throw new Error(
      `The catalogue has ${models.length} miniature models, but a genome needs two. Install the package with its folder models/miniature.`,
    );
  }
  return {
    models: models.map(({ id, tiers }) => ({ id, tiers: [...tiers] })),
    specializations: [...new Set(SPECIES.map(({ specialization }) => specialization))],
    promptTemplates: TEMPLATES.map((template) => ({ ...template })),
    contextTokens: CONTEXT_TOKENS,
    maxTokens: MAX_TOKENS,
  };
}
