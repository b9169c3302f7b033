import { canonicalJson } from '../../events/envelope.ts';
import type { CommandDataOf } from '../../events/kinds.ts';
import type { SuperClusterCommand, SuperClusterEvent } from '../../events/super-cluster.ts';
import { networkScore, scoresAcross } from '../../evolution/fitness.ts';
import { carriesPair } from '../../evolution/genetics.ts';
import { bandOf, distance, nextMode } from '../../evolution/modes.ts';
import type { Given } from '../actor.ts';
import { MAX_CLUSTER_NODES } from '../cluster/reshaping.ts';
import type { NetworkView } from '../network-view.ts';
import type { Promised, SuperClusterContext } from './machine.ts';
import { type ClusterRoom, type DeviceRoom, placeOffspring } from './placement.ts';

type CommandData<Type extends SuperClusterCommand['type']> = CommandDataOf<'superCluster', Type>;

export function configure(
  { settings, onlyIfNone }: CommandData<'ConfigureEvolution'>,
  context: SuperClusterContext,
  at: string,
): readonly SuperClusterEvent[] {
  const same = context.settings !== null && canonicalJson(context.settings) === canonicalJson(settings);
  const isKept = onlyIfNone && context.settings !== null;
  return same || isKept ? [] : [{ type: 'EvolutionConfigured', data: { settings, at } }];
}

/**
 * Decides where the offspring of a generation live. All slots are granted in one stream, so no two Clusters get
 * the same slot. A claim that was granted before gets the same slots again, because the first reply may be
 * lost.
 */
export function grantSlots(
  claim: CommandData<'ClaimSlots'>,
  context: SuperClusterContext,
  { at, reads }: Given<NetworkView>,
): readonly SuperClusterEvent[] {
  const { claim: id, cluster, wanted } = claim;
  const granted = Object.values(context.promised).flatMap((one) => (one.claim === id ? [one.slot] : []));
  // A culled Node has been born, even if the read model never showed it.
  const culled = new Set(claim.culled.map(({ node }) => node));
  const arrived = Object.keys(context.promised).filter((node) => reads.nodes.has(node) || culled.has(node));
  const promised = Object.values(context.promised).filter(({ slot }) => !culled.has(slot.node));
  // A Node that two Clusters had as a member leaves one slot, which may already be promised.
  const taken = new Set(promised.flatMap(({ slot }) => slot.replaces ?? []));
  const free = { ...claim, culled: claim.culled.filter(({ node }) => !taken.has(node)) };
  const known = granted.length > 0 || context.claims.includes(id);
  // A fleet whose read model has just started knows no devices, and would grant nothing for good. The saga asks
  // again.
  if (!known && !reads.evolution) return [];
  const slots = known
    ? granted
    : placeOffspring(
        free,
        devicesOf(reads, promised, culled),
        clustersOf(reads, promised, culled),
        MAX_CLUSTER_NODES,
        (index) => `${id}-${index + 1}`,
      );
  const answered = known ? [] : arrived;
  return [
    {
      type: 'SlotsGranted',
      data: { claim: id, cluster, wanted, slots, arrived: answered, readPosition: reads.position, at },
    },
  ];
}

/** Measures the network's fitness, and decides whether the evolution mode changes. */
export function measureFitness(
  { generation, cluster }: CommandData<'MeasureFitness'>,
  context: SuperClusterContext,
  { at, reads }: Given<NetworkView>,
): readonly SuperClusterEvent[] {
  if (context.measured.includes(generation) || !reads.evolution) return [];
  const { adaptiveModes, generationMs, minTasks } = reads.evolution.settings;
  const living = [...reads.nodes.values()].filter(({ alive }) => alive);
  const { scores, judged } = scoresAcross(living, minTasks);
  const score = networkScore(scores);
  if (score === null) return [];
  const band = bandOf(score);
  const events: SuperClusterEvent[] = [
    {
      type: 'NetworkFitnessMeasured',
      data: {
        generation,
        cluster,
        score,
        nodes: scores.length,
        judged,
        band,
        readPosition: reads.position,
        at,
      },
    },
  ];
  // The previous measurement of the same Cluster is a generation old; those of other Clusters may be from the
  // same moment. All must agree on the direction: among many Clusters, two measurements in a row can be found
  // for any mode.
  const { mode, rule } = nextMode(context.mode, context.bands[cluster]?.band, band);
  const side = Math.sign(distance(context.mode, mode));
  // A Cluster with work measures within a generation's time of its first task. An idle one does not count.
  const heardSince = Date.parse(at) - 2 * generationMs;
  const agreed = Object.entries(context.bands)
    .filter(([id, other]) => id !== cluster && reads.clusters.has(id) && Date.parse(other.at) >= heardSince)
    .every(([, other]) => Math.sign(distance(context.mode, other.band)) === side);
  if (adaptiveModes && mode !== context.mode && agreed) {
    const change = { from: context.mode, to: mode, score, rule: rule ?? '', at };
    events.push({ type: 'EvolutionModeChanged', data: change });
  }
  return events;
}

