import type { ActorKind, Command } from '../actors/actor.ts';
import { waitsUntil } from '../actors/cluster/gold-tasks.ts';
import { idOf, type Projection, type Recorded } from './projection.ts';

export interface Deadline {
  readonly dueAt: string;
  readonly command: Command;
}

/** What an actor is waiting for, and until when. */
export interface DeadlinesRow {
  readonly kind: ActorKind;
  readonly id: string;
  readonly waiting: Readonly<Record<string, Deadline>>;
}

/** The deadlines that have not been met, by actor, so that a fleet that takes over can wind its clocks. */
export const deadlines: Projection<DeadlinesRow> = {
  name: 'deadlines',
  version: 3,
  resident: true,
  keys(event) {
    const change = changeOf(event);
    return change ? [`${change.kind}/${change.id}`] : [];
  },
  fold(row, event) {
    const change = changeOf(event);
    if (!change) return row;
    const { kind, id } = change;
    if (change.what === 'all-met') return undefined;
    const { [change.key]: _met, ...others } = row?.waiting ?? {};
    const waiting = change.what === 'set' ? { ...others, [change.key]: change.deadline } : others;
    return Object.keys(waiting).length === 0 ? undefined : { kind, id, waiting };
  },
};

type Change = { readonly kind: ActorKind; readonly id: string } & (
  | { readonly what: 'set'; readonly key: string; readonly deadline: Deadline }
  | { readonly what: 'met'; readonly key: string }
  | { readonly what: 'all-met' }
);

function changeOf(event: Recorded): Change | null {
  switch (event.type) {
    case 'CreditsReserved':
    case 'SettlementDemanded': {
      const { transferId, settleBy: dueAt } = event.data;
      const deadline = { dueAt, command: pass({ transferId }) };
      return { ...account(event), what: 'set', key: transferId, deadline };
    }
    case 'CreditsSettled':
    case 'CreditsReleased':
      return { ...account(event), what: 'met', key: event.data.transferId };
    case 'TaskAccepted': {
      const { taskId, dueAt } = event.data;
      return {
        ...at(event, 'node'),
        what: 'set',
        key: taskId,
        deadline: { dueAt, command: pass({ taskId }) },
      };
    }
    case 'VoteCast':
    case 'TaskFailed':
      return { ...at(event, 'node'), what: 'met', key: event.data.taskId };
    case 'TaskDistributed': {
      const { subtaskId, attempt, voteBy: dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId, attempt }) };
      return { ...at(event, 'cluster'), what: 'set', key: `${subtaskId}#${attempt}`, deadline };
    }
    case 'ConsensusReached':
    case 'ConsensusFailed':
      return { ...at(event, 'cluster'), what: 'met', key: `${event.data.subtaskId}#${event.data.attempt}` };
    case 'QueryAsked': {
      const { dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId: null, attempt: 0, dueAt }) };
      return { ...at(event, 'query'), what: 'set', key: 'query', deadline };
    }
    case 'SubtaskDispatched': {
      const { subtaskId, attempt, dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId, attempt, dueAt }) };
      return { ...at(event, 'query'), what: 'set', key: subtaskId, deadline };
    }
    case 'SubtaskFailed': {
      const { subtaskId, attempt, retryAt } = event.data;
      if (retryAt === null) return { ...at(event, 'query'), what: 'met', key: subtaskId };
      const deadline = { dueAt: retryAt, command: pass({ subtaskId, attempt, dueAt: retryAt }) };
      return { ...at(event, 'query'), what: 'set', key: subtaskId, deadline };
    }
    case 'SubtaskAnswered':
      return { ...at(event, 'query'), what: 'met', key: event.data.subtaskId };
    case 'QueryAnswered':
    case 'QueryDeclined':
    case 'QueryExpired':
      return { ...at(event, 'query'), what: 'all-met' };
    case 'GenesisBegun':
    case 'GenesisRepeated': {
      const { dueAt } = event.data;
      return {
        ...at(event, 'genesis'),
        what: 'set',
        key: 'births',
        deadline: { dueAt, command: pass({ dueAt }) },
      };
    }
    case 'GenesisCompleted':
      return { ...at(event, 'genesis'), what: 'all-met' };
    case 'GenerationBegun':
    case 'GenerationRepeated': {
      const { dueAt } = event.data;
      const deadline = { dueAt, command: pass({ dueAt }) };
      return { ...at(event, 'generation'), what: 'set', key: 'succession', deadline };
    }
    case 'GenerationCompleted':
      return { ...at(event, 'generation'), what: 'all-met' };
    case 'GoldTaskIssued': {
      const { taskId } = event.data;
      const deadline = { dueAt: waitsUntil(event.data), command: pass({ taskId }) };
      return { ...at(event, 'cluster'), what: 'set', key: taskId, deadline };
    }
    case 'GoldTaskJudged':
      return { ...at(event, 'cluster'), what: 'met', key: event.data.taskId };
    case 'PerformanceReported': {
      const { generation, generationDueAt: dueAt } = event.data;
      if (dueAt === null) return null;
      const deadline = { dueAt, command: pass({ generation }) };
      return { ...at(event, 'cluster'), what: 'set', key: 'generation', deadline };
    }
    case 'GenerationOpened':
    case 'GenerationDemanded': {
      const { generation, dueAt } = event.data;
      const deadline = { dueAt, command: pass({ generation }) };
      return { ...at(event, 'cluster'), what: 'set', key: 'generation', deadline };
    }
    case 'GenerationClosed':
      return { ...at(event, 'cluster'), what: 'met', key: 'generation' };
    default:
      return null;
  }
}

function at(event: Recorded, kind: ActorKind): { kind: ActorKind; id: string } {
  return { kind, id: idOf(event.stream, kind) };
}

function account(event: Recorded): { kind: ActorKind; id: string } {
  return { kind: 'account', id: idOf(event.stream, 'credit') };
}

function pass(data: object): Command {
  return { type: 'PassDeadline', data };
}
