import type { Analysis, TaskType } from './planner.ts';

/** What the five seed species are made for. `factual` is what Fast-Responders do: short answers to simple questions. */
export type Specialization = 'mathematical' | 'creative' | 'coding' | 'logical' | 'factual';

export interface TaskTypeInfo {
  readonly type: TaskType;
  readonly specialization: Specialization;
  /** Whether a single Node's answer is enough (`simple`) or a Cluster of three should agree (`medium`). */
  readonly complexity: 'simple' | 'medium';
  /** For the intent of an analysis: "to …". */
  readonly intent: string;
}

/** Every task type that the rules tell apart. */
export const TASK_TYPES: readonly TaskTypeInfo[] = [
  { type: 'math.arithmetic', specialization: 'mathematical', complexity: 'simple', intent: 'calculate' },
  { type: 'knowledge.capital', specialization: 'factual', complexity: 'simple', intent: 'find a capital' },
  { type: 'knowledge.country', specialization: 'factual', complexity: 'simple', intent: 'find a country' },
  { type: 'logic.comparison', specialization: 'logical', complexity: 'simple', intent: 'compare' },
  { type: 'logic.deduction', specialization: 'logical', complexity: 'medium', intent: 'deduce' },
  {
    type: 'logic.boolean',
    specialization: 'logical',
    complexity: 'medium',
    intent: 'evaluate a truth value',
  },
  { type: 'logic.sequence', specialization: 'logical', complexity: 'medium', intent: 'continue a sequence' },
  { type: 'logic.parity', specialization: 'logical', complexity: 'simple', intent: 'tell even from odd' },
  { type: 'code.write', specialization: 'coding', complexity: 'medium', intent: 'write code' },
  { type: 'code.evaluate', specialization: 'coding', complexity: 'medium', intent: 'evaluate code' },
  { type: 'code.debug', specialization: 'coding', complexity: 'medium', intent: 'debug code' },
  { type: 'creative.sentence', specialization: 'creative', complexity: 'simple', intent: 'write a text' },
  { type: 'general.unknown', specialization: 'factual', complexity: 'simple', intent: 'get an answer' },
];

/** The specialization that a task type asks for; unknown types ask for `factual`. */
export function specializationOf(_taskType: TaskType): Specialization {
  throw new Error('specializationOf is being written');
}

export function analyse(_question: string): Analysis {
  throw new Error('analyse is being written');
}
