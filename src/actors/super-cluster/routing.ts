import type { RoutingMode, TaskType } from '../../events/values.ts';
import { correctnessOf, type MatrixRow, sampleBeta, speedOf, trendOf } from './matrix.ts';

export interface Candidate {
  readonly kind: 'node' | 'cluster';
  readonly id: string;
  readonly species?: string;
  readonly specialization?: string;
  /** Tasks in flight divided by capacity. */
  readonly load: number;
  /** Network round trip, in milliseconds. */
  readonly proximityMs: number;
  /** Between 0 and 1. */
  readonly trust: number;
  readonly alive: boolean;
  /** Its matrix cell for the task type of the request; null if it never did such a task. */
  readonly row: MatrixRow | null;
}

export interface RoutingRequest {
  readonly taskType: TaskType;
  readonly prefer: RoutingMode;
  readonly specialization: string;
  /** How many answers are wanted. A Cluster gives all of them; in mode `node`, the first `nodes` of `chosen` do. */
  readonly nodes: number;
  /** Ids that must not be chosen, such as those that have already failed. */
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

/** The factors of a routing score, each 0–1. A `trend` of 0.5 means no change. */
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
  /** To one Node, to a Cluster, or `mixed`: to the Cluster `chosen[0]` with the Node `chosen[1]` as guest. */
  readonly mode: RoutingMode;
  /** The best first, then in the order of failover: two more than are needed, if there are that many. */
  readonly chosen: readonly ResourceRef[];
  /** The three best by expected score, whatever the policy chose. */
  readonly ranking: readonly RankedResource[];
  readonly policy: RoutingPolicy;
  readonly why: string;
}

/** Share of decisions by expected score. The rest explore. */
const EXPLOIT_SHARE = 0.9;

/** Share of the exploring decisions that must choose a resource below the average: 2 % of all decisions. */
const FORCED_SHARE = 0.2;

/** How many resources are ranked, and how many are chosen for failover in addition to those that are needed. */
const RANKED = 3;
const STANDBY = 2;

/**
 * Prior before the first answer, as pseudo-observations in addition to the cell's own. With the uniform prior
 * of a cell, the matching specialization expects 75 % right answers, another one 25 %. Every measurement
 * reduces its influence.
 */
const SPECIALIST_PRIOR = 2;

/** A round trip of this length halves the score, in milliseconds. */
const HALF_PROXIMITY_MS = 1_000;

/** The trend of a resource without measurements. */
const STEADY_TREND = 0.5;

interface Scored {
  readonly candidate: Candidate;
  readonly score: number;
}

/**
 * Chooses who works on a subtask; null if nobody can. Linear in the number of candidates.
 *
 * Uses the preferred kind of resource if one is available, else the other kind. The score is matrix × load ×
 * proximity × trend × trust. In 90 % of the decisions the best expected score wins (equals take turns by
 * `draws.pick`). 8 % explore: their scores use a correctness that is drawn from the Beta posteriors (Thompson
 * sampling). 2 % must choose a resource whose score is below the average. The others follow in the order of
 * their expected scores, for failover.
 */
export function route(
  request: RoutingRequest,
  candidates: readonly Candidate[],
  draws: RoutingDraws,
): RoutingChoice | null {
  const excluded = new Set(request.exclude);
  const available = candidates.filter((candidate) => candidate.alive && !excluded.has(candidate.id));
  const nodes = available.filter((candidate) => candidate.kind === 'node');
  const clusters = available.filter((candidate) => candidate.kind === 'cluster');
  const mode = possibleMode(request.prefer, nodes.length, clusters.length);
  if (mode === null) return null;

  const lead = scoreAll(mode === 'node' ? nodes : clusters, request, draws.pick);
  const scored = mode === 'mixed' ? [...lead, ...scoreAll(nodes, request, draws.pick)] : lead;
  const policy = policyOf(draws.policy);
  const first = firstChoice(policy, lead, request, draws);
  const wanted = mode === 'node' ? Math.max(1, request.nodes) : 1;
  const best = top(scored, Math.max(RANKED, wanted + STANDBY) + 1);
  const guest = mode === 'mixed' ? top(scored.slice(lead.length), 1) : [];
  const chosen = [...new Set([first, ...guest, ...best].map((one) => one.candidate))].slice(
    0,
    wanted + STANDBY,
  );
  return {
    mode,
    chosen: chosen.map(({ kind, id }) => ({ kind, id })),
    ranking: best.slice(0, RANKED).map((one) => ranked(one, request)),
    policy,
    why: explain(request, mode, policy, first, scored.length),
  };
}

function possibleMode(prefer: RoutingMode, nodes: number, clusters: number): RoutingMode | null {
  if (nodes === 0) return clusters === 0 ? null : 'cluster';
  return clusters === 0 ? 'node' : prefer;
}

