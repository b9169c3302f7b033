import { Option } from 'commander';
import type { ModelClass } from '../inference/species.ts';

const MODEL_CLASSES = ['miniature', 'public'] as const satisfies readonly ModelClass[];

/** What a first generation is made of. Without a default, so that a command can tell whether it was given. */
export function modelsOption(): Option {
  return new Option(
    '--models <class>',
    'what a first generation is made of (default: miniature); a network that exists keeps its Nodes',
  ).choices(MODEL_CLASSES);
}

export function gpuOption(): Option {
  return new Option('--gpu', 'run the models on a GPU, if llama.cpp has a build for it (see docs/models.md)');
}
