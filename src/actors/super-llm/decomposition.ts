import type { Analysis, Plan } from './planner.ts';

export function plan(_question: string, _analysis: Analysis): Plan {
  throw new Error('plan is being written');
}

/** Puts earlier answers into a prompt's placeholders (`{s1}`), all at once: an answer's own braces stay text. */
export function fillPrompt(_prompt: string, _answers: Readonly<Record<string, string>>): string {
  throw new Error('fillPrompt is being written');
}
