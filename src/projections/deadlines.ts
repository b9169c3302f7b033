import type { Command } from '../actors/actor.ts';
import { waitsUntil } from '../actors/cluster/examination.ts';
import type { ActorKind } from '../events/kinds.ts';
import { idOf, type Projection, type Recorded, type RecordedOf } from './projection.ts';

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

const TYPES = [
  'CreditsReserved',
  'SettlementDemanded',
  'CreditsSettled',
  'CreditsReleased',
  'TaskAccepted',
  'VoteCast',
  'TaskFailed',
  'TaskDistributed',
  'ConsensusReached',
  'ConsensusFailed',
  'QueryAsked',
  'SubtaskDispatched',
  'SubtaskFailed',
  'SubtaskAnswered',
  'QueryAnswered',
  'QueryDeclined',
  'QueryExpired',
  'GenesisBegun',
  'GenesisRepeated',
  'GenesisCompleted',
  'GenerationBegun',
  'GenerationRepeated',
  'GenerationCompleted',
  'GoldTaskIssued',
  'GoldTaskJudged',
  'GenerationScheduled',
  'PerformanceReported',
  'GenerationOpened',
  'GenerationDemanded',
  'GenerationClosed',
] as const;

/** An event that sets or meets a deadline. */
type Timed = RecordedOf<(typeof TYPES)[number]>;

/** The deadlines that have not been met, by actor, so that a fleet that takes over can wind its clocks. */
export const deadlines: Projection<DeadlinesRow, Timed['type']> = {
  name: 'deadlines',
  version: 3,
  resident: true,
  types: TYPES,
  keys(event) {
    const change = changeOf(event);
    return change ? [`${change.kind}/${change.id}`] : [];
  },
  fold(row, event) {
    const change = changeOf(event);
    if (!change) return row;
    const { kind, id } = change;
    if (change.what === 'all-met') return undefined;
    const waiting: Record<string, Deadline> = {};
    for (const key in row?.waiting) {
      const deadline = row.waiting[key];
      if (deadline && key !== change.key) waiting[key] = deadline;
    }
    if (change.what === 'set') waiting[change.key] = change.deadline;
    for (const _key in waiting) return { kind, id, waiting };
    return undefined;
  },
};

/** Streams that are not called after the kind of actor whose they are. */
const CATEGORY: Partial<Record<ActorKind, string>> = { account: 'credit' };

/** What the last event changed: `keys` and `fold` both ask, one right after the other. */
let known: { readonly event: Timed | null; readonly change: Change | null } = {
  event: null,
  change: null,
};

function changeOf(event: Timed): Change | null {
  if (known.event !== event) known = { event, change: readChange(event) };
  return known.change;
}

type Change = { readonly kind: ActorKind; readonly id: string } & (
  | { readonly what: 'set'; readonly key: string; readonly deadline: Deadline }
  | { readonly what: 'met'; readonly key: string }
  | { readonly what: 'all-met' }
);

function readChange(event: Timed): Change | null {
  switch (event.type) {
    case 'CreditsReserved':
    case 'SettlementDemanded': {
      const { transferId, settleBy: dueAt } = event.data;
      const deadline = { dueAt, command: pass({ transferId }) };
      return set('account', event, transferId, deadline);
    }
    case 'CreditsSettled':
    case 'CreditsReleased':
      return met('account', event, event.data.transferId);
    case 'TaskAccepted': {
      const { taskId, dueAt } = event.data;
      return set('node', event, taskId, { dueAt, command: pass({ taskId }) });
    }
    case 'VoteCast':
    case 'TaskFailed':
      return met('node', event, event.data.taskId);
    case 'TaskDistributed': {
      const { subtaskId, attempt, voteBy: dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId, attempt }) };
      return set('cluster', event, `${subtaskId}#${attempt}`, deadline);
    }
    case 'ConsensusReached':
    case 'ConsensusFailed':
      return met('cluster', event, `${event.data.subtaskId}#${event.data.attempt}`);
    case 'QueryAsked': {
      const { dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId: null, attempt: 0, dueAt }) };
      return set('query', event, 'query', deadline);
    }
    case 'SubtaskDispatched': {
      const { subtaskId, attempt, dueAt } = event.data;
      const deadline = { dueAt, command: pass({ subtaskId, attempt, dueAt }) };
      return set('query', event, subtaskId, deadline);
    }
    case 'SubtaskFailed': {
      const { subtaskId, attempt, retryAt } = event.data;
      if (retryAt === null) return met('query', event, subtaskId);
      const deadline = { dueAt: retryAt, command: pass({ subtaskId, attempt, dueAt: retryAt }) };
      return set('query', event, subtaskId, deadline);
    }
    case 'SubtaskAnswered':
      return met('query', event, event.data.subtaskId);
    case 'QueryAnswered':
    case 'QueryDeclined':
    case 'QueryExpired':
      return { kind: 'query', id: idOf(event.stream, 'query'), what: 'all-met' };
    case 'GenesisBegun':
    case 'GenesisRepeated': {
      const { dueAt } = event.data;
      return set('genesis', event, 'births', { dueAt, command: pass({ dueAt }) });
    }
    case 'GenesisCompleted':
      return { kind: 'genesis', id: idOf(event.stream, 'genesis'), what: 'all-met' };
    case 'GenerationBegun':
    case 'GenerationRepeated': {
      const { dueAt } = event.data;
      const deadline = { dueAt, command: pass({ dueAt }) };
      return set('generation', event, 'succession', deadline);
    }
    case 'GenerationCompleted':
      return { kind: 'generation', id: idOf(event.stream, 'generation'), what: 'all-met' };
    case 'GoldTaskIssued': {
      const { taskId } = event.data;
      const deadline = { dueAt: waitsUntil(event.data), command: pass({ taskId }) };
      return set('cluster', event, taskId, deadline);
    }
    case 'GoldTaskJudged':
      return met('cluster', event, event.data.taskId);
    case 'GenerationScheduled': {
      const { generation, dueAt } = event.data;
      const deadline = { dueAt, command: pass({ generation }) };
      return set('cluster', event, 'generation', deadline);
    }
    case 'PerformanceReported': {
      const { generation, generationDueAt: dueAt } = event.data;
      if (dueAt === null) return null;
      const deadline = { dueAt, command: pass({ generation }) };
      return set('cluster', event, 'generation', deadline);
    }
    case 'GenerationOpened':
    case 'GenerationDemanded': {
      const { generation, dueAt } = event.data;
      const deadline = { dueAt, command: pass({ generation }) };
      return set('cluster', event, 'generation', deadline);
    }
    case 'GenerationClosed':
      return met('cluster', event, 'generation');
  }
}

function set(kind: ActorKind, { stream }: Recorded, key: string, deadline: Deadline): Change {
  return { kind, id: idOf(stream, CATEGORY[kind] ?? kind), what: 'set', key, deadline };
}

function met(kind: ActorKind, { stream }: Recorded, key: string): Change {
  return { kind, id: idOf(stream, CATEGORY[kind] ?? kind), what: 'met', key };
}

function pass(data: object): Command {
  return { type: 'PassDeadline', data };
}
