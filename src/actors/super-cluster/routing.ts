import type { ResourcePreference, TaskType } from '../super-llm/planner.ts';
import type { MatrixRow } from './matrix.ts';

export interface Candidate {
  readonly kind: 'node' | 'cluster';
  readonly id: string;
  readonly species?: string;
  readonly specialization?: string;
  /** Tasks in flight over capacity. */
  readonly load: number;
  /** Network round trip to it, in milliseconds. */
  readonly proximityMs: number;
  /** 0 to 1. */
  readonly trust: number;
  readonly alive: boolean;
  /** The matrix row for the task type of the request, or null when it never did such a task. */
  readonly row: MatrixRow | null;
}

export interface RoutingRequest {
  readonly taskType: TaskType;
  readonly prefer: ResourcePreference;
  readonly specialization: string;
  /** How many answers are wanted. A Cluster gives them all; in mode `node` the first `nodes` of `chosen` do. */
  readonly nodes: number;
  /** Ids that must not be chosen, such as those that have failed already. */
  readonly exclude: readonly string[];
}

/** Uniform numbers in [0, 1). */
export interface RoutingDraws {
  readonly policy: number;
  readonly pick: number;
  thompson(id: string, index: number): number;
}

export interface ResourceRef {
  readonly kind: 'node' | 'cluster';
  readonly id: string;
}

/** The factors of a score. `trend` is 0.5 to 1.5, the others 0 to 1. */
export interface ScoreParts {
  readonly matrix: number;
  readonly load: number;
  readonly proximity: number;
  readonly trend: number;
  readonly trust: number;
}

export interface RankedResource extends ResourceRef {
  readonly score: number;
  readonly parts: ScoreParts;
}

export type RoutingPolicy = 'exploit' | 'explore' | 'forced-diversity';

export interface RoutingChoice {
  readonly mode: ResourcePreference;
  /** Best first, then the order of fail-over: two more than are needed, where there are so many. */
  readonly chosen: readonly ResourceRef[];
  /** The three best by expected score, whatever the policy chose. */
  readonly ranking: readonly RankedResource[];
  readonly policy: RoutingPolicy;
  readonly why: string;
}

/** Chooses who works on a subtask, or null when nobody can. Linear in the number of candidates. */
export function route(
  _request: RoutingRequest,
  _candidates: readonly Candidate[],
  _draws: RoutingDraws,
): RoutingChoice | null {
  throw new Error('route is being written');
}
