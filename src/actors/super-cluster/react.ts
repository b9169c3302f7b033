import type { SnapshotFrom } from 'xstate';
import type { SubtaskRouted, SuperClusterEvent } from '../../events/super-cluster.ts';
import type { Effect } from '../actor.ts';
import type { superClusterMachine } from './machine.ts';

export function react(
  event: SuperClusterEvent,
  _snapshot: SnapshotFrom<typeof superClusterMachine>,
): readonly Effect[] {
  switch (event.type) {
    case 'SuperClusterFormed': {
      const { saga, superCluster } = event.data;
      return [
        {
          kind: 'command',
          to: saga,
          command: { type: 'ConfirmBirth', data: { what: 'superCluster', id: superCluster } },
        },
      ];
    }
    case 'SubtaskRouted':
      return [handOut(event.data)];
    case 'RoutingFailed': {
      const { queryId, subtaskId, attempt, reason } = event.data;
      return [
        {
          kind: 'command',
          to: { kind: 'query', id: queryId },
          command: {
            type: 'RecordFailure',
            data: { subtaskId, attempt, resource: null, reason, best: null },
          },
        },
      ];
    }
    case 'SlotsGranted': {
      const { claim: id, slots } = event.data;
      return [
        {
          kind: 'command',
          to: { kind: 'generation', id },
          command: { type: 'ReceiveSlots', data: { slots } },
        },
      ];
    }
    case 'MergeApproved': {
      const { cluster: id, into, cause } = event.data;
      return [
        {
          kind: 'command',
          to: { kind: 'cluster', id },
          command: { type: 'MergeInto', data: { into, cause } },
        },
      ];
    }
    case 'SubtaskSettled':
    case 'EvolutionConfigured':
    case 'NetworkFitnessMeasured':
    case 'EvolutionModeChanged':
      return [];
  }
}

function handOut(routed: SubtaskRouted): Effect {
  const { queryId, subtaskId, attempt, prompt, taskType, complexity, stakes, nodes, dueAt, taskId } = routed;
  const [first] = routed.chosen;
  if (!first) throw new Error(`The subtask ${subtaskId} was routed to nobody.`);
  if (first.kind === 'node') {
    const origin = { kind: 'query', id: queryId };
    return {
      kind: 'command',
      to: { kind: 'node', id: first.id },
      command: {
        type: 'AssignTask',
        data: { taskId, queryId, subtaskId, attempt, prompt, taskType, origin, dueAt },
      },
    };
  }
  return {
    kind: 'command',
    to: { kind: 'cluster', id: first.id },
    command: {
      type: 'DistributeTask',
      data: {
        queryId,
        subtaskId,
        attempt,
        prompt,
        taskType,
        complexity,
        stakes,
        nodes,
        guests: routed.guests,
        dueAt,
      },
    },
  };
}
