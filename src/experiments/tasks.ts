import { classify } from '../actors/super-llm/classification.ts';
import { taskFamily } from '../answers/extraction.ts';
import { drawOf } from '../events/envelope.ts';
import type { GoldTask } from '../events/evolution.ts';
import type { TaskType } from '../events/values.ts';
import { type HeldOutItem, NONE, taskTypeOf } from '../inference/measure.ts';
import { SIMULATED_TASK_TYPES, simulatedTask } from './simulated.ts';

/** Tasks with known answers, in two halves that have no prompt in common. */
export interface TaskPools {
  /** Tasks that Nodes get during their lives. Fitness comes from these. */
  readonly training: readonly GoldTask[];
  /** Tasks of evaluations only. Selection never uses these. */
  readonly heldOut: readonly GoldTask[];
}

/** Different programs would count as wrong, and running them is not measured here. */
const NOT_COMPARABLE: readonly TaskType[] = ['code.write', 'code.debug'];

/** Each task type of a simulated world has this many tasks. */
const SIMULATED_TASKS_PER_TYPE = 400;

/**
 * The miniature models' held-out prompts as tasks. Prompts without a right answer and programs (see `NOT_COMPARABLE`)
 * are left out, and so are prompts that the rules of the Super LLM assign to another field, because the network would
 * ask other Nodes. The halves depend only on the prompts, so they are the same for every seed.
 */
export function miniatureTasks(items: readonly HeldOutItem[]): TaskPools {
  const tasks = new Map<string, GoldTask>();
  for (const item of items) {
    const task = goldTaskOf(item);
    if (task) tasks.set(task.prompt, task);
  }
  return halves([...tasks.values()]);
}

/** Tasks of a simulated world, equally many of each type. */
export function simulatedTasks(world: number): TaskPools {
  const tasks = SIMULATED_TASK_TYPES.flatMap((taskType) =>
    Array.from({ length: SIMULATED_TASKS_PER_TYPE }, (_, index) => simulatedTask(world, taskType, index + 1)),
  );
  return halves(tasks);
}

/**
 * `count` different tasks, or all if there are fewer. Families take turns, in an order that depends only on `parts`.
 */
export function sampleTasks(
  tasks: readonly GoldTask[],
  count: number,
  ...parts: readonly unknown[]
): readonly GoldTask[] {
  const families = [...byFamily(tasks).values()]
    .map((family) => shuffled(family, ({ prompt }) => drawOf('sample', ...parts, prompt)))
    .map((family, index) => ({ family, first: drawOf('sample family', ...parts, index) }))
    .sort((one, other) => one.first - other.first)
    .map(({ family }) => family);
  const sample: GoldTask[] = [];
  for (let round = 0; sample.length < Math.min(count, tasks.length); round += 1) {
    for (const family of families) {
      const task = family[round];
      if (task && sample.length < count) sample.push(task);
    }
  }
  return sample;
}

function goldTaskOf(item: HeldOutItem): GoldTask | null {
  const { family, prompt, answer, topic } = item;
  const taskType = classify(prompt);
  if (family === NONE || NOT_COMPARABLE.includes(taskType)) return null;
  if (taskFamily(taskType) !== taskFamily(taskTypeOf(item))) return null;
  if (answer !== null) return { prompt, taskType, expected: { kind: 'answer', value: answer } };
  return topic === undefined ? null : { prompt, taskType, expected: { kind: 'mentions', value: topic } };
}

/** Each family's tasks are shuffled and dealt alternately to the two halves. */
function halves(tasks: readonly GoldTask[]): TaskPools {
  const training: GoldTask[] = [];
  const heldOut: GoldTask[] = [];
  for (const family of byFamily(tasks).values()) {
    for (const [index, task] of shuffled(family, ({ prompt }) => drawOf('half', prompt)).entries()) {
      (index % 2 === 0 ? training : heldOut).push(task);
    }
  }
  return { training, heldOut };
}

function byFamily(tasks: readonly GoldTask[]): ReadonlyMap<string, readonly GoldTask[]> {
  const families = new Map<string, GoldTask[]>();
  for (const task of tasks) {
    const name = taskFamily(task.taskType);
    const family = families.get(name);
    if (family) family.push(task);
    else families.set(name, [task]);
  }
  return families;
}

function shuffled<Item>(items: readonly Item[], lot: (item: Item) => number): readonly Item[] {
  return items
    .map((item) => ({ item, lot: lot(item) }))
    .sort((one, other) => one.lot - other.lot)
    .map(({ item }) => item);
}
