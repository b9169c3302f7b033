import type { ClusterKind } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import { idOf, type Projection, type Recorded, type Rows, update } from './projection.ts';

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
  /** A culled Node finishes its open tasks and is then retired. */
  readonly status: 'alive' | 'culled' | 'retired';
  readonly inFlight: number;
  /** Number of answered tasks, and of missed ones. */
  readonly answered: number;
  readonly missed: number;
}

export interface ClusterRow {
  readonly kind: 'cluster';
  readonly id: string;
  readonly name: string;
  /** The kind of the Cluster. */
  readonly nature: ClusterKind;
  readonly specialization: string;
  readonly status: 'forming' | 'formed' | 'dissolved';
  /** Completed generations. */
  readonly generation: number;
  /** Position of the last admission; -1 before the first. */
  readonly lastBirth: number;
  readonly members: readonly string[];
  readonly inFlight: number;
  readonly reached: number;
  readonly failed: number;
}

export type NetworkRow = NodeRow | ClusterRow;

const NEW_CLUSTER = {
  nature: 'specialized',
  specialization: '',
  status: 'forming',
  generation: 0,
  lastBirth: -1,
  members: [],
  inFlight: 0,
  reached: 0,
  failed: 0,
} as const;

/** The resources of the network: a row `node/<id>` for each Node and `cluster/<id>` for each Cluster. */
export const network: Projection<NetworkRow> = {
  name: 'network',
  version: 2,
  on: {
    NodeBorn({ data }, rows) {
      const { node: id, species, device, owner, cluster, generation, parents, genome, at } = data;
      rows.set(`node/${id}`, {
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
      });
    },
    TaskAccepted: ofNode((node) => ({ ...node, inFlight: node.inFlight + 1 })),
    VoteCast: ofNode((node) => ({ ...node, inFlight: node.inFlight - 1, answered: node.answered + 1 })),
    TaskFailed: ofNode((node) => ({ ...node, inFlight: node.inFlight - 1, missed: node.missed + 1 })),
    NodeMoved: ofNode((node, { data }) => ({ ...node, cluster: data.to })),
    NodeCulled: ofNode((node) => ({ ...node, status: 'culled' })),
    NodeRetired: ofNode((node) => ({ ...node, status: 'retired' })),

    ClusterFormed: ofCluster((cluster, { data: { name, specialization } }) => ({
      ...cluster,
      name,
      specialization,
      status: 'formed',
    })),
    NodeAdmitted: ofCluster((cluster, { data: { node }, position }) => ({
      ...cluster,
      members: [...cluster.members, node],
      lastBirth: position,
    })),
    NodeDismissed: ofCluster((cluster, { data: { node } }) => ({
      ...cluster,
      members: cluster.members.filter((member) => member !== node),
    })),
    ClusterCharacterised: ofCluster((cluster, { data: { kind: nature, name, specialization } }) => ({
      ...cluster,
      nature,
      name,
      specialization,
    })),
    ClusterMerged: ofCluster((cluster) => ({ ...cluster, status: 'dissolved' })),
    GenerationClosed: ofCluster((cluster, { data: { generation } }) => ({ ...cluster, generation })),
    TaskDistributed: ofCluster((cluster) => ({ ...cluster, inFlight: cluster.inFlight + 1 })),
    ConsensusReached: ofCluster((cluster) => ({
      ...cluster,
      inFlight: cluster.inFlight - 1,
      reached: cluster.reached + 1,
    })),
    ConsensusFailed: ofCluster((cluster) => ({
      ...cluster,
      inFlight: cluster.inFlight - 1,
      failed: cluster.failed + 1,
    })),
  },
  isPast: ({ status }) => status === 'retired' || status === 'dissolved',
  isFollowed: true,
  tables: { network: '', nodes: 'node/' },
};

/**
 * Uptime of a Node, 0–1: the share of its tasks that it answered in time. It starts at 1. It is folded from
 * events, so that a replay gives the same trust.
 */
export function uptimeOf({ answered, missed }: Pick<NodeRow, 'answered' | 'missed'>): number {
  return (answered + 1) / (answered + missed + 1);
}

/** Folds an event from a Node's stream. */
function ofNode<Event extends Recorded>(change: (node: NodeRow, event: Event) => NodeRow) {
  return (event: Event, rows: Rows<NetworkRow>): void =>
    update(rows, `node/${idOf(event.stream, 'node')}`, (row) =>
      row.kind === 'node' ? change(row, event) : row,
    );
}

/** Folds an event from a Cluster's stream. Before a Cluster is formed, it may be known by its first member. */
function ofCluster<Event extends Recorded>(change: (cluster: ClusterRow, event: Event) => ClusterRow) {
  return (event: Event, rows: Rows<NetworkRow>): void => {
    const id = idOf(event.stream, 'cluster');
    const row = rows.get(`cluster/${id}`);
    const before: ClusterRow =
      row?.kind === 'cluster' ? row : { kind: 'cluster', id, name: id, ...NEW_CLUSTER };
    rows.set(`cluster/${id}`, change(before, event));
  };
}
