import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFolders } from '../inference/catalogue.ts';
import type { MeasuredPair, VoteFunction } from '../inference/measure.ts';
import { EXIT } from './exit-codes.ts';
import { progressOf, stderrLog } from './log.ts';
import { printJson, printLines } from './output.ts';

interface PairLeftOut {
  readonly id: string;
  /** Those of its models whose files are not here. */
  readonly models: readonly string[];
}

/**
 * Asks every pair of miniature models its held-out prompts, through the engine and with the vote that answer users.
 * A pair that is not whole is left out, and that is told. Resolves with the exit code.
 */
export async function measureModels({ json }: { readonly json: boolean }): Promise<number> {
  const { castVote } = await import('../actors/node/voting.ts');
  const { dataFolderPath } = await import('../host/data-folder.ts');
  const { formatMeasurements } = await import('../inference/measure-table.ts');
  const { measurePairs, parseHeldOut } = await import('../inference/measure.ts');
  const { localEngine, modelFolders } = await import('../network/engine.ts');
  const home = dataFolderPath();
  const folders = modelFolders(home);
  const heldOut = parseHeldOut(readFileSync(join(folders.miniature, 'heldout.json'), 'utf8'));
  const vote: VoteFunction = (answers, taskType) => castVote(answers, taskType);
  const { pairs, leftOut } = await miniaturePairs(folders);
  for (const { id, models } of leftOut) {
    process.stderr.write(`${id} is left out: ${models.join(' and ')} not here\n`);
  }
  if (pairs.length === 0) throw new Error(`No pair of miniature models is in ${folders.miniature}.`);
  const abort = new AbortController();
  const interrupt = (): void => abort.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const progress = progressOf('held-out prompts');
  const engine = await localEngine(home, stderrLog({ verbose: false }));
  try {
    const { signal } = abort;
    const onProgress = progress.show;
    const measurements = await measurePairs({ engine, pairs, heldOut, vote, signal, onProgress });
    progress.end();
    if (json) printJson({ measurements, leftOut });
    else printLines([formatMeasurements(measurements).trimEnd()]);
    return EXIT.ok;
  } finally {
    progress.end();
    await engine.close();
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}

async function miniaturePairs(
  folders: ModelFolders,
): Promise<{ pairs: readonly MeasuredPair[]; leftOut: readonly PairLeftOut[] }> {
  const { loadCatalogue, modelPath } = await import('../inference/catalogue.ts');
  const { SPECIES } = await import('../inference/species.ts');
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
