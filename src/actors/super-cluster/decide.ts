import type { SnapshotFrom } from 'xstate';
import type { Member } from '../../events/cluster.ts';
import type { RoutingRequest, SuperClusterCommand, SuperClusterEvent } from '../../events/super-cluster.ts';
import type { Resource } from '../../events/values.ts';
import type { Given } from '../actor.ts';
import { MAX_CLUSTER_NODES } from '../cluster/reshaping.ts';
import type { NetworkView } from '../network-view.ts';
import { NODE_TASKS_IN_FLIGHT } from '../node/decide.ts';
import { needsReplication, trustOf } from '../verifier/trust.ts';
import { approveMerge, configure, grantSlots, measureFitness } from './evolution.ts';
import type { RoutedSubtask, superClusterMachine } from './machine.ts';
import { type Candidate, type RoutingDraws, route } from './routing.ts';

type Snapshot = SnapshotFrom<typeof superClusterMachine>;

/** Share of single-Node answers that a Cluster gives instead, as a spot check. */
const SPOT_CHECK_SHARE = 0.05;

/** Nodes that vote on a replicated or spot-checked subtask. */
const REPLICAS = 3;

export function decide(
  command: SuperClusterCommand,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): readonly SuperClusterEvent[] {
  const { context } = snapshot;
  const at = given.at;
  switch (command.type) {
    case 'FormSuperCluster': {
      if (!snapshot.matches({ routing: 'unformed' })) return [];
      return [{ type: 'SuperClusterFormed', data: { ...command.data, at } }];
    }
    case 'RouteSubtask': {
      const { subtaskId, attempt, dueAt } = command.data;
      const known = context.inFlight[subtaskId];
      if (dueAt <= at || (known && known.attempt >= attempt) || context.settled.includes(subtaskId))
        return [];
      const silent = known?.resource;
      // Another attempt means that the resource of the last one has failed, even if it only did not answer.
      const failed = command.data.exclude;
      const exclude = silent && !failed.some(({ id }) => id === silent.id) ? [...failed, silent] : failed;
      if (snapshot.matches({ routing: 'unformed' }))
        return [failing(command.data, 'The network is not born yet.', at)];
      return [routed({ ...command.data, exclude }, context.inFlight, given)];
    }
    case 'SettleSubtask': {
      if (!(command.data.subtaskId in context.inFlight)) return [];
      return [{ type: 'SubtaskSettled', data: { ...command.data, at } }];
    }
    case 'ConfigureEvolution':
      return configure(command.data, context, at);
    case 'ClaimSlots':
      return grantSlots(command.data, context, given);
    case 'MeasureFitness':
      return measureFitness(command.data, context, given);
    case 'ApproveMerge':
      return approveMerge(command.data, context, given);
  }
}

function routed(
  request: RoutingRequest,
  inFlight: Readonly<Record<string, RoutedSubtask>>,
  given: Given<NetworkView>,
): SuperClusterEvent {
  const { taskType, prefer, specialization, nodes } = request;
  const exclude = request.exclude.map((resource) => resource.id);
  const candidates = candidatesFor(taskType, inFlight, given.reads);
  const used: number[] = [];
  const draws = recordedDraws(given, used);
  const want = { taskType, prefer, specialization, nodes, exclude };
  let choice = route(want, candidates, draws);
  let replicatedFor: 'new-node' | 'spot-check' | null = null;
  const first = choice?.chosen[0];
  if (choice && first?.kind === 'node' && nodes === 1) {
    replicatedFor = replication(first.id, request, given, used);
    if (replicatedFor !== null) {
      choice = route({ ...want, prefer: 'cluster', nodes: REPLICAS }, candidates, draws) ?? choice;
    }
  }
  const { subtaskId, attempt } = request;
  if (!choice || choice.chosen.length === 0) {
    const reason =
      candidates.length === 0
        ? 'The network has no Node yet.'
        : 'No Node is there to take the task, or all that are have failed at it.';
    return failing(request, reason, given.at);
  }
  const { mode, chosen, ranking, policy, why } = choice;
  const replicated = replicatedFor !== null && mode !== 'node';
  return {
    type: 'SubtaskRouted',
    data: {
      ...request,
      nodes: replicated ? REPLICAS : nodes,
      mode,
      chosen,
      guests: mode === 'mixed' ? guestsOf(chosen, given.reads) : [],
      ranking,
      policy,
      replicatedFor: replicated ? replicatedFor : null,
      why,
      draws: used,
      taskId: given.id(`task of ${subtaskId} ${attempt}`),
      readPosition: given.reads.position,
      at: given.at,
    },
  };
}

