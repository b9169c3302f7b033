import type { Complexity, Stakes } from '../../events/values.ts';
import { computeShareOf } from '../account/credits.ts';
import { rulePlanner } from './rule-planner.ts';

/** What a question will take, before anything is asked: by rules, whoever plans it in the end. */
export function quote(
  question: string,
  stakes: Stakes,
): { readonly complexity: Complexity; readonly computeShare: number } {
  const analysis = rulePlanner.analyse(question);
  const { subtasks } = rulePlanner.plan(question, analysis);
  return {
    complexity: complexityAt(stakes, analysis.complexity),
    computeShare: computeShareOf(subtasks.length),
  };
}

/** Where much depends on the answer, several Nodes give it, however simple the question is. */
export function complexityAt(stakes: Stakes, complexity: Complexity): Complexity {
  return stakes === 'high' && complexity === 'simple' ? 'medium' : complexity;
}
