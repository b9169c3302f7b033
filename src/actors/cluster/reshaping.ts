import type { ClusterEvent } from '../../events/cluster.ts';
import { networkScore, scoresWithin } from '../../evolution/fitness.ts';
import { characterise, FAILING_SCORE, LIMITS, type MemberView, reshape } from '../../evolution/topology.ts';
import type { Given } from '../actor.ts';
import type { NetworkView, NodeView } from '../network-view.ts';
import type { ClusterContext } from './machine.ts';

/** The founding document's upper limit for the size of a Cluster. */
export const MAX_CLUSTER_NODES = LIMITS.max;

/** The members, except those that are leaving, with the properties that a Cluster is named after. */
export function memberViews(context: ClusterContext, view: NetworkView): readonly MemberView[] {
  const staying = Object.values(context.members).filter(({ node }) => !context.leaving.includes(node));
  return staying.map(({ node, device, specialization }) => ({
    node,
    specialization,
    region: view.devices.get(device)?.region ?? null,
  }));
}

/** Mean score of a Cluster's judged members, 0–1; null if none was judged. */
export function clusterScore(cluster: string, view: NetworkView): number | null {
  const members = [...view.nodes.values()].filter((node) => node.cluster === cluster && !node.culled);
  return scoreOf(members, view);
}

function scoreOf(members: readonly NodeView[], view: NetworkView): number | null {
  return networkScore(scoresWithin(members, view.evolution?.settings.minTasks ?? 1).scores);
}

/** Splits a Cluster that has grown large. Proposes a merge for one that is small or fails. */
export function reshaped(
  { cluster, generation }: ClusterContext,
  members: readonly MemberView[],
  score: number | null,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { at, reads } = given;
  const settled = members.length >= LIMITS.min && members.length <= LIMITS.splitAbove;
  // Most Clusters are neither large nor small nor failing. The comparison with all others takes time, so it is
  // skipped for them.
  if (settled && (score === null || score >= FAILING_SCORE)) return [];
  const change = reshape({ cluster, members, score }, othersOf(cluster, reads));
  if (change === null) return [];
  if (change.kind === 'merge') {
    const { into, cause } = change;
    return [{ type: 'MergeProposed', data: { into, cause, at } }];
  }
  const { movers, cause } = change;
  const moving = members.filter(({ node }) => movers.includes(node));
  const { name, specialization } = characterise(moving, 1);
  const into = `cluster-${given.id('split').slice(0, 8)}`;
  return [{ type: 'ClusterSplit', data: { into, name, specialization, movers, cause, generation, at } }];
}

function othersOf(
  cluster: string,
  view: NetworkView,
): readonly { cluster: string; members: number; specialization: string; score: number | null }[] {
  const members = new Map<string, NodeView[]>([...view.clusters.keys()].map((id) => [id, []]));
  for (const node of view.nodes.values()) {
    if (!node.culled) members.get(node.cluster)?.push(node);
  }
  return [...view.clusters.values()]
    .filter(({ id }) => id !== cluster)
    .map(({ id, specialization }) => {
      const own = members.get(id) ?? [];
      return { cluster: id, members: own.length, specialization, score: scoreOf(own, view) };
    });
}
