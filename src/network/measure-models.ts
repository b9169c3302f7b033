import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { castVote } from '../actors/node/voting.ts';
import { dataFolderPath } from '../host/data-folder.ts';
import type { OnLog } from '../host/log.ts';
import { loadCatalogue, type ModelFolders, modelPath } from '../inference/catalogue.ts';
import { type MeasuredPair, measurePairs, parseHeldOut } from '../inference/measure.ts';
import { SPECIES } from '../inference/species.ts';
import { localEngine, modelFolders } from './engine.ts';

export interface PairLeftOut {
  readonly id: string;
  /** The models of the pair whose files are missing. */
  readonly models: readonly string[];
}

export interface MeasureModelsOptions {
  readonly signal: AbortSignal;
  readonly onLog: OnLog;
  /** Called once, before the first prompt. */
  readonly onLeftOut: (pairs: readonly PairLeftOut[]) => void;
  readonly onProgress: Parameters<typeof measurePairs>[0]['onProgress'];
}

/**
 * Asks every pair of miniature models its held-out prompts, with the engine and the vote that answer users. A
 * pair with missing files is left out. Throws if no pair is left, or with the signal's reason.
 */
export async function measureModels(options: MeasureModelsOptions) {
  const { signal, onLog, onLeftOut, onProgress } = options;
  const home = dataFolderPath();
  const folders = modelFolders(home);
  const heldOut = parseHeldOut(readFileSync(join(folders.miniature, 'heldout.json'), 'utf8'));
  const { pairs, leftOut } = await miniaturePairs(folders);
  onLeftOut(leftOut);
  if (pairs.length === 0) throw new Error(`No pair of miniature models is in ${folders.miniature}.`);
  const engine = await localEngine(home, onLog);
  try {
    const measurements = await measurePairs({
      engine,
      pairs,
      heldOut,
      vote: castVote,
      signal,
      ...(onProgress && { onProgress }),
    });
    return { measurements, leftOut };
  } finally {
    await engine.close();
  }
}

async function miniaturePairs(
  folders: ModelFolders,
): Promise<{ pairs: readonly MeasuredPair[]; leftOut: readonly PairLeftOut[] }> {
  const catalogue = await loadCatalogue(folders.miniature);
  const isHere = (model: string): boolean => {
    const entry = catalogue.find(model);
    return entry !== undefined && existsSync(modelPath(entry, folders));
  };
  const all = SPECIES.map(({ id, miniature: { pair, samplingParams } }) => ({
    id,
    pair,
    samplingParams,
    families: catalogue.find(pair[0])?.families ?? [],
    missing: pair.filter((model) => !isHere(model)),
  }));
  return {
    pairs: all.filter(({ missing }) => missing.length === 0).map(({ missing: _none, ...pair }) => pair),
    leftOut: all
      .filter(({ missing }) => missing.length > 0)
      .map(({ id, missing }) => ({ id, models: missing })),
  };
}
