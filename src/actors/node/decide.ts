import type { SnapshotFrom } from 'xstate';
import type { NodeCommand, NodeEvent } from '../../events/node.ts';
import type { ModelAnswer } from '../../events/values.ts';
import { CommandRefusedError, type Given } from '../actor.ts';
import type { NodeContext, nodeMachine, OpenTask } from './machine.ts';
import { castVote } from './voting.ts';

type Snapshot = SnapshotFrom<typeof nodeMachine>;

/** Most open tasks of a Node. It refuses further tasks. */
export const NODE_TASKS_IN_FLIGHT = 64;

export function decide(command: NodeCommand, snapshot: Snapshot, given: Given): readonly NodeEvent[] {
  const { context } = snapshot;
  const at = given.at;
  if (given.device !== null && (command.type !== 'SubmitAnswers' || given.device !== context.device)) {
    throw new CommandRefusedError(
      `The device "${given.device}" may only submit answers of Nodes that live on it; ${context.node} lives on "${context.device}".`,
    );
  }
  switch (command.type) {
    case 'BearNode': {
      if (snapshot.matches('unborn')) return [{ type: 'NodeBorn', data: { ...command.data, at } }];
      const { node, saga } = command.data;
      return [{ type: 'LifeAffirmed', data: { node, what: 'birth', saga, at } }];
    }
    case 'AssignTask': {
      const { taskId, dueAt } = command.data;
      if (snapshot.matches('unborn')) throw new CommandRefusedError(`There is no Node "${context.node}".`);
      if (dueAt <= at || taskId in context.open || taskId in context.closed) return [];
      if (context.culled) return [{ type: 'TaskRefused', data: { ...command.data, reason: 'culled', at } }];
      if (Object.keys(context.open).length >= NODE_TASKS_IN_FLIGHT) {
        return [{ type: 'TaskRefused', data: { ...command.data, reason: 'full', at } }];
      }
      const seed = Math.floor(given.draw('seed') * 2 ** 32);
      return [{ type: 'TaskAccepted', data: { ...command.data, seed, at } }];
    }
    case 'SubmitAnswers': {
      const task = context.open[command.data.taskId];
      if (!task) return [];
      return [...vote(task, command.data.answers, command.data.failure, at), ...retiring(task, context, at)];
    }
    case 'PassDeadline': {
      const task = context.open[command.data.taskId];
      if (!task || at < task.dueAt) return [];
      const reason = 'Its device gave no answer before the deadline.';
      return [failed(task, reason, at), ...retiring(task, context, at)];
    }
    case 'RecordPerformance': {
      const { taskId } = command.data;
      if (snapshot.matches('unborn') || context.judged.includes(taskId)) return [];
      const computeMs = context.open[taskId] ? null : (context.closed[taskId]?.computeMs ?? null);
      return [{ type: 'PerformanceRecorded', data: { ...command.data, computeMs, at } }];
    }
    case 'MoveNode': {
      const { from, to } = command.data;
      if (snapshot.matches('unborn')) throw new CommandRefusedError(`There is no Node "${context.node}".`);
      if (context.culled || context.cluster !== from || from === to) return [];
      return [{ type: 'NodeMoved', data: { ...command.data, at } }];
    }
    case 'CullNode': {
      const { node } = context;
      if (snapshot.matches('unborn')) throw new CommandRefusedError(`There is no Node "${node}".`);
      const { saga } = command.data;
      if (snapshot.matches('retired')) {
        return [{ type: 'LifeAffirmed', data: { node, what: 'retirement', saga, at } }];
      }
      if (context.culled) return [];
      const inHand = Object.keys(context.open).length;
      const culled: NodeEvent = { type: 'NodeCulled', data: { ...command.data, inHand, at } };
      return inHand === 0 ? [culled, { type: 'NodeRetired', data: { node, saga, at } }] : [culled];
    }
  }
}

/** Retires a culled Node with its last open task. */
function retiring(ended: OpenTask, { culled, node, open }: NodeContext, at: string): readonly NodeEvent[] {
  const others = Object.keys(open).some((taskId) => taskId !== ended.taskId);
  return culled && !others ? [{ type: 'NodeRetired', data: { node, saga: culled.saga, at } }] : [];
}

function vote(
  task: OpenTask,
  answers: readonly [ModelAnswer | null, ModelAnswer | null],
  failure: string | null,
  at: string,
): readonly NodeEvent[] {
  const [a, b] = answers;
  if (!a && !b) return [failed(task, failure ?? 'Neither model gave an answer.', at)];
  const { taskId, queryId, subtaskId, attempt, taskType, origin } = task;
  const heard: NodeEvent[] = [];
  if (a) heard.push({ type: 'ModelAnswered', data: { taskId, slot: 'A', answer: a, at } });
  if (b) heard.push({ type: 'ModelAnswered', data: { taskId, slot: 'B', answer: b, at } });
  const responseMs = Math.max(0, Date.parse(at) - Date.parse(task.acceptedAt));
  return [
    ...heard,
    {
      type: 'VoteCast',
      data: {
        taskId,
        queryId,
        subtaskId,
        attempt,
        taskType,
        origin,
        vote: castVote(answers, taskType),
        failure,
        responseMs,
        at,
      },
    },
  ];
}

function failed(task: OpenTask, reason: string, at: string): NodeEvent {
  const { taskId, queryId, subtaskId, attempt, origin } = task;
  return { type: 'TaskFailed', data: { taskId, queryId, subtaskId, attempt, origin, reason, at } };
}