function policyOf(draw: number): RoutingPolicy {
  if (draw < EXPLOIT_SHARE) return 'exploit';
  return draw < 1 - (1 - EXPLOIT_SHARE) * FORCED_SHARE ? 'explore' : 'forced-diversity';
}

/**
 * The scores, starting at a drawn position. The first of equal scores is taken, so this lets all of them get
 * work.
 */
function scoreAll(pool: readonly Candidate[], request: RoutingRequest, pick: number): readonly Scored[] {
  const start = Math.floor(pick * pool.length);
  return [...pool.slice(start), ...pool.slice(0, start)].map((candidate) => ({
    candidate,
    score: product(expectedParts(candidate, request)),
  }));
}

function firstChoice(
  policy: RoutingPolicy,
  scored: readonly Scored[],
  request: RoutingRequest,
  draws: RoutingDraws,
): Scored {
  switch (policy) {
    case 'exploit':
      return highest(scored);
    case 'explore':
      return highest(scored, ({ candidate }) => product(sampledParts(candidate, request, draws)));
    case 'forced-diversity': {
      const average = scored.reduce((sum, one) => sum + one.score, 0) / scored.length;
      const below = scored.filter((one) => one.score < average);
      const pool = below.length > 0 ? below : scored;
      return pool[Math.floor(draws.pick * pool.length)] ?? highest(scored);
    }
  }
}

function expectedParts(candidate: Candidate, request: RoutingRequest): ScoreParts {
  return partsOf(candidate, correctnessOf(belief(candidate, request)));
}

function sampledParts(candidate: Candidate, request: RoutingRequest, draws: RoutingDraws): ScoreParts {
  const { alpha, beta } = belief(candidate, request);
  return partsOf(
    candidate,
    sampleBeta(alpha, beta, (index) => draws.thompson(candidate.id, index)),
  );
}

/** The cell's posterior, changed by the prior for the specialization. Uniform if there is neither. */
function belief(candidate: Candidate, request: RoutingRequest): { alpha: number; beta: number } {
  const { alpha, beta } = candidate.row ?? { alpha: 1, beta: 1 };
  if (candidate.specialization === undefined) return { alpha, beta };
  return candidate.specialization === request.specialization
    ? { alpha: alpha + SPECIALIST_PRIOR, beta }
    : { alpha, beta: beta + SPECIALIST_PRIOR };
}

function partsOf({ row, load, proximityMs, trust }: Candidate, correctness: number): ScoreParts {
  return {
    matrix: correctness * speedOf(row?.latencyMs ?? 0),
    load: 1 / (1 + load),
    proximity: HALF_PROXIMITY_MS / (HALF_PROXIMITY_MS + proximityMs),
    trend: row ? trendOf(row) : STEADY_TREND,
    trust,
  };
}

function product({ matrix, load, proximity, trend, trust }: ScoreParts): number {
  return matrix * load * proximity * trend * trust;
}

function highest(scored: readonly Scored[], by: (one: Scored) => number = (one) => one.score): Scored {
  return scored
    .map((one) => ({ one, value: by(one) }))
    .reduce((best, next) => (next.value > best.value ? next : best)).one;
}

/** The `count` highest scores, best first, in one pass. `count` is small. */
function top(scored: readonly Scored[], count: number): readonly Scored[] {
  const best: Scored[] = [];
  for (const one of scored) {
    const last = best[count - 1];
    if (last && one.score <= last.score) continue;
    let place = best.length;
    while (place > 0 && (best[place - 1]?.score ?? 0) < one.score) place -= 1;
    best.splice(place, 0, one);
    if (best.length > count) best.pop();
  }
  return best;
}

function ranked({ candidate, score }: Scored, request: RoutingRequest): RankedResource {
  return { kind: candidate.kind, id: candidate.id, score, parts: expectedParts(candidate, request) };
}

function explain(
  request: RoutingRequest,
  mode: RoutingMode,
  policy: RoutingPolicy,
  first: Scored,
  among: number,
): string {
  const { candidate, score } = first;
  const who = `${candidate.kind} ${candidate.id}`;
  const reason = {
    exploit: `${who} has the best expected score`,
    explore: `exploring: ${who} drew the best score from what is known of its correctness`,
    'forced-diversity': `forced diversity: ${who} is below the average and gets a chance`,
  }[policy];
  const evidence = candidate.row ? `${candidate.row.n} measured answers` : 'no measured answer yet';
  const instead =
    mode === request.prefer ? '' : `; no ${request.prefer} was available, so a ${mode} takes it`;
  return `${request.taskType}: ${reason} (${score.toFixed(3)}, ${evidence}) among ${among}${instead}`;
}
