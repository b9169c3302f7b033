import { analyse } from './analysis.ts';
import { plan } from './decomposition.ts';
import type { Planner } from './planner.ts';
import { synthesise, validate } from './synthesis.ts';

/** Plans only by rules. The same question always gives the same plan, and no model is asked. */
export const rulePlanner: Planner = { analyse, plan, synthesise, validate };
