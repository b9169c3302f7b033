import type { QueryEvent } from '../../events/query.ts';
import { MAIN_SUPER_CLUSTER, type RoutingRequest } from '../../events/super-cluster.ts';
import { parseArithmetic } from '../../verification/maths.ts';
import type { Effect } from '../actor.ts';

/** What routing needs to know of a query, besides the dispatch itself. */
export interface DispatchContext {
  readonly queryId: string;
  readonly complexity: 'simple' | 'medium' | 'complex';
  readonly stakes: 'normal' | 'high';
  readonly subtasks: Readonly<Record<string, { readonly taskType: string; readonly specialization: string }>>;
}

/** A dispatched subtask goes to the Super Cluster with the planner's hints, and has until its deadline. */
export function react(event: QueryEvent, query: DispatchContext): readonly Effect[] {
  if (event.type !== 'SubtaskDispatched') return [];
  const { subtaskId, attempt, prompt, nodes, prefer, exclude, dueAt } = event.data;
  const subtask = query.subtasks[subtaskId];
  if (!subtask) throw new Error(`The subtask ${subtaskId} is in no plan.`);
  const { queryId, complexity, stakes } = query;
  const { taskType, specialization } = subtask;
  const request: RoutingRequest = {
    queryId,
    subtaskId,
    attempt,
    prompt,
    taskType,
    complexity,
    stakes,
    nodes,
    prefer,
    specialization,
    exclude: [...exclude],
    checkable: parseArithmetic(prompt) !== null,
    dueAt,
  };
  return [
    {
      kind: 'command',
      to: { kind: 'superCluster', id: MAIN_SUPER_CLUSTER },
      command: { type: 'RouteSubtask', data: request },
    },
    { kind: 'timer', dueAt, command: { type: 'PassDeadline', data: { subtaskId, attempt, dueAt } } },
  ];
}
