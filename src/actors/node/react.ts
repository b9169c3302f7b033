import type { SnapshotFrom } from 'xstate';
import type {
  LifeAffirmed,
  NodeBorn,
  NodeEvent,
  TaskAccepted,
  TaskFailed,
  TaskRefused,
  VoteCast,
  WorkOrder,
} from '../../events/node.ts';
import { fillTemplate } from '../../evolution/genome.ts';
import type { Effect } from '../actor.ts';
import { REPORT_EVERY } from '../reporting.ts';
import type { nodeMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof nodeMachine>;

export function react(event: NodeEvent, snapshot: Snapshot): readonly Effect[] {
  switch (event.type) {
    case 'NodeBorn':
      return settleIn(event.data, snapshot);
    case 'TaskAccepted':
      return work(event.data, snapshot);
    case 'VoteCast':
      return [reportVote(event.data, snapshot)];
    case 'TaskRefused': {
      const reason = event.data.reason === 'full' ? 'The Node has too many tasks.' : 'The Node was culled.';
      return [reportFailure(event.data, reason, snapshot)];
    }
    case 'TaskFailed':
      return [reportFailure(event.data, event.data.reason, snapshot)];
    case 'PerformanceRecorded':
      return reportPerformance(snapshot);
    case 'NodeMoved': {
      const { from, to } = event.data;
      return [dismissal(from, snapshot, 'moved'), admission(to, snapshot)];
    }
    case 'NodeCulled':
      return [dismissal(snapshot.context.cluster, snapshot, 'culled')];
    case 'NodeRetired':
      return [confirm({ ...event.data, what: 'retirement' })];
    case 'LifeAffirmed':
      return [confirm(event.data)];
    case 'ModelAnswered':
      return [];
  }
}

function reportPerformance({ context }: Snapshot): readonly Effect[] {
  const { node, cluster, judgements, successes } = context;
  if (judgements % REPORT_EVERY !== 0 || context.culled) return [];
  return [
    {
      kind: 'command',
      to: { kind: 'cluster', id: cluster },
      command: { type: 'ReportPerformance', data: { node, successes } },
    },
  ];
}

function dismissal(cluster: string, { context }: Snapshot, reason: 'culled' | 'moved'): Effect {
  const { node } = context;
  return {
    kind: 'command',
    to: { kind: 'cluster', id: cluster },
    command: { type: 'DismissNode', data: { node, reason } },
  };
}

function confirm({ node, what, saga }: Omit<LifeAffirmed, 'at'>): Effect {
  const command =
    what === 'birth'
      ? { type: 'ConfirmBirth', data: { what: 'node', id: node } }
      : { type: 'ConfirmRetirement', data: { node } };
  return { kind: 'command', to: saga, command };
}

function settleIn({ node, cluster, saga }: NodeBorn, snapshot: Snapshot): readonly Effect[] {
  const { owner } = snapshot.context;
  return [
    admission(cluster, snapshot),
    confirm({ node, what: 'birth', saga }),
    {
      kind: 'command',
      to: { kind: 'account', id: owner },
      command: { type: 'OpenAccount', data: { account: owner } },
    },
  ];
}

function admission(cluster: string, { context }: Snapshot): Effect {
  const { node, device, owner, genome } = context;
  if (!genome) throw new Error(`${node} is to join a Cluster before it was born.`);
  const { specialization, modelA, modelB } = genome;
  return {
    kind: 'command',
    to: { kind: 'cluster', id: cluster },
    command: {
      type: 'AdmitNode',
      data: { node, device, owner, specialization, pair: `${modelA}+${modelB}` },
    },
  };
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
