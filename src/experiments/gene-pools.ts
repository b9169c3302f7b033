import type { GenePool } from '../events/evolution.ts';
import type { Catalogue } from '../inference/catalogue.ts';
import { SPECIES } from '../inference/species.ts';

/**
 * Ways to ask a miniature model. They were trained on bare questions in many wordings, and everything around a question
 * confuses them more or less: which of these is best for whom is for selection to find out.
 */
const TEMPLATES: readonly { readonly system: string; readonly user: string }[] = [
  { system: '', user: '{question}' },
  { system: '', user: 'Please {question}' },
  { system: '', user: 'Question: {question}' },
  { system: '', user: '{question} Answer briefly.' },
  { system: '', user: 'Think step by step. {question}' },
  { system: '', user: 'Can you tell me: {question}' },
];

/** The window that the miniature models were trained with, and a narrower one into which every prompt still fits. */
const CONTEXT_TOKENS = [128, 256];
const MAX_TOKENS = 96;

/** What genomes of miniature models are made of: every such model of the catalogue, with the seed species' fields. */
export function miniatureGenePool(catalogue: Catalogue): GenePool {
  const models = catalogue.models.filter((entry) => entry.class === 'miniature');
  if (models.length < 2) {
    throw new Error(
      `The catalogue has ${models.length} miniature models, and genomes need two. Install the package with its folder models/miniature.`,
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
