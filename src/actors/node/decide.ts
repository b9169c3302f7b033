import type { SnapshotFrom } from 'xstate';
import type { NodeCommand, NodeEvent } from '../../events/node.ts';
import type { ModelAnswer } from '../../events/values.ts';
import { CommandRefusedError, type Given } from '../actor.ts';
import type { nodeMachine, OpenTask } from './machine.ts';
import { castVote } from './voting.ts';

type Snapshot = SnapshotFrom<typeof nodeMachine>;

/** A Node takes on no more tasks than this at once; its Cluster finds another one then. */
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
    case 'BearNode':
      return snapshot.matches('unborn') ? [{ type: 'NodeBorn', data: { ...command.data, at } }] : [];
    case 'AssignTask': {
      const { taskId, dueAt } = command.data;
      if (snapshot.matches('unborn')) throw new CommandRefusedError(`There is no Node "${context.node}".`);
      if (dueAt <= at || taskId in context.open || taskId in context.closed) return [];
      if (Object.keys(context.open).length >= NODE_TASKS_IN_FLIGHT) {
        return [{ type: 'TaskRefused', data: { ...command.data, reason: 'full', at } }];
      }
      const seed = Math.floor(given.draw('seed') * 2 ** 32);
      return [{ type: 'TaskAccepted', data: { ...command.data, seed, at } }];
    }
    case 'SubmitAnswers': {
      const task = context.open[command.data.taskId];
      if (!task) return [];
      return vote(task, command.data.answers, command.data.failure, at);
    }
    case 'PassDeadline': {
      const task = context.open[command.data.taskId];
      if (!task || at < task.dueAt) return [];
      return [failed(task, 'Its device gave no answer before the deadline.', at)];
    }
    case 'RecordPerformance': {
      const { taskId } = command.data;
      if (snapshot.matches('unborn') || context.judged.includes(taskId)) return [];
      return [{ type: 'PerformanceRecorded', data: { ...command.data, at } }];
    }
  }
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
