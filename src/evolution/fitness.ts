import { responseTargetMs, taskTypeInfo } from '../answers/task-types.ts';
import type { NodeFitness, TypeFitness } from '../events/evolution.ts';

/** Sums over a Node's judged answers of one task type. Plain data, folded by `tally`. */
export interface TypeTally {
  readonly judged: number;
  readonly right: number;
  /** Sum of the response times, each at least the type's target. */
  readonly latencyMs: number;
  /** Sum of the compute of both models over the answers with known compute, and the number of those answers. */
  readonly computeMs: number;
  readonly computeKnown: number;
  /** Sum over the right answers of min(1, target / response time). */
  readonly timeliness: number;
  /** Sum over the right answers of 1 / (latency × (latency + compute cost)), in 1/s². */
  readonly yield: number;
}

/** By task type. */
export type FitnessTally = Readonly<Record<string, TypeTally>>;

/** An answer that was judged by computation or gold. A refused or missed task also counts, as not correct. */
export interface JudgedAnswer {
  readonly taskType: string;
  readonly correct: boolean;
  readonly responseMs: number;
  /** Compute time of both models on the device; null if unknown. */
  readonly computeMs: number | null;
}

const NOTHING: TypeTally = {
  judged: 0,
  right: 0,
  latencyMs: 0,
  computeMs: 0,
  computeKnown: 0,
  timeliness: 0,
  yield: 0,
};

const SECONDS_PER_HOUR = 3600;

/**
 * Adds one answer, in constant time. The order of answers matters only for the rounding of sums.
 *
 * A response faster than the type's target counts as the target, as it does for credits, so that a Node gains
 * nothing by answering without thinking. Unknown compute counts as the whole response time, so that a device
 * gains nothing by not reporting it.
 */
export function tally(before: FitnessTally | undefined, answer: JudgedAnswer): FitnessTally {
  const { taskType, correct, responseMs, computeMs } = answer;
  const old = before?.[taskType] ?? NOTHING;
  const targetMs = targetOf(taskType);
  const latencyMs = Math.max(targetMs, responseMs);
  const costMs = Math.max(0, computeMs ?? latencyMs);
  const latencyS = latencyMs / 1000;
  return {
    ...before,
    [taskType]: {
      judged: old.judged + 1,
      right: old.right + (correct ? 1 : 0),
      latencyMs: old.latencyMs + latencyMs,
      computeMs: old.computeMs + (computeMs === null ? 0 : costMs),
      computeKnown: old.computeKnown + (computeMs === null ? 0 : 1),
      timeliness: old.timeliness + (correct ? targetMs / latencyMs : 0),
      yield: old.yield + (correct ? 1 / (latencyS * (latencyS + costMs / 1000)) : 0),
    },
  };
}

/** Judged answers over all task types. */
export function judgedOf(tallied: FitnessTally): number {
  return Object.values(tallied).reduce((sum, { judged }) => sum + judged, 0);
}

/** What a population is asked: the number of judged answers by task type, over all of its Nodes. */
export function demandOf(tallies: Iterable<FitnessTally | undefined>): Record<string, number> {
  const demand: Record<string, number> = {};
  for (const tallied of tallies) {
    for (const [taskType, { judged }] of Object.entries(tallied ?? {})) {
      demand[taskType] = (demand[taskType] ?? 0) + judged;
    }
  }
  return demand;
}

/**
 * The fitness of a Node. With fewer than `minTasks` judged answers it is on trial, and fitness and score are
 * null.
 *
 * For one task type, fitness is (correctness × speed) / (latency + compute cost), as in the founding document:
 * the share of right answers times the mean of speed / (latency + compute cost) over them. Speed is the number
 * of tasks per hour without pauses (3600 / latency); latency and compute are in seconds. The mean is taken
 * after the division: with a ratio of means, a Node would gain by refusing tasks that take it longer than
 * usual. The score is correctness × min(1, target / latency), averaged in the same way.
 *
 * The Node's fitness and score are means over its judged task types, weighted by `demand` (judged answers by
 * type over the Cluster; the Node's own numbers if `demand` has none of its types). Each type's fitness is
 * divided by its par, the fitness of right answers on target without compute. Without that, an answer to a
 * simple question would outweigh one to a medium question 36 times, only because its target is shorter.
 */
