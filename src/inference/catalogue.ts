import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TIER_RAM_BYTES, TIERS, type Tier } from './device.ts';
import { PUBLIC_MODELS, type PublicModel } from './public-models.ts';

/** Allowed file sizes of public Node models. Miniature models are a separate class. */
export const NODE_MODEL_BYTES = { min: 0.6e9, max: 3e9 };

const ModelEntry = z
  .strictObject({
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    name: z.string().min(1),
    /** `miniature`: trained from scratch by this project, only for tests and demonstrations. */
    class: z.enum(['public', 'miniature']),
    /** The file's name in its folder. */
    file: z.string().regex(/^[A-Za-z0-9._-]+\.gguf$/),
    /** As node-llama-cpp and others write it; null for models that come with the project. */
    uri: z.string().startsWith('hf:').nullable(),
    url: z.url({ protocol: /^https$/ }).nullable(),
    bytes: z.int().positive(),
    /** Whether `bytes` is rounded. */
    bytesAreApproximate: z.boolean(),
    /** Null where it is not known. */
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .nullable(),
    licence: z.string().min(1),
    parameters: z.int().positive(),
    quantisation: z.string(),
    /** Estimate of what it takes in memory with a window of 4,096 tokens. */
    ramBytes: z.int().positive(),
    /** Tiers on which it can be half of a pair. */
    tiers: z.array(z.enum(TIERS)),
    /** What it was trained on, where that limits what may be asked of it. */
    trainedOn: z.string().nullable(),
    /** The families of held-out prompts that it was trained for; empty for public models. */
    families: z.array(z.string()),
  })
  .refine(
    (entry) =>
      entry.class === 'miniature' ||
      (entry.bytes >= NODE_MODEL_BYTES.min && entry.bytes <= NODE_MODEL_BYTES.max),
    'a public Node model has a file of 0.6 to 3 GB',
  );
export type ModelEntry = z.infer<typeof ModelEntry>;

const MiniatureManifest = z.object({
  models: z.array(
    z.object({
      name: z.string(),
      file: z.string(),
      bytes: z.int().positive(),
      sha256: z.string(),
      parameters: z.int().positive(),
      quantisation: z.string(),
      trainedOn: z.string(),
      families: z.array(z.string()),
    }),
  ),
});

export class Catalogue {
  readonly models: readonly ModelEntry[];
  readonly #byId: ReadonlyMap<string, ModelEntry>;

  constructor(models: readonly ModelEntry[]) {
    this.models = models;
    this.#byId = new Map(models.map((entry) => [entry.id, entry]));
    if (this.#byId.size !== models.length)
      throw new RangeError('Two models of the catalogue have the same id.');
  }

  find(id: string): ModelEntry | undefined {
    return this.#byId.get(id);
  }
}

/**
 * The public models, and the miniature models from `manifest.json` in their folder. Without a manifest there are no
 * miniature models. A manifest that cannot be read is an error.
 */
export async function loadCatalogue(miniatureFolder: string): Promise<Catalogue> {
  return new Catalogue([...PUBLIC_MODELS.map(publicEntry), ...(await miniatureEntries(miniatureFolder))]);
}

export interface ModelFolders {
  /** Folder of the miniature models. */
  readonly miniature: string;
  /** Folder for the downloads of `dellm models pull`. */
  readonly pulled: string;
}

export function modelPath(entry: ModelEntry, folders: ModelFolders): string {
  return join(entry.class === 'miniature' ? folders.miniature : folders.pulled, entry.file);
}

/** Bytes per second at which a typical device of the tier reads weights. This limits the time of a token. */
const READING_SPEED: Readonly<Record<Tier, number>> = { 'ultra-low': 8e9, low: 15e9, mid: 40e9, high: 50e9 };
/** Time per token in addition to reading the weights. Measured with the miniature models on one core of a server. */
const TOKEN_OVERHEAD_SECONDS = 0.0004;

/**
 * An estimate of tokens per second: every token reads all weights once. It is for experiments in virtual time, which
 * need the same speed on every machine. It says nothing about a real device.
 */
export function estimateTokensPerSecond(entry: Pick<ModelEntry, 'bytes'>, tier: Tier): number {
  return 1 / (entry.bytes / READING_SPEED[tier] + TOKEN_OVERHEAD_SECONDS);
}

function publicEntry(model: PublicModel): ModelEntry {
  const [owner, repository, file = ''] = model.source.split('/');
  const bytes = model.approximateBytes;
  const ramBytes = Math.round(bytes * 1.1 + 150e6);
  return ModelEntry.parse({
    id: model.id,
    name: model.name,
    class: 'public',
    file,
    uri: `hf:${model.source}`,
    url: `https://huggingface.co/${owner}/${repository}/resolve/main/${file}`,
    bytes,
    bytesAreApproximate: true,
    sha256: null,
    licence: model.licence,
    parameters: model.parameters,
    quantisation: model.quantisation,
    ramBytes,
    // Half of a pair: the tier's RAM must also hold the other model and everything else.
    tiers: TIERS.filter((tier) => ramBytes <= TIER_RAM_BYTES[tier] * 0.36),
    trainedOn: null,
    families: [],
  });
}

async function miniatureEntries(folder: string): Promise<ModelEntry[]> {
  const path = join(folder, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  try {
    return MiniatureManifest.parse(JSON.parse(text)).models.map((model) =>
      ModelEntry.parse({
        id: model.name,
        name: `Miniature ${model.name}`,
        class: 'miniature',
        file: model.file,
        uri: null,
        url: null,
        bytes: model.bytes,
        bytesAreApproximate: false,
        sha256: model.sha256,
        licence: 'Apache-2.0',
        parameters: model.parameters,
        quantisation: model.quantisation,
        ramBytes: model.bytes + 4e6,
        tiers: [...TIERS],
        trainedOn: model.trainedOn,
        families: model.families,
      }),
    );
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`${path} does not describe miniature models: ${why}`, { cause: error });
  }
}
