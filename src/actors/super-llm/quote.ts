import { computeShareOf } from '../account/credits.ts';
import { type Complexity, rulePlanner } from './planner.ts';

/** What a question will take, before anything is asked: by rules, whoever plans it in the end. */
export function quote(question: string): { readonly complexity: Complexity; readonly computeShare: number } {
  const analysis = rulePlanner.analyse(question);
  const { subtasks } = rulePlanner.plan(question, analysis);
  return { complexity: analysis.complexity, computeShare: computeShareOf(subtasks.length) };
}
