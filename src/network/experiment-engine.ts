import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExperimentConfig } from '../experiments/config.ts';
import { type ExperimentEngine, openEngine } from '../experiments/engines.ts';
import { miniatureTasks } from '../experiments/tasks.ts';
import { dataFolderPath } from '../host/data-folder.ts';
import type { OnLog } from '../host/log.ts';
import { loadCatalogue } from '../inference/catalogue.ts';
import { parseHeldOut } from '../inference/measure.ts';
import { localEngine, modelFolders } from './engine.ts';

/** The engine of an experiment on this machine: the miniature models, recorded answers, or a simulated world. */
export async function openExperimentEngine(
  config: Pick<ExperimentConfig, 'engine' | 'recordings' | 'world'>,
  answersFile: string,
  onLog: OnLog,
): Promise<ExperimentEngine> {
  const home = dataFolderPath();
  const { miniature } = modelFolders(home);
  return openEngine(config, {
    catalogue: await loadCatalogue(miniature),
    tasks: miniatureTasks(parseHeldOut(await readFile(join(miniature, 'heldout.json'), 'utf8'))),
    startModels: () => localEngine(home, onLog),
    answersFile,
    onNotice: (message) => onLog('warn', message),
  });
}