function failing(request: RoutingRequest, reason: string, at: string): SuperClusterEvent {
  const { queryId, subtaskId, attempt, dueAt } = request;
  return { type: 'RoutingFailed', data: { queryId, subtaskId, attempt, reason, dueAt, at } };
}

/**
 * Whether one Node's answer is not enough. Computation finds a wrong answer to a checkable task, so that needs
 * no second Node. Other tasks are replicated until the Node is proven, and spot-checked afterwards.
 */
function replication(
  nodeId: string,
  request: RoutingRequest,
  given: Given<NetworkView>,
  used: number[],
): 'new-node' | 'spot-check' | null {
  if (request.checkable) return null;
  const draw = given.draw('spot check');
  used.push(draw);
  const node = given.reads.nodes.get(nodeId);
  // With a draw of 1, only the record decides. The spot check has its own draw below.
  if (!node || needsReplication(node.trust, 1)) return 'new-node';
  return draw < SPOT_CHECK_SHARE ? 'spot-check' : null;
}

/** The available Nodes, and the Clusters with at least one, as routing sees them. */
function candidatesFor(
  taskType: string,
  inFlight: Readonly<Record<string, RoutedSubtask>>,
  view: NetworkView,
): readonly Candidate[] {
  const busy = new Map<string, number>();
  for (const { resource } of Object.values(inFlight)) {
    if (resource) busy.set(resource.id, (busy.get(resource.id) ?? 0) + 1);
  }
  const live = new Map<string, { nodes: number; trust: number; proximityMs: number }>();
  const candidates: Candidate[] = [];
  for (const node of view.nodes.values()) {
    const trust = trustOf(node.trust, node.uptime);
    if (node.alive) {
      const cluster = live.get(node.cluster) ?? { nodes: 0, trust: 0, proximityMs: 0 };
      live.set(node.cluster, {
        nodes: cluster.nodes + 1,
        trust: cluster.trust + trust,
        proximityMs: cluster.proximityMs + node.proximityMs,
      });
    }
    candidates.push({
      kind: 'node',
      id: node.id,
      species: node.species,
      specialization: node.specialization,
      load: Math.max(node.inFlight, busy.get(node.id) ?? 0) / NODE_TASKS_IN_FLIGHT,
      proximityMs: node.proximityMs,
      trust,
      alive: node.alive,
      row: node.rows[taskType] ?? null,
    });
  }
  for (const cluster of view.clusters.values()) {
    const members = live.get(cluster.id);
    candidates.push({
      kind: 'cluster',
      id: cluster.id,
      specialization: cluster.specialization,
      load:
        (busy.get(cluster.id) ?? 0) /
        (NODE_TASKS_IN_FLIGHT * Math.min(MAX_CLUSTER_NODES, members?.nodes ?? 1)),
      proximityMs: members ? members.proximityMs / members.nodes : 0,
      trust: members ? members.trust / members.nodes : 0,
      alive: members !== undefined,
      row: cluster.rows[taskType] ?? null,
    });
  }
  return candidates;
}

/** In mode `mixed`, the best chosen Node is the guest of the Cluster, unless it is a member. */
function guestsOf(chosen: readonly Resource[], view: NetworkView): readonly Member[] {
  const host = chosen.find((resource) => resource.kind === 'cluster')?.id;
  const outsiders = chosen.filter(({ kind, id }) => kind === 'node' && view.nodes.get(id)?.cluster !== host);
  return outsiders.slice(0, 1).flatMap((resource) => {
    const node = view.nodes.get(resource.id);
    if (!node) return [];
    return [
      {
        node: node.id,
        device: node.device,
        owner: node.owner,
        specialization: node.specialization,
        pair: node.pair,
      },
    ];
  });
}

/** Draws that are recorded, so that a replay can show what the choice depended on. */
function recordedDraws(given: Given<NetworkView>, used: number[]): RoutingDraws {
  const policy = given.draw('policy');
  const pick = given.draw('pick');
  used.push(policy, pick);
  return { policy, pick, thompson: (id, index) => given.draw(`thompson ${id}`, index) };
}