export function approveMerge(
  { cluster, into, cause }: CommandData<'ApproveMerge'>,
  { merged, promised }: SuperClusterContext,
  { at, reads }: Given<NetworkView>,
): readonly SuperClusterEvent[] {
  const known = merged[cluster];
  if (known !== undefined) return [{ type: 'MergeApproved', data: { cluster, into: known, cause, at } }];
  // A Cluster that was merged admits nobody, so no two Clusters can join each other.
  if (into in merged || cluster === into || !reads.clusters.has(into)) return [];
  const onTheirWay = Object.keys(merged).filter((id) => merged[id] === into);
  const promisedTo = Object.values(promised).filter(
    ({ slot }) => slot.cluster === into && !reads.nodes.has(slot.node),
  );
  const together = [into, cluster, ...onTheirWay].reduce(
    (sum, id) => sum + (reads.members.get(id) ?? 0),
    promisedTo.length,
  );
  if (together > MAX_CLUSTER_NODES) return [];
  return [{ type: 'MergeApproved', data: { cluster, into, cause, at } }];
}

/**
 * Devices with room. The slots of this claim's culled Nodes count as free, because their successors get them.
 * In a large network nearly all devices are full and every Cluster asks, so full devices are skipped early.
 */
function devicesOf(
  view: NetworkView,
  promised: readonly Promised[],
  leaving: ReadonlySet<string>,
): readonly DeviceRoom[] {
  const pool = view.evolution?.settings.genePool;
  if (pool === undefined) return [];
  const coming = new Map<string, number>();
  const count = (device: string, change: number) => coming.set(device, (coming.get(device) ?? 0) + change);
  for (const id of leaving) {
    const node = view.nodes.get(id);
    if (node) count(node.device, -1);
  }
  for (const { slot } of promised) if (isMissing(slot, view)) count(slot.device, 1);
  const occupiedOf = (id: string): number => (view.residents.get(id) ?? 0) + (coming.get(id) ?? 0);
  const open = [...view.devices.values()].filter(({ id, slots }) => slots > occupiedOf(id));
  const owners = ownersOf(new Set(open.filter(({ owner }) => owner === null).map(({ id }) => id)), view);
  return open.flatMap(({ id: device, slots, tier, region, owner }) => {
    // On a device that cannot run any pair of models, no Node can be born.
    if (!carriesPair(pool, tier)) return [];
    // A new device earns for an account with its own id. It may not name another account, because wrong work is
    // penalised there.
    const known = owner ?? owners.get(device) ?? device;
    return [{ device, owner: known, tier, region: region ?? '', slots, occupied: occupiedOf(device) }];
  });
}

/** The owner of the Nodes on each device that does not report an owner. */
function ownersOf(devices: ReadonlySet<string>, view: NetworkView): ReadonlyMap<string, string> {
  const owners = new Map<string, string>();
  if (devices.size === 0) return owners;
  for (const { device, owner } of view.nodes.values()) if (devices.has(device)) owners.set(device, owner);
  return owners;
}

function clustersOf(
  view: NetworkView,
  promised: readonly Promised[],
  leaving: ReadonlySet<string>,
): readonly ClusterRoom[] {
  const coming = new Map<string, number>();
  const count = (cluster: string, change: number) => coming.set(cluster, (coming.get(cluster) ?? 0) + change);
  for (const id of leaving) {
    const node = view.nodes.get(id);
    if (node && !node.culled) count(node.cluster, -1);
  }
  for (const { slot } of promised) if (!view.nodes.has(slot.node)) count(slot.cluster, 1);
  const clusters = [...view.clusters.values()];
  const geographic = clusters.filter(({ kind }) => kind === 'geographic').map(({ id }) => id);
  const regions = regionsOf(new Set(geographic), view);
  return clusters.map(({ id, lastBirth }) => {
    const room = {
      cluster: id,
      members: (view.members.get(id) ?? 0) + (coming.get(id) ?? 0),
      lastOffspring: lastBirth,
    };
    const region = regions.get(id);
    return region === undefined ? room : { ...room, region };
  });
}

/**
 * The region of most members of each of these Clusters. One pass over the Nodes serves all Clusters, because in
 * a large network every Cluster asks.
 */
function regionsOf(clusters: ReadonlySet<string>, view: NetworkView): ReadonlyMap<string, string> {
  const counts = new Map<string, Map<string, number>>();
  if (clusters.size === 0) return new Map();
  for (const { cluster, device } of view.nodes.values()) {
    const region = clusters.has(cluster) ? view.devices.get(device)?.region : null;
    if (!region) continue;
    const inRegions = counts.get(cluster) ?? new Map<string, number>();
    counts.set(cluster, inRegions.set(region, (inRegions.get(region) ?? 0) + 1));
  }
  const most = (inRegions: ReadonlyMap<string, number>): string =>
    [...inRegions].reduce((best, next) =>
      next[1] > best[1] || (next[1] === best[1] && next[0] < best[0]) ? next : best,
    )[0];
  return new Map([...counts].map(([cluster, inRegions]) => [cluster, most(inRegions)]));
}

/** Whether the promised Node is neither born nor replaces a Node that is still there. */
function isMissing({ node, replaces }: Promised['slot'], view: NetworkView): boolean {
  return !view.nodes.has(node) && (replaces === null || !view.nodes.has(replaces));
}
