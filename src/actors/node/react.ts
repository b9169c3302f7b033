import type { SnapshotFrom } from 'xstate';
import type {
  NodeBorn,
  NodeEvent,
  TaskAccepted,
  TaskFailed,
  TaskRefused,
  VoteCast,
  WorkOrder,
} from '../../events/node.ts';
import type { Effect } from '../actor.ts';
import { fillTemplate } from './genome.ts';
import type { nodeMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof nodeMachine>;

export function react(event: NodeEvent, snapshot: Snapshot): readonly Effect[] {
  switch (event.type) {
    case 'NodeBorn':
      return settleIn(event.data);
    case 'TaskAccepted':
      return work(event.data, snapshot);
    case 'VoteCast':
      return [reportVote(event.data, snapshot)];
    case 'TaskRefused':
      return [reportFailure(event.data, 'The Node has too many tasks.', snapshot)];
    case 'TaskFailed':
      return [reportFailure(event.data, event.data.reason, snapshot)];
    case 'ModelAnswered':
    case 'PerformanceRecorded':
      return [];
  }
}

function settleIn({ node, device, owner, cluster, saga, genome }: NodeBorn): readonly Effect[] {
  const { specialization, modelA, modelB } = genome;
  const pair = `${modelA}+${modelB}`;
  return [
    {
      kind: 'command',
      to: { kind: 'cluster', id: cluster },
      command: { type: 'AdmitNode', data: { node, device, owner, specialization, pair } },
    },
    {
      kind: 'command',
      to: { kind: 'genesis', id: saga },
      command: { type: 'ConfirmBirth', data: { what: 'node', id: node } },
    },
  ];
}

function work(task: TaskAccepted, { context }: Snapshot): readonly Effect[] {
  const { genome, device, node } = context;
  if (!genome) throw new Error(`${node} took a task before it was born.`);
  const body: WorkOrder = {
    node,
    taskId: task.taskId,
    prompt: fillTemplate(genome.promptTemplates.user, task.prompt),
    system: genome.promptTemplates.system,
    models: [genome.modelA, genome.modelB],
    params: genome.samplingParams,
    seed: task.seed,
    dueAt: task.dueAt,
  };
  return [
    { kind: 'work', device, body },
    { kind: 'timer', dueAt: task.dueAt, command: { type: 'PassDeadline', data: { taskId: task.taskId } } },
  ];
}

function reportVote(cast: VoteCast, { context }: Snapshot): Effect {
  const { node, device, owner } = context;
  const { taskId, subtaskId, attempt, origin, vote, responseMs } = cast;
  if (origin.kind === 'cluster') {
    return {
      kind: 'command',
      to: origin,
      command: { type: 'CountVote', data: { subtaskId, attempt, taskId, node, vote, responseMs } },
    };
  }
  const { answer, kind, confidence } = vote;
  return {
    kind: 'command',
    to: origin,
    command: {
      type: 'RecordAnswer',
      data: {
        subtaskId,
        attempt,
        resource: { kind: 'node', id: node },
        result: {
          answer,
          kind,
          confidence,
          agreement: 1,
          contributions: [{ node, device, owner, taskId, answer, kind, confidence, responseMs }],
        },
      },
    },
  };
}

function reportFailure(task: TaskFailed | TaskRefused, reason: string, { context }: Snapshot): Effect {
  const { taskId, subtaskId, attempt, origin } = task;
  const { node } = context;
  if (origin.kind === 'cluster') {
    return {
      kind: 'command',
      to: origin,
      command: { type: 'LoseVote', data: { subtaskId, attempt, taskId, node, reason } },
    };
  }
  return {
    kind: 'command',
    to: origin,
    command: {
      type: 'RecordFailure',
      data: { subtaskId, attempt, resource: { kind: 'node', id: node }, reason, best: null },
    },
  };
}
