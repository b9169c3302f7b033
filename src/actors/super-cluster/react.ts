import type { SnapshotFrom } from 'xstate';
import type { SubtaskRouted, SuperClusterEvent } from '../../events/super-cluster.ts';
import { commandTo, type SentCommand } from '../actor.ts';
import type { superClusterMachine } from './machine.ts';

export function react(
  event: SuperClusterEvent,
  _snapshot: SnapshotFrom<typeof superClusterMachine>,
): readonly SentCommand[] {
  switch (event.type) {
    case 'SuperClusterFormed': {
      const { saga, superCluster } = event.data;
      return [commandTo(saga, { type: 'ConfirmBirth', data: { what: 'superCluster', id: superCluster } })];
    }
    case 'SubtaskRouted':
      return [handOut(event.data)];
    case 'RoutingFailed': {
      const { queryId, subtaskId, attempt, reason } = event.data;
      const data = { subtaskId, attempt, resource: null, reason, best: null };
      return [commandTo({ kind: 'query', id: queryId }, { type: 'RecordFailure', data })];
    }
    case 'SlotsGranted': {
      const { claim: id, slots } = event.data;
      return [commandTo({ kind: 'generation', id }, { type: 'ReceiveSlots', data: { slots } })];
    }
    case 'MergeApproved': {
      const { cluster: id, into, cause } = event.data;
      return [commandTo({ kind: 'cluster', id }, { type: 'MergeInto', data: { into, cause } })];
    }
    case 'SubtaskSettled':
    case 'EvolutionConfigured':
    case 'NetworkFitnessMeasured':
    case 'EvolutionModeChanged':
      return [];
  }
}

function handOut(routed: SubtaskRouted): SentCommand {
  const { queryId, subtaskId, attempt, prompt, taskType, complexity, stakes, nodes, dueAt, taskId } = routed;
  const [first] = routed.chosen;
  if (!first) throw new Error(`The subtask ${subtaskId} was routed to nobody.`);
  if (first.kind === 'node') {
    const origin = { kind: 'query', id: queryId } as const;
    const assignment = { taskId, queryId, subtaskId, attempt, prompt, taskType, origin, dueAt };
    return commandTo({ kind: 'node', id: first.id }, { type: 'AssignTask', data: assignment });
  }
  const { guests } = routed;
  const task = { queryId, subtaskId, attempt, prompt, taskType, complexity, stakes, nodes, guests, dueAt };
  return commandTo({ kind: 'cluster', id: first.id }, { type: 'DistributeTask', data: task });
}
