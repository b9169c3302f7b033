import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnLog } from '../host/log.ts';
import { loadCatalogue, type ModelFolders, modelPath } from '../inference/catalogue.ts';
import { createLlamaEngine } from '../inference/llama/engine.ts';
import type { InferenceEngine } from '../inference/port.ts';

/** The folder of the miniature models in the package, and the folder of pulled models in a data folder. */
export function modelFolders(home: string): ModelFolders {
  return {
    miniature: fileURLToPath(new URL('../../models/miniature', import.meta.url)),
    pulled: join(home, 'models'),
  };
}

/** The engine of this device: llama.cpp with the installed models, on a GPU if `gpu` is set and one can be used. */
export async function localEngine(
  home: string,
  onLog: OnLog,
  { gpu = false }: { readonly gpu?: boolean } = {},
): Promise<InferenceEngine> {
  const folders = modelFolders(home);
  const catalogue = await loadCatalogue(folders.miniature);
  return createLlamaEngine({
    gpu,
    modelPath(id) {
      const entry = catalogue.find(id);
      return entry && modelPath(entry, folders);
    },
    onLog: (message, level) => onLog(level, message),
  });
}
