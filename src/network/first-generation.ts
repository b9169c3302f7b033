import { existsSync } from 'node:fs';
import type { EventStore } from '../eventstore/port.ts';
import type { OnLog } from '../host/log.ts';
import { loadCatalogue, type ModelEntry, modelPath } from '../inference/catalogue.ts';
import { type Device, detectDevice, type Tier } from '../inference/device.ts';
import { bytes } from '../inference/size.ts';
import { type ModelClass, SPECIES, seedGenome } from '../inference/species.ts';
import { modelFolders } from './engine.ts';

/** The models of the first generation: the miniature models, or the public pairs for a tier. */
export type SeedModels = 'miniature' | Tier;

/** The device is too small for public models, or their files are not installed. */
export class SeedModelsError extends Error {
  override readonly name = 'SeedModelsError';
}

export interface FirstGeneration {
  readonly models: ModelClass;
  /** The data folder, which contains the pulled models. */
  readonly home: string;
}

/**
 * The models for a first generation on this device. Throws `SeedModelsError` if public models do not fit it, or
 * if some are not installed. (An installed file has passed the checks of `dellm models pull`.)
 */
export async function seedModels(
  { models, home }: FirstGeneration,
  device: Pick<Device, 'tier' | 'ramBytes'> = detectDevice(),
): Promise<SeedModels> {
  if (models === 'miniature') return 'miniature';
  const { tier } = device;
  if (tier === null) {
    throw new SeedModelsError(
      `This device has ${bytes(device.ramBytes)} of memory, and no pair of public models fits into less than 4 GB. ` +
        'No network was started. Start one without --models: the miniature models run here.',
    );
  }
  const missing = await missingModels(tier, home);
  if (missing.length === 0) return tier;
  throw new SeedModelsError(
    `Public models for a first generation on this device (tier ${tier}) are not in ${modelFolders(home).pulled}. ` +
      `No network was started. Fetch them (about ${bytes(missing.reduce((sum, model) => sum + model.bytes, 0))}), and start again:\n` +
      missing.map(({ id }) => `  dellm models pull ${id}`).join('\n'),
  );
}

/** The same as `seedModels` for a new network. An existing network keeps its Nodes and needs no other models. */
export async function seedModelsFor(
  store: EventStore,
  wanted: FirstGeneration,
  onLog: OnLog,
): Promise<SeedModels> {
  if (wanted.models === 'miniature' || !(await hasBegun(store))) return seedModels(wanted);
  onLog('warn', `there is already a network, which keeps its Nodes: --models ${wanted.models} has no effect`);
  return 'miniature';
}

async function missingModels(tier: Tier, home: string): Promise<readonly ModelEntry[]> {
  const folders = modelFolders(home);
  const catalogue = await loadCatalogue(folders.miniature);
  const genomes = SPECIES.map((species) => seedGenome(species, tier));
  const ids = new Set(genomes.flatMap(({ modelA, modelB }) => [modelA, modelB]));
  return [...ids]
    .map((id) => {
      const entry = catalogue.find(id);
      if (!entry) throw new Error(`The catalogue has no model "${id}".`);
      return entry;
    })
    .filter((entry) => !existsSync(modelPath(entry, folders)));
}

async function hasBegun(store: EventStore): Promise<boolean> {
  for await (const _event of store.readStream('genesis-main', { limit: 1 })) return true;
  return false;
}
