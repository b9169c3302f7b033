import type { SnapshotFrom } from 'xstate';
import type { ClusterEvent, GoldTaskIssued, Share } from '../../events/cluster.ts';
import { generationId } from '../../events/generation.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import type { Address, Effect } from '../actor.ts';
import { waitsUntil } from './examination.ts';
import type { clusterMachine } from './machine.ts';

export function react(event: ClusterEvent, snapshot: SnapshotFrom<typeof clusterMachine>): readonly Effect[] {
  const { cluster } = snapshot.context;
  switch (event.type) {
    case 'ClusterFormed': {
      const { saga } = event.data;
      if (saga === null) return [];
      return [command(saga, 'ConfirmBirth', { what: 'cluster', id: cluster })];
    }
    case 'TaskDistributed': {
      const { shares, subtaskId, attempt, voteBy } = event.data;
      return [
        ...shares.map((share) => assign(share, event.data, cluster)),
        remind(voteBy, { subtaskId, attempt }),
      ];
    }
    case 'TiebreakCalled':
      return [assign(event.data.share, event.data, cluster)];
    case 'ConsensusReached': {
      const { queryId, subtaskId, attempt, result } = event.data;
      const resource = { kind: 'cluster', id: cluster };
      const data = { subtaskId, attempt, resource, result };
      return [command({ kind: 'query', id: queryId }, 'RecordAnswer', data)];
    }
    case 'ConsensusFailed': {
      const { queryId, subtaskId, attempt, reason, best } = event.data;
      const resource = { kind: 'cluster', id: cluster };
      const data = { subtaskId, attempt, resource, reason, best };
      return [command({ kind: 'query', id: queryId }, 'RecordFailure', data)];
    }
    case 'GoldTaskIssued':
      return issue(event.data, cluster);
    case 'GoldTaskJudged': {
      const { taskId, node, taskType, correct, answerKind, responseMs } = event.data;
      const data = { taskId, queryId: taskId, taskType, correct, basis: 'gold', answerKind, responseMs };
      return [command({ kind: 'node', id: node }, 'RecordPerformance', data)];
    }
    case 'PerformanceReported': {
      const { generation, generationDueAt } = event.data;
      return generationDueAt === null ? [] : [remind(generationDueAt, { generation })];
    }
    case 'GenerationScheduled': {
      const { generation, dueAt } = event.data;
      return [remind(dueAt, { generation })];
    }
    case 'GenerationOpened':
    case 'GenerationDemanded': {
      const { generation, trigger, members, dueAt } = event.data;
      const saga = { kind: 'generation', id: generationId(cluster, generation) } as const;
      return [
        command(saga, 'BeginGeneration', { cluster, generation, trigger, members }),
        remind(dueAt, { generation }),
      ];
    }
    case 'ClusterSplit': {
      const { into, name, specialization, generation, movers } = event.data;
      const formation = { cluster: into, name, specialization, generation, saga: null };
      return [
        command({ kind: 'cluster', id: into }, 'FormCluster', formation),
        ...movers.map((node) => move(node, cluster, into, 'split')),
      ];
    }
    case 'MergeProposed': {
      const { into, cause } = event.data;
      const superCluster = { kind: 'superCluster', id: MAIN_SUPER_CLUSTER } as const;
      return [command(superCluster, 'ApproveMerge', { cluster, into, cause })];
    }
    case 'ClusterMerged':
      return event.data.movers.map((node) => move(node, cluster, event.data.into, 'merge'));
    case 'NodeRedirected':
      return [move(event.data.node, cluster, event.data.into, 'merge')];
    case 'NodeDismissed':
    case 'GenerationClosed':
    case 'ClusterCharacterised':
    case 'NodeAdmitted':
    case 'VoteCounted':
    case 'VoteLost':
      return [];
  }
}

function issue({ taskId, node, task, dueAt }: GoldTaskIssued, cluster: string): readonly Effect[] {
  const { prompt, taskType } = task;
  const assignment = { taskId, queryId: taskId, subtaskId: taskId, attempt: 1, prompt, taskType, dueAt };
  const origin = { kind: 'cluster', id: cluster };
  return [
    command({ kind: 'node', id: node }, 'AssignTask', { ...assignment, origin }),
    remind(waitsUntil({ dueAt }), { taskId }),
  ];
}

function move(node: string, from: string, to: string, cause: 'split' | 'merge'): Effect {
  return command({ kind: 'node', id: node }, 'MoveNode', { from, to, cause });
}

function command(to: Address, type: string, data: object): Effect {
  return { kind: 'command', to, command: { type, data } };
}

function remind(dueAt: string, data: object): Effect {
  return { kind: 'timer', dueAt, command: { type: 'PassDeadline', data } };
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
