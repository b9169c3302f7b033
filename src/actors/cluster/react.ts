import type { SnapshotFrom } from 'xstate';
import type {
  ClusterEvent,
  GoldTaskIssued,
  Share,
  TaskDistributed,
  TiebreakCalled,
} from '../../events/cluster.ts';
import { generationId } from '../../events/generation.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import { commandTo, type MessageEffect, type SentCommand } from '../actor.ts';
import type { clusterMachine } from './machine.ts';

export function react(
  event: ClusterEvent,
  snapshot: SnapshotFrom<typeof clusterMachine>,
): readonly MessageEffect[] {
  const { cluster } = snapshot.context;
  switch (event.type) {
    case 'ClusterFormed': {
      const { saga } = event.data;
      if (saga === null) return [];
      return [commandTo(saga, { type: 'ConfirmBirth', data: { what: 'cluster', id: cluster } })];
    }
    case 'TaskDistributed':
      return event.data.shares.map((share) => assign(share, event.data, cluster));
    case 'TiebreakCalled':
      return [assign(event.data.share, event.data, cluster)];
    case 'ConsensusReached': {
      const { queryId, subtaskId, attempt, result } = event.data;
      const data = { subtaskId, attempt, resource: { kind: 'cluster', id: cluster }, result } as const;
      return [commandTo({ kind: 'query', id: queryId }, { type: 'RecordAnswer', data })];
    }
    case 'ConsensusFailed': {
      const { queryId, subtaskId, attempt, reason, best } = event.data;
      const data = { subtaskId, attempt, resource: { kind: 'cluster', id: cluster }, reason, best } as const;
      return [commandTo({ kind: 'query', id: queryId }, { type: 'RecordFailure', data })];
    }
    case 'GoldTaskIssued':
      return [issue(event.data, cluster)];
    case 'GoldTaskJudged': {
      const { taskId, node, taskType, correct, answerKind, responseMs } = event.data;
      const judged = { taskType, correct, basis: 'gold', answerKind, responseMs } as const;
      const data = { taskId, queryId: taskId, ...judged };
      return [commandTo({ kind: 'node', id: node }, { type: 'RecordPerformance', data })];
    }
    case 'GenerationOpened':
    case 'GenerationDemanded': {
      const { generation, trigger, members } = event.data;
      const saga = { kind: 'generation', id: generationId(cluster, generation) } as const;
      return [commandTo(saga, { type: 'BeginGeneration', data: { cluster, generation, trigger, members } })];
    }
    case 'ClusterSplit': {
      const { into, name, specialization, generation, movers } = event.data;
      const formation = { cluster: into, name, specialization, generation, saga: null };
      return [
        commandTo({ kind: 'cluster', id: into }, { type: 'FormCluster', data: formation }),
        ...movers.map((node) => move(node, cluster, into, 'split')),
      ];
    }
    case 'MergeProposed': {
      const { into, cause } = event.data;
      const superCluster = { kind: 'superCluster', id: MAIN_SUPER_CLUSTER } as const;
      return [commandTo(superCluster, { type: 'ApproveMerge', data: { cluster, into, cause } })];
    }
    case 'ClusterMerged':
      return event.data.movers.map((node) => move(node, cluster, event.data.into, 'merge'));
    case 'NodeRedirected':
      return [move(event.data.node, cluster, event.data.into, 'merge')];
    case 'NodeDismissed':
    case 'PerformanceReported':
    case 'GenerationScheduled':
    case 'GenerationClosed':
    case 'ClusterCharacterised':
    case 'NodeAdmitted':
    case 'VoteCounted':
    case 'VoteLost':
      return [];
  }
}

function issue({ taskId, node, task, dueAt }: GoldTaskIssued, cluster: string): SentCommand {
  const { prompt, taskType } = task;
  const assignment = { taskId, queryId: taskId, subtaskId: taskId, attempt: 1, prompt, taskType, dueAt };
  const origin = { kind: 'cluster', id: cluster } as const;
  return commandTo({ kind: 'node', id: node }, { type: 'AssignTask', data: { ...assignment, origin } });
}

function move(node: string, from: string, to: string, cause: 'split' | 'merge'): SentCommand {
  return commandTo({ kind: 'node', id: node }, { type: 'MoveNode', data: { from, to, cause } });
}

function assign(share: Share, task: TaskDistributed | TiebreakCalled, cluster: string): SentCommand {
  const { queryId, subtaskId, attempt, prompt, taskType, voteBy } = task;
  return commandTo(
    { kind: 'node', id: share.node },
    {
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
  );
}
