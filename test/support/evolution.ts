import type { NodeView } from '../../src/actors/network-view.ts';
import type { EvolutionSettings } from '../../src/events/evolution.ts';
import { type FitnessTally, tally } from '../../src/evolution/fitness.ts';
import { FOUNDING_RULES } from '../../src/evolution/founding-rules.ts';
import { nodeView } from './views.ts';

/** The founding document's numbers, with a gene pool of miniature models. */
export const SETTINGS: EvolutionSettings = {
  strategy: 'evolution',
  tasksPerGeneration: 20,
  generationMs: 3_600_000,
  minTasks: 10,
  ...FOUNDING_RULES,
  goldShare: 0.1,
  genePool: {
    models: ['maths-a', 'maths-b', 'logic-a', 'logic-b'].map((id) => ({
      id,
      tiers: ['ultra-low', 'low', 'mid', 'high'],
    })),
    specializations: ['mathematical', 'logical'],
    promptTemplates: [
      { system: '', user: '{question}' },
      { system: '', user: 'Question: {question}' },
    ],
    contextTokens: [256],
    maxTokens: 128,
  },
};

/** A Node with `judged` judged answers, of which `right` were right. */
export function judgedNode(id: string, right: number, judged = 20, change: Partial<NodeView> = {}): NodeView {
  const answers = Array.from({ length: judged }, (_, index) => ({
    taskType: 'math.arithmetic',
    correct: index < right,
    responseMs: 100,
    computeMs: 150,
  }));
  const fitness = answers.reduce<FitnessTally | undefined>(
    (before, answer) => tally(before, answer),
    undefined,
  );
  return nodeView(id, { fitness, ...change });
}

/** Ten Nodes of one Cluster, `n0` the worst and `n9` the best. */
export function tenNodes(): readonly NodeView[] {
  return Array.from({ length: 10 }, (_, index) => judgedNode(`n${index}`, 10 + index));
}
