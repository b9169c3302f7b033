import { eventMetadataSchema, SCHEMA_VERSION } from './envelope.ts';

/** The data of an event as JSON gives it. */
type Data = Readonly<Record<string, unknown>>;

/** An event as it is stored, whatever release wrote it. */
export interface Written {
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

/** The history was written by a later release than this one, whose events this one cannot know. */
export class UnknownSchemaVersionError extends Error {
  override readonly name = 'UnknownSchemaVersionError';
  readonly schemaVersion: number;
  constructor(type: string, schemaVersion: number) {
    super(
      `A ${type} was written in schema version ${schemaVersion}, and this release knows versions up to ` +
        `${SCHEMA_VERSION}. Nothing was changed. Read this history with the release that wrote it, or a later one.`,
    );
    this.schemaVersion = schemaVersion;
  }
}

/** What lifts the events of one version to the next, by type; a type that is not named is the same in both. */
type Step = Readonly<Record<string, (data: Data) => Data>>;

/**
 * The one chain of upcasters: `STEPS[0]` lifts version 1 to 2, and so on. Old shapes live here and nowhere else. Hashes
 * and ids are checked on what is stored, before anything is lifted.
 */
const STEPS: readonly Step[] = [
  {
    NodeBorn: (data) => ({ ...data, mutations: [], saga: bornOfGenesis(data) }),
    ClusterFormed: (data) => ({ ...data, generation: 0, saga: bornOfGenesis(data) }),
    SuperClusterFormed: (data) => ({ ...data, saga: bornOfGenesis(data) }),
    PerformanceRecorded: (data) => ({ ...data, computeMs: null }),
    GenesisBegun: (data) => {
      const { device, owner, seeds, ...plan } = data;
      return {
        ...plan,
        seeds: (seeds as readonly Data[]).map((seed) => seedOf(seed, device, owner)),
        evolution: null,
      };
    },
  },
];

/** The event's data in this release's shape. Throws `UnknownSchemaVersionError` where a later release wrote it. */
export function upcast({ type, data, metadata }: Written): object {
  const version = versionOf(metadata);
  if (version === SCHEMA_VERSION) return data;
  if (version > SCHEMA_VERSION) throw new UnknownSchemaVersionError(type, version);
  return STEPS.slice(version - 1).reduce((lifted: Data, step) => step[type]?.(lifted) ?? lifted, { ...data });
}

/** Version in which an event was written. Events that nobody's envelope stands on count as the first one. */
export function versionOf(metadata: object): number {
  const version = eventMetadataSchema.shape.schemaVersion.safeParse((metadata as Data).schemaVersion);
  return version.success ? version.data : 1;
}

function bornOfGenesis({ saga }: Data): Data {
  return { kind: 'genesis', id: saga };
}

/** In version 1 a seed was a genome and a number of Nodes, all on one device. */
function seedOf(seed: Data, device: unknown, owner: unknown): Data {
  const { cluster, name, species, genome, nodes } = seed;
  return {
    cluster,
    name,
    specialization: (genome as Data).specialization,
    nodes: Array.from({ length: Number(nodes) }, (_, index) => ({
      node: `${cluster}-${String(index + 1).padStart(2, '0')}`,
      species,
      genome,
      device,
      owner,
    })),
  };
}