export function fitnessOf(
  node: string,
  tallied: FitnessTally | undefined,
  demand: Readonly<Record<string, number>>,
  minTasks: number,
): NodeFitness {
  const byType = Object.entries(tallied ?? {})
    .map(([taskType, type]) => typeFitness(taskType, type))
    .sort((a, b) => (a.taskType < b.taskType ? -1 : 1));
  const judged = byType.reduce((sum, type) => sum + type.judged, 0);
  const right = byType.reduce((sum, type) => sum + type.right, 0);
  if (judged === 0 || judged < minTasks) return { node, judged, right, fitness: null, score: null, byType };
  const asked = byType.some(({ taskType }) => (demand[taskType] ?? 0) > 0);
  const weigh = (type: TypeFitness) => (asked ? (demand[type.taskType] ?? 0) : type.judged);
  const mean = (value: (type: TypeFitness) => number) =>
    byType.reduce((sum, type) => sum + weigh(type) * value(type), 0) /
    byType.reduce((sum, type) => sum + weigh(type), 0);
  return {
    node,
    judged,
    right,
    fitness: mean((type) => type.fitness / parOf(type.taskType)),
    score: Math.min(
      1,
      mean((type) => type.score),
    ),
    byType,
  };
}

/** The properties of a Node that scoring needs. */
interface Scorable {
  readonly id: string;
  readonly cluster: string;
  readonly fitness: FitnessTally | undefined;
}

export interface Scores {
  /** Scores (0–1) of the Nodes that are not on trial, in the order of the Nodes. */
  readonly scores: readonly number[];
  /** Judged answers of those Nodes. */
  readonly judged: number;
}

interface KnownScores extends Scores {
  readonly members: readonly Scorable[];
  readonly minTasks: number;
}

/**
 * Results by the first member of a Cluster. At the end of its generation, each Cluster measures the whole
 * network, and little has changed since the previous measurement. The result for the same rows is reused.
 */
const known = new WeakMap<Scorable, KnownScores>();

/** Scores of the Nodes of one Cluster, weighted by the demand of all of them. */
export function scoresWithin(members: readonly Scorable[], minTasks: number): Scores {
  const [first] = members;
  const before = first && known.get(first);
  const isSame =
    before?.minTasks === minTasks &&
    before.members.length === members.length &&
    members.every((member, index) => member === before.members[index]);
  if (before && isSame) return before;
  const demand = demandOf(members.map(({ fitness }) => fitness));
  const scores: number[] = [];
  let judged = 0;
  for (const { id, fitness } of members) {
    const { score, judged: answers } = fitnessOf(id, fitness, demand, minTasks);
    if (score === null) continue;
    scores.push(score);
    judged += answers;
  }
  const found: KnownScores = { members, minTasks, scores, judged };
  if (first) known.set(first, found);
  return found;
}

/**
 * Scores of Nodes of several Clusters, each weighted by the demand of its Cluster. Ordered by the first
 * appearance of each Cluster.
 */
export function scoresAcross(nodes: Iterable<Scorable>, minTasks: number): Scores {
  const byCluster = new Map<string, Scorable[]>();
  for (const node of nodes) {
    const members = byCluster.get(node.cluster);
    if (members) members.push(node);
    else byCluster.set(node.cluster, [node]);
  }
  const found = [...byCluster.values()].map((members) => scoresWithin(members, minTasks));
  return {
    scores: found.flatMap(({ scores }) => scores),
    judged: found.reduce((sum, { judged }) => sum + judged, 0),
  };
}

/** The mean of the scores; null if there are none, because an unmeasured network is neither good nor bad. */
export function networkScore(scores: readonly number[]): number | null {
  if (scores.length === 0) return null;
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

function typeFitness(taskType: string, type: TypeTally): TypeFitness {
  return {
    taskType,
    judged: type.judged,
    right: type.right,
    latencyS: type.latencyMs / type.judged / 1000,
    computeS: type.computeKnown === 0 ? 0 : type.computeMs / type.computeKnown / 1000,
    fitness: (SECONDS_PER_HOUR * type.yield) / type.judged,
    score: type.timeliness / type.judged,
  };
}

/** The fitness of a Node that is always right, on target, and without compute. */
function parOf(taskType: string): number {
  return SECONDS_PER_HOUR / (targetOf(taskType) / 1000) ** 2;
}

function targetOf(taskType: string): number {
  return responseTargetMs(taskTypeInfo(taskType).complexity);
}
