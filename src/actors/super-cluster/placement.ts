import type { Slot, Tier } from '../../events/evolution.ts';

/** A device that lends slots. */
export interface DeviceRoom {
  readonly device: string;
  readonly owner: string;
  readonly tier: Tier | null;
  readonly region: string;
  readonly slots: number;
  /** Nodes that live there or were promised, without the claim's culled Nodes, whose slots become free. */
  readonly occupied: number;
}

export interface ClusterRoom {
  readonly cluster: string;
  /** Nodes that belong to it or were promised, without the claim's culled Nodes. */
  readonly members: number;
  /** Position or sequence number of the last offspring that it got. The smallest has waited longest. */
  readonly lastOffspring: number;
  readonly region?: string;
}

/** What a Cluster's generation asks for. */
export interface Claim {
  /** The generation saga's id. */
  readonly claim: string;
  readonly cluster: string;
  readonly wanted: number;
  readonly culled: readonly { readonly node: string; readonly device: string }[];
}

interface Room<T> {
  readonly of: T;
  /** How many more fit. */
  free: number;
  waits: number;
}

/**
 * Where a generation's offspring will live: at most `wanted`, and fewer if devices or Clusters are full.
 *
 * First come the slots of its culled Nodes, one offspring each, in the claiming Cluster. The rest goes to free
 * slots: to the Cluster with the fewest members that has room (of equals, the one that has waited longest), on
 * a device in that Cluster's region if there is one (of equals, the one with the most free slots). If the
 * claiming Cluster is full, a culled Node's slot is given in the same way. The slot of a device that is no
 * longer available is not given to anyone.
 *
 * No Cluster is left out while slots are free. Each grant makes the smallest Cluster larger, so after at most
 * Clusters × `maxMembers` grants the largest one with room also gets one, as long as Clusters lose members at
 * the same rate.
 */
export function placeOffspring(
  claim: Claim,
  devices: readonly DeviceRoom[],
  clusters: readonly ClusterRoom[],
  maxMembers: number,
  nodeIdOf: (index: number) => string,
): readonly Slot[] {
  const hosts = devices.map((of): Room<DeviceRoom> => ({ of, free: of.slots - of.occupied, waits: 0 }));
  const groups = clusters.map(
    (of): Room<ClusterRoom> => ({ of, free: maxMembers - of.members, waits: of.lastOffspring }),
  );
  let granted = Math.max(0, ...clusters.map(({ lastOffspring }) => lastOffspring));
  const slots: Slot[] = [];
  const grant = (host: Room<DeviceRoom>, group: Room<ClusterRoom>, replaces: string | null) => {
    const { device, owner, tier } = host.of;
    slots.push({ node: nodeIdOf(slots.length), device, owner, tier, cluster: group.of.cluster, replaces });
    host.free -= 1;
    group.free -= 1;
    granted += 1;
    group.waits = granted;
  };

  const own = groups.find(({ of }) => of.cluster === claim.cluster);
  for (const { node, device } of claim.culled) {
    const host = hosts.find((one) => one.of.device === device);
    const group = own !== undefined && own.free > 0 ? own : neediest(groups);
    if (slots.length >= claim.wanted || group === undefined) break;
    if (host !== undefined && host.free > 0) grant(host, group, node);
  }
  while (slots.length < claim.wanted) {
    const group = neediest(groups);
    const host = group && roomiest(hosts, group.of.region);
    if (group === undefined || host === undefined) break;
    grant(host, group, null);
  }
  return slots;
}

/** The Cluster with the fewest members. All have the same limit, so it also has the most room. */
function neediest(groups: readonly Room<ClusterRoom>[]): Room<ClusterRoom> | undefined {
  return first(
    groups,
    (a, b) => b.free - a.free || a.waits - b.waits || (a.of.cluster < b.of.cluster ? -1 : 1),
  );
}

function roomiest(
  hosts: readonly Room<DeviceRoom>[],
  region: string | undefined,
): Room<DeviceRoom> | undefined {
  const away = ({ of }: Room<DeviceRoom>) => (of.region === region ? 0 : 1);
  return first(hosts, (a, b) => away(a) - away(b) || b.free - a.free || (a.of.device < b.of.device ? -1 : 1));
}

/** The first in this order that has room. */
function first<T>(rooms: readonly Room<T>[], order: (a: Room<T>, b: Room<T>) => number): Room<T> | undefined {
  return rooms
    .filter(({ free }) => free > 0)
    .reduce<Room<T> | undefined>(
      (best, next) => (best === undefined || order(next, best) < 0 ? next : best),
      undefined,
    );
}
