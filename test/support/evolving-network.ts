import { uuidOf } from '../../src/events/envelope.ts';
import type { NodeCommand, WorkOrder } from '../../src/events/node.ts';
import type { ModelAnswer } from '../../src/events/values.ts';
import { createInstantEngine } from '../../src/inference/instant.ts';
import { SETTINGS } from './evolution.ts';
import { DEVICE, LocalNetwork } from './local-network.ts';

/** First Nodes that never know the answer: the two that will be culled. */
export const DULL = ['mathematical-03', 'mathematical-07'];

/** Slots of the only device: two more than there are first Nodes. */
export const SLOTS = 52;

const ANSWERS: Readonly<Record<string, string>> = {
  'What is 6 × 7?': '42',
  'What is 15 × 23?': '345',
  'What is the capital of Japan?': 'Tokyo',
  'Is 17 greater than 12?': 'yes',
};

/**
 * The answer to tasks that are not in `ANSWERS`, such as mixed-in gold tasks. All Nodes give it, and it is
 * wrong.
 */
const UNKNOWN = '13';

const TASK = {
  prompt: 'What is 6 × 7?',
  taskType: 'math.arithmetic',
  expected: { kind: 'answer', value: '42' },
} as const;

/** A device on which all Nodes except the dull ones know the answers. Simulated: no model runs. */
function answers({ node, taskId, prompt, models }: WorkOrder): NodeCommand {
  const text = DULL.includes(node) ? UNKNOWN : (ANSWERS[prompt.replace(/^(?:Question: )/, '')] ?? UNKNOWN);
  const said = (model: string): ModelAnswer => ({
    model,
    text,
    logProb: -0.1,
    measured: true,
    completionTokens: 4,
    durationMs: 5,
    finish: 'stop',
  });
  return {
    type: 'SubmitAnswers',
    data: { taskId, answers: [said(models[0]), said(models[1])], failure: null },
  };
}

/** A network in this process whose mathematicians were examined until a generation ended. */
export async function evolvingNetwork(): Promise<LocalNetwork> {
  const local = new LocalNetwork(createInstantEngine({ answers: new Map(), errorRates: new Map(), seed: 1 }));
  const settled = async (): Promise<void> => {
    await local.transport.emptied();
    await local.quiet();
  };
  local.work = async (order) => answers(order);
  local.setDevices([{ id: DEVICE, proximityMs: 0, slots: SLOTS, tier: 'low', region: 'eu' }]);
  await local.begin(10, SETTINGS);
  await settled();
  for (let round = 0; round < SETTINGS.minTasks; round += 1) {
    for (let index = 1; index <= 10; index += 1) {
      const node = `mathematical-${String(index).padStart(2, '0')}`;
      const taskId = uuidOf('exam', node, round);
      const dueAt = new Date(Date.now() + 60_000).toISOString();
      local.send(
        { kind: 'cluster', id: 'mathematical' },
        { type: 'ExamineNode', data: { taskId, node, task: TASK, dueAt } },
      );
    }
    await settled();
  }
  return local;
}
