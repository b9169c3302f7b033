import type { SubtaskDispatched } from '../../events/query.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import type { Complexity, Stakes } from '../../events/values.ts';
import { parseArithmetic } from '../../verification/maths.ts';
import { commandTo, type SentCommand } from '../actor.ts';

/** What routing needs from the query in addition to the dispatch. */
export interface DispatchContext {
  readonly queryId: string;
  readonly complexity: Complexity;
  readonly stakes: Stakes;
  readonly subtasks: Readonly<Record<string, { readonly taskType: string; readonly specialization: string }>>;
}

/** Sends a dispatched subtask to the Super Cluster, with the planner's hints. */
export function react(dispatched: SubtaskDispatched, query: DispatchContext): SentCommand {
  const { subtaskId, attempt, prompt, nodes, prefer, exclude, dueAt } = dispatched;
  const subtask = query.subtasks[subtaskId];
  if (!subtask) throw new Error(`The subtask ${subtaskId} is in no plan.`);
  const { queryId, complexity, stakes } = query;
  const { taskType, specialization } = subtask;
  const request = {
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
    exclude,
    checkable: parseArithmetic(prompt) !== null,
    dueAt,
  };
  return commandTo({ kind: 'superCluster', id: MAIN_SUPER_CLUSTER }, { type: 'RouteSubtask', data: request });
}
