/** The performance matrix's record of one resource (a Node or a Cluster) on one task type. Plain data. */
export interface MatrixRow {
  /**
   * Right answers + 1. With `beta` it gives the posterior Beta(alpha, beta) of correctness, from a uniform
   * prior.
   */
  readonly alpha: number;
  /** Wrong answers + 1. */
  readonly beta: number;
  /** Number of measured answers. */
  readonly n: number;
  /** Exponentially weighted mean latency in milliseconds. */
  readonly latencyMs: number;
  /** Exponentially weighted correctness, which moves faster than the posterior. */
  readonly recent: number;
  /** When it was last measured (ISO 8601), if the caller gave a time. */
  readonly at?: string;
}

export interface Measurement {
  readonly correct: boolean;
  readonly latencyMs: number;
  readonly at?: string;
}

/** Least weight of the newest measurement in `latencyMs` and `recent`: about the last 10 measurements count. */
const NEWEST_WEIGHT = 0.1;

/** An answer that takes this long counts half as much as an immediate one, in milliseconds. */
const HALF_SPEED_MS = 5_000;

/**
 * Each attempt succeeds with a probability of 95 % or more. Draws that never succeed (a constant) give the mean
 * instead of an endless loop.
 */
const MAX_ATTEMPTS = 32;

/**
 * Adds a measurement. Up to about 10 measurements, `recent` equals the posterior's mean, so a new resource
 * shows no trend.
 */
export function updateRow(row: MatrixRow | undefined, measured: Measurement): MatrixRow {
  const correct = measured.correct ? 1 : 0;
  const latencyMs = Math.max(0, measured.latencyMs);
  const n = (row?.n ?? 0) + 1;
  const at = measured.at ?? row?.at;
  return {
    alpha: (row?.alpha ?? 1) + correct,
    beta: (row?.beta ?? 1) + 1 - correct,
    n,
    latencyMs: newer(row?.latencyMs ?? 0, latencyMs, 1 / n),
    recent: newer(row?.recent ?? 0.5, correct, 1 / (n + 2)),
    ...(at === undefined ? {} : { at }),
  };
}

/** Correctness × speed, 0–1. The performance matrix shows this score. */
export function rowScore(row: MatrixRow): number {
  return correctnessOf(row) * speedOf(row.latencyMs);
}

/** Expected correctness, 0–1: the posterior's mean. */
export function correctnessOf(row: Pick<MatrixRow, 'alpha' | 'beta'>): number {
  return row.alpha / (row.alpha + row.beta);
}

/**
 * One draw from Beta(alpha, beta), both at least 1, for Thompson sampling: X / (X + Y) for two Gamma variates.
 * `uniform(0)`, `uniform(1)` … are independent numbers in [0, 1), of which few are used. The same numbers give
 * the same result.
 */
export function sampleBeta(alpha: number, beta: number, uniform: (index: number) => number): number {
  const a = sampleGamma(alpha, (index) => uniform(2 * index));
  const b = sampleGamma(beta, (index) => uniform(2 * index + 1));
  return a / (a + b);
}

/** Normalised speed: 1 for an immediate answer, 0.5 at 5 seconds, approaching 0. */
export function speedOf(latencyMs: number): number {
  return HALF_SPEED_MS / (HALF_SPEED_MS + latencyMs);
}

/** Recent against long-term correctness, 0–1: above 0.5 if the resource improves, below if it gets worse. */
export function trendOf(row: MatrixRow): number {
  return (1 + row.recent - correctnessOf(row)) / 2;
}

/** Marsaglia and Tsang, "A simple method for generating gamma variables" (2000); shape at least 1. */
function sampleGamma(shape: number, uniform: (index: number) => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    // 1 - u is never 0, so the logarithms are finite. The normal variate comes from the Box–Muller transform.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(3 * attempt)));
    const normal = radius * Math.cos(2 * Math.PI * uniform(3 * attempt + 1));
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    const accept = Math.log(1 - uniform(3 * attempt + 2));
    if (accept < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
  return shape;
}

function newer(mean: number, value: number, share: number): number {
  return mean + Math.max(NEWEST_WEIGHT, share) * (value - mean);
}
