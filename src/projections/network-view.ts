import type {
  ClusterView,
  DeviceView,
  EvolutionView,
  NetworkView,
  NodeView,
} from '../actors/network-view.ts';
import type { MatrixRow } from '../actors/super-cluster/matrix.ts';
import { NEW_TRUST, type TrustState } from '../actors/verifier/trust.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { type EvolutionRow, evolution } from './evolution.ts';
import { fitness } from './fitness.ts';
import { PROJECTIONS } from './index.ts';
import { type NetworkRow, network, uptimeOf } from './network.ts';
import { type MatrixCell, performanceMatrix } from './performance-matrix.ts';
import type { ChangedRow } from './read-model.ts';
import { trust } from './trust.ts';

/** An available device, as it announces itself. What it does not announce is unknown. */
export type LiveDevice = Pick<DeviceView, 'id' | 'proximityMs'> & Partial<DeviceView>;

/** A changed row. */
export type ViewRow = Pick<ChangedRow, 'projection' | 'key' | 'row'>;

/** The projections that a view is built from. */
export const VIEW_PROJECTIONS = PROJECTIONS.filter(({ isFollowed }) => isFollowed);

/**
 * Builds the view for routing and voting from the changes of the read model. Only changed parts are built
 * again, so a view of 10,000 Nodes costs as much as its last few answers.
 */
export class NetworkViewBuilder {
  #position = -1;
  readonly #resources = new Map<string, NetworkRow>();
  readonly #trust = new Map<string, TrustState>();
  readonly #tallies = new Map<string, FitnessTally>();
  readonly #cells = new Map<string, Record<string, MatrixRow>>();
  readonly #nodes = new Map<string, NodeView>();
  readonly #clusters = new Map<string, ClusterView>();
  readonly #residents = new Map<string, number>();
  readonly #members = new Map<string, number>();
  /** Keys of retired Nodes. Judgements of their answers may still arrive. */
  readonly #gone = new Set<string>();
  #devices: ReadonlyMap<string, DeviceView> = new Map();
  #evolution: EvolutionView | null = null;

  get view(): NetworkView {
    return {
      position: this.#position,
      nodes: this.#nodes,
      clusters: this.#clusters,
      devices: this.#devices,
      residents: this.#residents,
      members: this.#members,
      evolution: this.#evolution,
    };
  }

  /** Takes changed rows, as they are after `position`. */
  change(rows: readonly ViewRow[], position: number): void {
    const touched = new Set<string>();
    for (const { projection, key, row } of rows) {
      const subject = projection === performanceMatrix.name ? (row as MatrixCell).resource : key;
      if (this.#gone.has(subject)) continue;
      if (projection === network.name) {
        this.#resources.set(key, row as NetworkRow);
        touched.add(key);
      } else if (projection === trust.name) {
        this.#trust.set(key, row as TrustState);
        touched.add(key);
      } else if (projection === fitness.name) {
        this.#tallies.set(key, row as FitnessTally);
        touched.add(key);
      } else if (projection === evolution.name) {
        const state = row as EvolutionRow;
        if (state.kind !== 'state' || state.settings === null) continue;
        this.#evolution = { settings: state.settings, mode: state.mode };
      } else if (projection === performanceMatrix.name) {
        const { resource, taskType, ...cell } = row as MatrixCell;
        this.#cells.set(resource, { ...this.#cells.get(resource), [taskType]: cell });
        touched.add(resource);
      }
    }
    for (const key of touched) this.#show(key);
    this.#position = Math.max(this.#position, position);
  }

  /** Sets the available devices. */
  setDevices(devices: readonly LiveDevice[]): void {
    this.#devices = new Map(
      devices.map((device) => [
        device.id,
        { slots: 0, tier: null, region: null, owner: null, ...device } satisfies DeviceView,
      ]),
    );
    for (const [key, row] of this.#resources) if (row.kind === 'node') this.#show(key);
  }

  #show(key: string): void {
    const row = this.#resources.get(key);
    if (!row) return;
    const record = this.#trust.get(key) ?? NEW_TRUST;
    const rows = this.#cells.get(key) ?? {};
    if (row.kind === 'cluster') {
      const { id, name, nature, specialization, inFlight, lastBirth, status } = row;
      if (status === 'dissolved') this.#clusters.delete(id);
      // Known only by its first member: not formed yet.
      if (status !== 'formed') return;
      const cluster = { id, name, kind: nature, specialization, lastBirth, inFlight, rows, trust: record };
      this.#clusters.set(id, cluster);
      return;
    }
    const { id, cluster, species, device, owner, genome, generation, inFlight, status } = row;
    if (status === 'retired') {
      this.#put(id, undefined);
      this.#forget(key);
      return;
    }
    const live = this.#devices.get(device);
    this.#put(id, {
      id,
      cluster,
      species,
      specialization: genome.specialization,
      genome,
      generation,
      device,
      owner,
      pair: `${genome.modelA}+${genome.modelB}`,
      culled: status === 'culled',
      alive: live !== undefined && status === 'alive',
      proximityMs: live?.proximityMs ?? 0,
      uptime: uptimeOf(row),
      inFlight,
      trust: record,
      rows,
      fitness: this.#tallies.get(key),
    });
  }

  /** Adds, replaces or removes a Node, and counts it on its device and in its Cluster. */
  #put(id: string, node: NodeView | undefined): void {
    const before = this.#nodes.get(id);
    if (node) this.#nodes.set(id, node);
    else this.#nodes.delete(id);
    add(this.#residents, before?.device, -1);
    add(this.#residents, node?.device, 1);
    add(this.#members, before?.culled ? undefined : before?.cluster, -1);
    add(this.#members, node?.culled ? undefined : node?.cluster, 1);
  }

  /** Removes a retired Node. It is not needed again, and every generation retires more. */
  #forget(key: string): void {
    this.#gone.add(key);
    this.#resources.delete(key);
    this.#trust.delete(key);
    this.#cells.delete(key);
    this.#tallies.delete(key);
  }
}

function add(counts: Map<string, number>, key: string | undefined, change: number): void {
  if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + change);
}
