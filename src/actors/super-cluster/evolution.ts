import { canonicalJson } from '../../events/envelope.ts';
import type { SuperClusterCommand, SuperClusterEvent } from '../../events/super-cluster.ts';
import { networkScore, scoresAcross } from '../../evolution/fitness.ts';
import { carriesPair } from '../../evolution/genetics.ts';
import { bandOf, distance, nextMode } from '../../evolution/modes.ts';
import type { Given } from '../actor.ts';
import { MAX_CLUSTER_NODES } from '../cluster/reshaping.ts';
import type { NetworkView } from '../network-view.ts';
import type { Promised, SuperClusterContext } from './machine.ts';
import { type ClusterRoom, type DeviceRoom, placeOffspring } from './placement.ts';

type CommandData<T extends SuperClusterCommand['type']> = Extract<SuperClusterCommand, { type: T }>['data'];

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
 * Where the offspring of a generation may live. One stream grants all slots, so no two Clusters are given the same one.
 * A claim that was granted before is granted again alike: its answer may have been lost.
 */
export function grantSlots(
  claim: CommandData<'ClaimSlots'>,
  context: SuperClusterContext,
  { at, reads }: Given<NetworkView>,
): readonly SuperClusterEvent[] {
  const { claim: id, cluster, wanted } = claim;
  const granted = Object.values(context.promised).flatMap((one) => (one.claim === id ? [one.slot] : []));
  // Who is culled has lived, even if it came and went before this read model was looked at.
  const culled = new Set(claim.culled.map(({ node }) => node));
  const arrived = Object.keys(context.promised).filter((node) => reads.nodes.has(node) || culled.has(node));
  const promised = Object.values(context.promised).filter(({ slot }) => !culled.has(slot.node));
  // A Node that two Clusters took for theirs leaves one slot, which may be promised already.
  const taken = new Set(promised.flatMap(({ slot }) => slot.replaces ?? []));
  const free = { ...claim, culled: claim.culled.filter(({ node }) => !taken.has(node)) };
  const known = granted.length > 0 || context.claims.includes(id);
  // A fleet that has just begun to read knows no devices yet, and would grant nothing for good: the saga asks again.
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

/** How well the network does, and whether evolution must press harder or may press less. */
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
  // The same Cluster's last measurement lies a whole generation back; those of others may be of the same moment. They
  // must agree on the direction: with many Clusters, two measurements in a row are soon found for anything.
  const { mode, rule } = nextMode(context.mode, context.bands[cluster]?.band, band);
  const side = Math.sign(distance(context.mode, mode));
  // Whoever has work measures within a generation's time of its first task; one that is idle has no say.
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
  // Whoever has left takes nobody in, so no two Clusters go over to each other.
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
 * Devices with room. The slots of this claim's culled Nodes count as free: they go to their successors. In a large network
 * nearly all devices are full, and every Cluster asks: nothing is made for those.
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
    // Where no pair of models can run, nobody can be born.
    if (!carriesPair(pool, tier)) return [];
    // A new device earns for an account of its own name. It may not name another: wrong work is penalised there.
    const known = owner ?? owners.get(device) ?? device;
    return [{ device, owner: known, tier, region: region ?? '', slots, occupied: occupiedOf(device) }];
  });
}

/** Whose Nodes live on devices that do not say whose they are. */
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

/** Where most members of each of these Clusters are. One look at the Nodes for all: in a large network each Cluster asks. */
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

/** Promised, and neither born yet nor standing in for one that is still there. */
function isMissing({ node, replaces }: Promised['slot'], view: NetworkView): boolean {
  return !view.nodes.has(node) && (replaces === null || !view.nodes.has(replaces));
}
