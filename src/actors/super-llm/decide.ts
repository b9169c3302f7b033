import type { PlannedSubtask, QueryEvent } from '../../events/query.ts';
import type { Stakes } from '../../events/values.ts';
import type { Given } from '../actor.ts';
import type { Part, Planner } from './planner.ts';
import { complexityAt } from './quote.ts';
import { rulePlanner } from './rule-planner.ts';

/** What the Super LLM is asked to do. */
export type SuperLlmCommand =
  | {
      readonly type: 'PlanQuery';
      readonly data: { readonly question: string; readonly stakes: Stakes };
    }
  | {
      readonly type: 'SynthesiseAnswer';
      readonly data: { readonly question: string; readonly parts: readonly Part[] };
    };

/** Nodes that vote if the asker said that the stakes are high. */
const HIGH_STAKES_NODES = 5;

export function decide(
  command: SuperLlmCommand,
  given: Given,
  planner: Planner = rulePlanner,
): readonly QueryEvent[] {
  const at = given.at;
  const { question } = command.data;
  switch (command.type) {
    case 'PlanQuery': {
      const analysis = planner.analyse(question);
      const plan = planner.plan(question, analysis);
      const stakes = command.data.stakes === 'high' ? 'high' : analysis.stakes;
      const complexity = complexityAt(stakes, analysis.complexity);
      const subtasks = plan.subtasks.map((subtask): PlannedSubtask => {
        const hint = plan.hints.find((one) => one.key === subtask.key);
        return {
          ...subtask,
          subtaskId: given.id(`subtask ${subtask.key}`),
          nodes: stakes === 'high' ? Math.max(HIGH_STAKES_NODES, subtask.nodes) : subtask.nodes,
          prefer: stakes === 'high' ? 'mixed' : (hint?.prefer ?? 'node'),
          specialization: hint?.specialization ?? 'factual',
        };
      });
      return [
        { type: 'QueryAnalysed', data: { ...analysis, complexity, stakes, at } },
        { type: 'QueryPlanned', data: { planner: 'rules', strategy: plan.strategy, subtasks, at } },
      ];
    }
    case 'SynthesiseAnswer': {
      const { parts } = command.data;
      const synthesis = planner.synthesise(question, parts);
      const validation = planner.validate(question, synthesis, parts);
      return [
        { type: 'AnswerSynthesised', data: { ...synthesis, at } },
        { type: 'AnswerValidated', data: { ...validation, at } },
      ];
    }
  }
}
