import type { ClusterView, NetworkView, NodeView } from '../actors/network-view.ts';
import type { MatrixRow } from '../actors/super-cluster/matrix.ts';
import { NEW_TRUST, type TrustState } from '../actors/verifier/trust.ts';
import { type NetworkRow, network, uptimeOf } from './network.ts';
import { type MatrixCell, performanceMatrix } from './performance-matrix.ts';
import type { ChangedRow } from './read-model.ts';
import { trust } from './trust.ts';

/** A device that is there now, with the round trip to it. */
export interface LiveDevice {
  readonly id: string;
  readonly proximityMs: number;
}

/** The projections that a view is made of. */
export const VIEW_PROJECTIONS = [network, performanceMatrix, trust] as const;

/**
 * What routing and voting look at, kept from the changes of the read model. Only what has changed is made anew, so a
 * view of 10,000 Nodes costs as much as its last few answers.
 */
export class NetworkViewBuilder {
  #position = -1;
  readonly #resources = new Map<string, NetworkRow>();
  readonly #trust = new Map<string, TrustState>();
  readonly #cells = new Map<string, Record<string, MatrixRow>>();
  readonly #nodes = new Map<string, NodeView>();
  readonly #clusters = new Map<string, ClusterView>();
  #devices: ReadonlyMap<string, LiveDevice> = new Map();

  get view(): NetworkView {
    return { position: this.#position, nodes: this.#nodes, clusters: this.#clusters };
  }

  /** Takes rows as they are after `position`. */
  change(rows: readonly Pick<ChangedRow, 'projection' | 'key' | 'row'>[], position: number): void {
    const touched = new Set<string>();
    for (const { projection, key, row } of rows) {
      if (projection === network.name) {
        this.#resources.set(key, row as NetworkRow);
        touched.add(key);
      } else if (projection === trust.name) {
        this.#trust.set(key, row as TrustState);
        touched.add(key);
      } else if (projection === performanceMatrix.name) {
        const { resource, taskType, ...cell } = row as MatrixCell;
        this.#cells.set(resource, { ...this.#cells.get(resource), [taskType]: cell });
        touched.add(resource);
      }
    }
    for (const key of touched) this.#show(key);
    this.#position = Math.max(this.#position, position);
  }

  /** Who is there now. */
  setDevices(devices: readonly LiveDevice[]): void {
    this.#devices = new Map(devices.map((device) => [device.id, device]));
    for (const [key, row] of this.#resources) if (row.kind === 'node') this.#show(key);
  }

  #show(key: string): void {
    const row = this.#resources.get(key);
    if (!row) return;
    const record = this.#trust.get(key) ?? NEW_TRUST;
    const rows = this.#cells.get(key) ?? {};
    if (row.kind === 'cluster') {
      // Known by its first member only: it is not formed yet.
      if (row.specialization === '') return;
      const { id, name, specialization, inFlight } = row;
      this.#clusters.set(id, { id, name, specialization, inFlight, rows, trust: record });
      return;
    }
    const { id, cluster, species, device, owner, genome, inFlight } = row;
    const live = this.#devices.get(device);
    this.#nodes.set(id, {
      id,
      cluster,
      species,
      specialization: genome.specialization,
      device,
      owner,
      pair: `${genome.modelA}+${genome.modelB}`,
      alive: live !== undefined,
      proximityMs: live?.proximityMs ?? 0,
      uptime: uptimeOf(row),
      inFlight,
      trust: record,
      rows,
    });
  }
}
