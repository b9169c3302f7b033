import type { SnapshotFrom } from 'xstate';
import type { GenerationRef, SagaRef } from '../../events/evolution.ts';
import type {
  NodeBorn,
  NodeEvent,
  TaskAccepted,
  TaskFailed,
  TaskRefused,
  VoteCast,
  WorkOrder,
} from '../../events/node.ts';
import type { Genome } from '../../events/values.ts';
import { fillTemplate } from '../../evolution/genome.ts';
import { commandTo, type MessageEffect, type SentCommand, type WorkEffect } from '../actor.ts';
import { REPORT_EVERY } from '../reporting.ts';
import type { NodeContext, nodeMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof nodeMachine>;

export function react(event: NodeEvent, snapshot: Snapshot): readonly MessageEffect[] {
  switch (event.type) {
    case 'NodeBorn':
      return settleIn(event.data, snapshot);
    case 'TaskAccepted':
      return [work(event.data, snapshot)];
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
      return [confirmRetirement(event.data.node, event.data.saga)];
    case 'LifeAffirmed': {
      const life = event.data;
      return [
        life.what === 'birth' ? confirmBirth(life.node, life.saga) : confirmRetirement(life.node, life.saga),
      ];
    }
    case 'ModelAnswered':
      return [];
  }
}

function reportPerformance({ context }: Snapshot): readonly SentCommand[] {
  const { node, cluster, judgements, successes } = context;
  if (judgements % REPORT_EVERY !== 0 || context.culled) return [];
  return [
    commandTo({ kind: 'cluster', id: cluster }, { type: 'ReportPerformance', data: { node, successes } }),
  ];
}

function dismissal(cluster: string, { context }: Snapshot, reason: 'culled' | 'moved'): SentCommand {
  const { node } = context;
  return commandTo({ kind: 'cluster', id: cluster }, { type: 'DismissNode', data: { node, reason } });
}

function confirmBirth(node: string, saga: SagaRef): SentCommand {
  return commandTo(saga, { type: 'ConfirmBirth', data: { what: 'node', id: node } });
}

function confirmRetirement(node: string, saga: GenerationRef): SentCommand {
  return commandTo(saga, { type: 'ConfirmRetirement', data: { node } });
}

function settleIn({ node, cluster, saga }: NodeBorn, snapshot: Snapshot): readonly SentCommand[] {
  const { owner } = snapshot.context;
  return [
    admission(cluster, snapshot),
    confirmBirth(node, saga),
    commandTo({ kind: 'account', id: owner }, { type: 'OpenAccount', data: { account: owner } }),
  ];
}

function admission(cluster: string, { context }: Snapshot): SentCommand {
  const { node, device, owner } = context;
  const { specialization, modelA, modelB } = genomeOf(context);
  return commandTo(
    { kind: 'cluster', id: cluster },
    { type: 'AdmitNode', data: { node, device, owner, specialization, pair: `${modelA}+${modelB}` } },
  );
}

function work(task: TaskAccepted, { context }: Snapshot): WorkEffect {
  const { device, node } = context;
  const genome = genomeOf(context);
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
  return { kind: 'work', device, body };
}

function genomeOf({ node, genome }: NodeContext): Genome {
  if (!genome) throw new Error(`The Node "${node}" is not born yet.`);
  return genome;
}

function reportVote(cast: VoteCast, { context }: Snapshot): SentCommand {
  const { node, device, owner } = context;
  const { taskId, subtaskId, attempt, origin, vote, responseMs } = cast;
  if (origin.kind === 'cluster') {
    const ballot = { subtaskId, attempt, taskId, node, vote, responseMs };
    return commandTo(origin, { type: 'CountVote', data: ballot });
  }
  const { answer, kind, confidence } = vote;
  return commandTo(origin, {
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
  });
}

function reportFailure(task: TaskFailed | TaskRefused, reason: string, { context }: Snapshot): SentCommand {
  const { taskId, subtaskId, attempt, origin } = task;
  const { node } = context;
  if (origin.kind === 'cluster') {
    return commandTo(origin, { type: 'LoseVote', data: { subtaskId, attempt, taskId, node, reason } });
  }
  return commandTo(origin, {
    type: 'RecordFailure',
    data: { subtaskId, attempt, resource: { kind: 'node', id: node }, reason, best: null },
  });
}
