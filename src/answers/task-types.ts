import type { Complexity, TaskType } from '../events/values.ts';

/**
 * What the first five species are made for. `factual` is the specialization of Fast-Responders: short answers
 * to simple questions.
 */
export type Specialization = 'mathematical' | 'creative' | 'coding' | 'logical' | 'factual';

export interface TaskTypeInfo {
  readonly type: TaskType;
  readonly specialization: Specialization;
  /** Whether a single Node's answer is enough (`simple`) or a Cluster of three should agree (`medium`). */
  readonly complexity: 'simple' | 'medium';
  /** What the user of such a task wants. */
  readonly intent: string;
}

export const UNKNOWN_TASK: TaskTypeInfo = {
  type: 'general.unknown',
  specialization: 'factual',
  complexity: 'simple',
  intent: 'get an answer',
};

/** All task types that the rules recognise. */
export const TASK_TYPES: readonly TaskTypeInfo[] = [
  { type: 'math.arithmetic', specialization: 'mathematical', complexity: 'simple', intent: 'calculate' },
  { type: 'knowledge.capital', specialization: 'factual', complexity: 'simple', intent: 'find a capital' },
  { type: 'knowledge.country', specialization: 'factual', complexity: 'simple', intent: 'find a country' },
  { type: 'logic.comparison', specialization: 'logical', complexity: 'medium', intent: 'compare' },
  { type: 'logic.deduction', specialization: 'logical', complexity: 'medium', intent: 'deduce' },
  { type: 'logic.boolean', specialization: 'logical', complexity: 'medium', intent: 'find a truth value' },
  { type: 'logic.sequence', specialization: 'logical', complexity: 'medium', intent: 'continue a sequence' },
  { type: 'logic.parity', specialization: 'logical', complexity: 'medium', intent: 'tell even from odd' },
  { type: 'code.write', specialization: 'coding', complexity: 'medium', intent: 'write code' },
  { type: 'code.evaluate', specialization: 'coding', complexity: 'medium', intent: 'evaluate code' },
  { type: 'code.debug', specialization: 'coding', complexity: 'medium', intent: 'debug code' },
  { type: 'creative.sentence', specialization: 'creative', complexity: 'simple', intent: 'write a text' },
  UNKNOWN_TASK,
];

const BY_TYPE: ReadonlyMap<TaskType, TaskTypeInfo> = new Map(TASK_TYPES.map((info) => [info.type, info]));

/**
 * The response targets of the founding document, in milliseconds: about 0.5 s for a simple query, 2–3 s for a
 * medium one, 5–8 s for a complex one.
 */
const RESPONSE_TARGET_MS: Readonly<Record<Complexity, number>> = {
  simple: 500,
  medium: 3_000,
  complex: 8_000,
};

/** The properties of a task type. Unknown types are treated as `general.unknown`. */
export function taskTypeInfo(taskType: TaskType): TaskTypeInfo {
  return BY_TYPE.get(taskType) ?? UNKNOWN_TASK;
}

/** The specialization that a task type asks for. */
export function specializationOf(taskType: TaskType): Specialization {
  return taskTypeInfo(taskType).specialization;
}

/** The response time that counts as fast, in milliseconds. */
export function responseTargetMs(complexity: Complexity): number {
  return RESPONSE_TARGET_MS[complexity];
}
