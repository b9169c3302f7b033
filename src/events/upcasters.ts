import { eventMetadataSchema, SCHEMA_VERSION } from './envelope.ts';

/** The data of an event, as JSON. */
type Data = Readonly<Record<string, unknown>>;

/** An event as it is stored, by any release. */
export interface Written {
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

/** A later release wrote the history; this release does not know its events. */
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

/** Converts the events of one version to the next, by type. Types that are not listed did not change. */
type Step = Readonly<Record<string, (data: Data) => Data>>;

/**
 * The chain of upcasters: `STEPS[0]` converts version 1 to 2, and so on. Old shapes appear only here. Hashes
 * and ids are checked on the stored events, before the conversion.
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

/** The event's data in this release's shape. Throws `UnknownSchemaVersionError` if a later release wrote it. */
export function upcast({ type, data, metadata }: Written): object {
  const version = versionOf(metadata);
  if (version === SCHEMA_VERSION) return data;
  if (version > SCHEMA_VERSION) throw new UnknownSchemaVersionError(type, version);
  return STEPS.slice(version - 1).reduce((lifted: Data, step) => step[type]?.(lifted) ?? lifted, { ...data });
}

/** The version in which an event was written. Events without an envelope count as version 1. */
export function versionOf(metadata: object): number {
  const version = eventMetadataSchema.shape.schemaVersion.safeParse((metadata as Data).schemaVersion);
  return version.success ? version.data : 1;
}

function bornOfGenesis({ saga }: Data): Data {
  return { kind: 'genesis', id: saga };
}

/** In version 1 a seed had one genome and a number of Nodes, all on one device. */
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
