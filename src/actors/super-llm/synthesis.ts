import type { Part, Synthesis, Validation } from './planner.ts';

export function synthesise(_question: string, _parts: readonly Part[]): Synthesis {
  throw new Error('synthesise is being written');
}

export function validate(_question: string, _synthesis: Synthesis, _parts: readonly Part[]): Validation {
  throw new Error('validate is being written');
}
