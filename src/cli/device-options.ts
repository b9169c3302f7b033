import { Option } from 'commander';
import type { ModelClass } from '../inference/species.ts';

const MODEL_CLASSES = ['miniature', 'public'] as const satisfies readonly ModelClass[];

/** The models of a first generation. It has no default, so that a command can see whether it was given. */
export function modelsOption(): Option {
  return new Option(
    '--models <class>',
    'models of a first generation (default: miniature); an existing network keeps its Nodes',
  ).choices(MODEL_CLASSES);
}

export function gpuOption(): Option {
  return new Option(
    '--gpu',
    'run the models on a GPU, if a GPU build of llama.cpp is installed (see docs/models.md)',
  );
}
