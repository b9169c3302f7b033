import type { ClusterKind } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import { idOf, type Projection, type RecordedOf } from './projection.ts';

export interface NodeRow {
  readonly kind: 'node';
  readonly id: string;
  readonly species: string;
  readonly device: string;
  readonly owner: string;
  readonly cluster: string;
  readonly generation: number;
  readonly parents: readonly string[];
  readonly genome: Genome;
  readonly bornAt: string;
  /** A culled Node finishes what it has in hand, and is then retired. */
  readonly status: 'alive' | 'culled' | 'retired';
  readonly inFlight: number;
  /** Tasks that it answered, and tasks that it let pass. */
  readonly answered: number;
  readonly missed: number;
}

export interface ClusterRow {
  readonly kind: 'cluster';
  readonly id: string;
  readonly name: string;
  /** What it turned out to be made of. */
  readonly nature: ClusterKind;
  readonly specialization: string;
  readonly status: 'forming' | 'formed' | 'dissolved';
  /** Generations that were completed. */
  readonly generation: number;
  /** Position of the last admission; -1 before the first. */
  readonly lastBirth: number;
  readonly members: readonly string[];
  readonly inFlight: number;
  readonly reached: number;
  readonly failed: number;
}

export type NetworkRow = NodeRow | ClusterRow;

const NODE_TYPES = [
  'NodeBorn',
  'NodeMoved',
  'NodeCulled',
  'NodeRetired',
  'TaskAccepted',
  'VoteCast',
  'TaskFailed',
] as const;

const CLUSTER_TYPES = [
  'ClusterFormed',
  'NodeAdmitted',
  'NodeDismissed',
  'ClusterCharacterised',
  'ClusterMerged',
  'GenerationClosed',
  'TaskDistributed',
  'ConsensusReached',
  'ConsensusFailed',
] as const;

type Event = RecordedOf<(typeof NODE_TYPES | typeof CLUSTER_TYPES)[number]>;

/** Who is in the network: a row `node/<id>` for each Node and `cluster/<id>` for each Cluster. */
export const network: Projection<NetworkRow, Event['type']> = {
  name: 'network',
  version: 2,
  resident: true,
  types: [...NODE_TYPES, ...CLUSTER_TYPES],
  keys({ stream }) {
    return [
      stream.startsWith('node-') ? `node/${idOf(stream, 'node')}` : `cluster/${idOf(stream, 'cluster')}`,
    ];
  },
  fold(row, event) {
    if (event.type === 'NodeBorn') {
      const { node: id, species, device, owner, cluster, generation, parents, genome, at } = event.data;
      return {
        kind: 'node',
        id,
        species,
        device,
        owner,
        cluster,
        generation,
        parents,
        genome,
        bornAt: at,
        status: 'alive',
        inFlight: 0,
        answered: 0,
        missed: 0,
      };
    }
    if (row?.kind === 'node') return foldNode(row, event);
    const id = idOf(event.stream, 'cluster');
    const cluster: ClusterRow = row ?? {
      kind: 'cluster',
      id,
      name: id,
      nature: 'specialized',
      specialization: '',
      status: 'forming',
      generation: 0,
      lastBirth: -1,
      members: [],
      inFlight: 0,
      reached: 0,
      failed: 0,
    };
    return foldCluster(cluster, event);
  },
};

/**
 * Availability of a Node, 0–1: the share of the tasks handed to it that it answered in time. It starts at 1, and is
 * folded from events, so that a replay gives the same trust.
 */
export function uptimeOf({ answered, missed }: Pick<NodeRow, 'answered' | 'missed'>): number {
  return (answered + 1) / (answered + missed + 1);
}

function foldNode(row: NodeRow, event: Event): NodeRow {
  switch (event.type) {
    case 'TaskAccepted':
      return { ...row, inFlight: row.inFlight + 1 };
    case 'VoteCast':
      return { ...row, inFlight: row.inFlight - 1, answered: row.answered + 1 };
    case 'TaskFailed':
      return { ...row, inFlight: row.inFlight - 1, missed: row.missed + 1 };
    case 'NodeMoved':
      return { ...row, cluster: event.data.to };
    case 'NodeCulled':
      return { ...row, status: 'culled' };
    case 'NodeRetired':
      return { ...row, status: 'retired' };
    default:
      return row;
  }
}

function foldCluster(row: ClusterRow, event: Event): ClusterRow {
  switch (event.type) {
    case 'ClusterFormed':
      return {
        ...row,
        name: event.data.name,
        specialization: event.data.specialization,
        status: 'formed',
      };
    case 'NodeAdmitted':
      return { ...row, members: [...row.members, event.data.node], lastBirth: event.position };
    case 'NodeDismissed':
      return { ...row, members: row.members.filter((node) => node !== event.data.node) };
    case 'ClusterCharacterised': {
      const { kind: nature, name, specialization } = event.data;
      return { ...row, nature, name, specialization };
    }
    case 'ClusterMerged':
      return { ...row, status: 'dissolved' };
    case 'GenerationClosed':
      return { ...row, generation: event.data.generation };
    case 'TaskDistributed':
      return { ...row, inFlight: row.inFlight + 1 };
    case 'ConsensusReached':
      return { ...row, inFlight: row.inFlight - 1, reached: row.reached + 1 };
    case 'ConsensusFailed':
      return { ...row, inFlight: row.inFlight - 1, failed: row.failed + 1 };
    default:
      return row;
  }
}
