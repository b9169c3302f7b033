import type { Complexity, Stakes } from '../../events/values.ts';
import { computeShareOf } from '../account/credits.ts';
import { rulePlanner } from './rule-planner.ts';

/**
 * The complexity and compute of a question before it is asked. It always comes from the rules, whichever
 * planner plans the query.
 */
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

/** With high stakes several Nodes answer, so even a simple question counts as medium. */
export function complexityAt(stakes: Stakes, complexity: Complexity): Complexity {
  return stakes === 'high' && complexity === 'simple' ? 'medium' : complexity;
}
