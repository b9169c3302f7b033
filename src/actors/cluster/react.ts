import type { SnapshotFrom } from 'xstate';
import type { ClusterEvent, Share } from '../../events/cluster.ts';
import type { Effect } from '../actor.ts';
import type { clusterMachine } from './machine.ts';

export function react(event: ClusterEvent, snapshot: SnapshotFrom<typeof clusterMachine>): readonly Effect[] {
  const { cluster } = snapshot.context;
  switch (event.type) {
    case 'ClusterFormed':
      return [
        {
          kind: 'command',
          to: { kind: 'genesis', id: event.data.saga },
          command: { type: 'ConfirmBirth', data: { what: 'cluster', id: cluster } },
        },
      ];
    case 'TaskDistributed': {
      const { shares, subtaskId, attempt, voteBy } = event.data;
      return [
        ...shares.map((share) => assign(share, event.data, cluster)),
        { kind: 'timer', dueAt: voteBy, command: { type: 'PassDeadline', data: { subtaskId, attempt } } },
      ];
    }
    case 'TiebreakCalled':
      return [assign(event.data.share, event.data, cluster)];
    case 'ConsensusReached': {
      const { queryId, subtaskId, attempt, result } = event.data;
      const resource = { kind: 'cluster', id: cluster };
      return [
        {
          kind: 'command',
          to: { kind: 'query', id: queryId },
          command: { type: 'RecordAnswer', data: { subtaskId, attempt, resource, result } },
        },
      ];
    }
    case 'ConsensusFailed': {
      const { queryId, subtaskId, attempt, reason, best } = event.data;
      const resource = { kind: 'cluster', id: cluster };
      return [
        {
          kind: 'command',
          to: { kind: 'query', id: queryId },
          command: { type: 'RecordFailure', data: { subtaskId, attempt, resource, reason, best } },
        },
      ];
    }
    case 'NodeAdmitted':
    case 'VoteCounted':
    case 'VoteLost':
      return [];
  }
}

function assign(
  share: Share,
  task: {
    queryId: string;
    subtaskId: string;
    attempt: number;
    prompt: string;
    taskType: string;
    voteBy: string;
  },
  cluster: string,
): Effect {
  const { queryId, subtaskId, attempt, prompt, taskType, voteBy } = task;
  return {
    kind: 'command',
    to: { kind: 'node', id: share.node },
    command: {
      type: 'AssignTask',
      data: {
        taskId: share.taskId,
        queryId,
        subtaskId,
        attempt,
        prompt,
        taskType,
        origin: { kind: 'cluster', id: cluster },
        dueAt: voteBy,
      },
    },
  };
}
