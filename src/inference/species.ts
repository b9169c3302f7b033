import type { Tier } from './device.ts';
import type { SamplingParams } from './port.ts';

export type ModelClass = 'public' | 'miniature';
export type Pair = readonly [modelA: string, modelB: string];

export interface PromptTemplates {
  readonly system: string;
  /** `{question}` is replaced by the task's prompt. */
  readonly user: string;
}

/** One of the five kinds of Nodes that a network starts with. All models are ids of the catalogue. */
export interface Species {
  readonly id: string;
  readonly name: string;
  readonly specialization: string;
  readonly miniature: SpeciesModels & { readonly pair: Pair };
  /** Real models: the pair for each tier of device, from what fits there. */
  readonly public: SpeciesModels & { readonly pairs: Readonly<Record<Tier, Pair>> };
}

interface SpeciesModels {
  readonly promptTemplates: PromptTemplates;
  readonly samplingParams: SamplingParams;
}

/** What `NodeBorn` records as a genome, chosen for a device. */
export interface SeedGenome {
  readonly modelA: string;
  readonly modelB: string;
  readonly specialization: string;
  readonly promptTemplates: PromptTemplates;
  readonly samplingParams: SamplingParams;
}

/**
 * The models were trained on bare questions without a system prompt. Anything around the question only confuses them.
 */
const BARE: PromptTemplates = { system: '', user: '{question}' };

/** Miniature models also use the founding document's temperatures. docs/models.md says what they cost. */
function miniature(pair: Pair, temperature: number): Species['miniature'] {
  const samplingParams = { temperature, topP: 0.95, topK: 40, contextTokens: 256, maxTokens: 128 };
  return { pair, promptTemplates: BARE, samplingParams };
}

const WINDOW = { contextTokens: 4096, maxTokens: 512 };

/**
 * The five seed species of the founding document. Some of the models that it names do not exist. The nearest existing
 * ones replace them: Qwen2.5-Math-1.5B for Qwen-0.5B-Math, Qwen2.5-Coder for CodeLlama-1B, DeepSeek-Coder-1.3B for
 * Phi-2-Code. On the lowest tier, smaller models replace Phi-2 and Gemma-2B, which are too big for it.
 */
export const SPECIES: readonly Species[] = [
  {
    id: 'mathematical-specialist',
    name: 'Mathematical specialist',
    specialization: 'mathematical',
    miniature: miniature(['maths-a', 'maths-b'], 0.2),
    public: {
      pairs: {
        'ultra-low': ['qwen25-math-15b', 'qwen25-05b'],
        low: ['qwen25-math-15b', 'phi-2'],
        mid: ['qwen25-math-15b', 'phi-2'],
        high: ['qwen25-math-15b', 'phi-2'],
      },
      promptTemplates: {
        system: 'You are a precise mathematician. Work step by step and end with "Answer: " and the result.',
        user: '{question}',
      },
      samplingParams: { temperature: 0.2, topP: 0.9, topK: 40, ...WINDOW },
    },
  },
  {
    id: 'creative-generalist',
    name: 'Creative generalist',
    specialization: 'creative',
    miniature: miniature(['creative-a', 'creative-b'], 0.8),
    public: {
      pairs: {
        'ultra-low': ['llama-32-1b', 'smollm2-17b'],
        low: ['llama-32-1b', 'gemma-2-2b'],
        mid: ['llama-32-1b', 'gemma-2-2b'],
        high: ['llama-32-1b', 'gemma-2-2b'],
      },
      promptTemplates: {
        system: 'You are an imaginative writer. Follow the request, and surprise the reader.',
        user: '{question}',
      },
      samplingParams: { temperature: 0.8, topP: 0.95, topK: 100, ...WINDOW },
    },
  },
  {
    id: 'coding-specialist',
    name: 'Coding specialist',
    specialization: 'coding',
    miniature: miniature(['code-a', 'code-b'], 0.4),
    public: {
      pairs: {
        'ultra-low': ['qwen25-coder-05b', 'deepseek-coder-13b'],
        low: ['qwen25-coder-15b', 'deepseek-coder-13b'],
        mid: ['qwen25-coder-15b', 'deepseek-coder-13b'],
        high: ['qwen25-coder-15b', 'deepseek-coder-13b'],
      },
      promptTemplates: {
        system: 'You are an expert programmer. Give working code in one code block, without explanations.',
        user: '{question}',
      },
      samplingParams: { temperature: 0.4, topP: 0.95, topK: 40, ...WINDOW },
    },
  },
  {
    id: 'logical-reasoner',
    name: 'Logical reasoner',
    specialization: 'logical',
    miniature: miniature(['logic-a', 'logic-b'], 0.3),
    public: {
      pairs: {
        'ultra-low': ['llama-32-1b', 'qwen25-15b'],
        low: ['llama-32-1b', 'qwen25-15b'],
        mid: ['llama-32-1b', 'qwen25-15b'],
        high: ['llama-32-1b', 'qwen25-15b'],
      },
      promptTemplates: {
        system: 'You reason carefully. Think step by step and end with "Answer: " and the conclusion.',
        user: '{question}',
      },
      samplingParams: { temperature: 0.3, topP: 0.9, topK: 40, ...WINDOW },
    },
  },
  {
    id: 'fast-responder',
    name: 'Fast responder',
    specialization: 'factual',
    miniature: miniature(['fast-a', 'fast-b'], 0.5),
    public: {
      pairs: {
        'ultra-low': ['qwen25-05b', 'tinyllama-11b'],
        low: ['qwen25-05b', 'tinyllama-11b'],
        mid: ['qwen25-05b', 'tinyllama-11b'],
        high: ['qwen25-05b', 'tinyllama-11b'],
      },
      promptTemplates: { system: 'Answer in as few words as possible.', user: '{question}' },
      samplingParams: { temperature: 0.5, topP: 0.9, topK: 40, contextTokens: 2048, maxTokens: 128 },
    },
  },
];

/** The genome of a first Node of this species: miniature models, or the public pair for a device's tier. */
export function seedGenome(species: Species, models: 'miniature' | Tier): SeedGenome {
  const { promptTemplates, samplingParams } = models === 'miniature' ? species.miniature : species.public;
  const [modelA, modelB] = models === 'miniature' ? species.miniature.pair : species.public.pairs[models];
  return { modelA, modelB, specialization: species.specialization, promptTemplates, samplingParams };
}
