import { classify } from '../actors/super-llm/classification.ts';
import { taskFamily } from '../answers/extraction.ts';
import { drawOf } from '../events/envelope.ts';
import type { GoldTask } from '../events/evolution.ts';
import type { TaskType } from '../events/values.ts';
import { type HeldOutItem, NONE, taskTypeOf } from '../inference/measure.ts';
import { SIMULATED_TASK_TYPES, simulatedTask } from './simulated.ts';

/** Tasks with known answers, in two halves that have no prompt in common. */
export interface TaskPools {
  /** What Nodes are judged by while they live: fitness comes from these. */
  readonly training: readonly GoldTask[];
  /** What only evaluations ask: nobody is selected by these. */
  readonly heldOut: readonly GoldTask[];
}

/** Programs in other words would count as wrong, and to run them is not what is measured here. */
const NOT_COMPARABLE: readonly TaskType[] = ['code.write', 'code.debug'];

/** Task types of a simulated world are asked for about equally often. */
const SIMULATED_TASKS_PER_TYPE = 400;

/**
 * The miniature models' held-out prompts as tasks. Left out are prompts to which no answer is right, programs (see
 * `NOT_COMPARABLE`), and prompts that the rules of the Super LLM take for something of another field: the network
 * would ask other Nodes. The halves depend on the prompts alone, so they are the same for every seed.
 */
export function miniatureTasks(items: readonly HeldOutItem[]): TaskPools {
  const tasks = new Map<string, GoldTask>();
  for (const item of items) {
    const task = goldTaskOf(item);
    if (task) tasks.set(task.prompt, task);
  }
  return halves([...tasks.values()]);
}

/** Tasks of a simulated world, of each type alike. */
export function simulatedTasks(world: number): TaskPools {
  const tasks = SIMULATED_TASK_TYPES.flatMap((taskType) =>
    Array.from({ length: SIMULATED_TASKS_PER_TYPE }, (_, index) => simulatedTask(world, taskType, index + 1)),
  );
  return halves(tasks);
}

/**
 * `count` different tasks, families taking turns, in an order that depends on the parts alone; all there are where there
 * are fewer.
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

/** Each family's tasks are put in order by lot, and dealt out in turn. */
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
