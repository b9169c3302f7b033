import type { Genome } from '../events/values.ts';
import { idOf, type Projection, type Recorded } from './projection.ts';

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
  readonly inFlight: number;
  /** Tasks that it answered, and tasks that it let pass. */
  readonly answered: number;
  readonly missed: number;
}

export interface ClusterRow {
  readonly kind: 'cluster';
  readonly id: string;
  readonly name: string;
  readonly specialization: string;
  readonly members: readonly string[];
  readonly inFlight: number;
  readonly reached: number;
  readonly failed: number;
}

export type NetworkRow = NodeRow | ClusterRow;

/** Who is in the network: a row `node/<id>` for each Node and `cluster/<id>` for each Cluster. */
export const network: Projection<NetworkRow> = {
  name: 'network',
  version: 1,
  resident: true,
  keys(event) {
    switch (event.type) {
      case 'NodeBorn':
      case 'TaskAccepted':
      case 'VoteCast':
      case 'TaskFailed':
        return [`node/${idOf(event.stream, 'node')}`];
      case 'ClusterFormed':
      case 'NodeAdmitted':
      case 'TaskDistributed':
      case 'ConsensusReached':
      case 'ConsensusFailed':
        return [`cluster/${idOf(event.stream, 'cluster')}`];
      default:
        return [];
    }
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
      specialization: '',
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

function foldNode(row: NodeRow, event: Recorded): NodeRow {
  switch (event.type) {
    case 'TaskAccepted':
      return { ...row, inFlight: row.inFlight + 1 };
    case 'VoteCast':
      return { ...row, inFlight: row.inFlight - 1, answered: row.answered + 1 };
    case 'TaskFailed':
      return { ...row, inFlight: row.inFlight - 1, missed: row.missed + 1 };
    default:
      return row;
  }
}

function foldCluster(row: ClusterRow, event: Recorded): ClusterRow {
  switch (event.type) {
    case 'ClusterFormed':
      return { ...row, name: event.data.name, specialization: event.data.specialization };
    case 'NodeAdmitted':
      return { ...row, members: [...row.members, event.data.node] };
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
