/** What is known of one resource (a Node or a Cluster) on one task type. Plain data. */
export interface MatrixRow {
  /** Correct answers + 1: with `beta` the posterior Beta(alpha, beta) of correctness from a uniform prior. */
  readonly alpha: number;
  /** Incorrect answers + 1. */
  readonly beta: number;
  /** Answers measured. */
  readonly n: number;
  /** Exponentially weighted mean latency in milliseconds. */
  readonly latencyMs: number;
  /** Exponentially weighted correctness, which moves faster than the posterior. */
  readonly recent: number;
  /** When it was last measured (ISO 8601), where the caller said so. */
  readonly at?: string;
}

export interface Measurement {
  readonly correct: boolean;
  readonly latencyMs: number;
  readonly at?: string;
}

/** Least weight of the newest measurement in `latencyMs` and `recent`: roughly the last 10 count. */
const NEWEST_WEIGHT = 0.1;

/** An answer that takes this long counts half as much as one at once. */
const HALF_SPEED_MS = 5_000;

/** How far a trend may move a score, up or down. */
const MAX_TREND = 0.5;

/** Up to some 10 measurements `recent` equals the posterior's mean, so that a new resource shows no trend. */
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

/** Correctness × speed, 0 to 1: what the matrix shows. */
export function rowScore(row: MatrixRow): number {
  return correctnessOf(row) * speedOf(row.latencyMs);
}

/** Expected correctness: the posterior's mean. */
export function correctnessOf(row: Pick<MatrixRow, 'alpha' | 'beta'>): number {
  return row.alpha / (row.alpha + row.beta);
}

/** Normalised speed: 1 for an answer at once, 0.5 at 5 seconds, towards 0. */
export function speedOf(latencyMs: number): number {
  return HALF_SPEED_MS / (HALF_SPEED_MS + latencyMs);
}

/** Recent against long-term correctness as a factor around 1: above when the resource gets better, 0.5 to 1.5. */
export function trendOf(row: MatrixRow): number {
  return 1 + Math.min(MAX_TREND, Math.max(-MAX_TREND, row.recent - correctnessOf(row)));
}

function newer(mean: number, value: number, share: number): number {
  return mean + Math.max(NEWEST_WEIGHT, share) * (value - mean);
}
