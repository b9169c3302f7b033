/** Counts of one Node's verdicts, folded by `recordVerdict`. Plain data, at most about 150 bytes. */
export interface TrustState {
  /** The last 100 verdicts, oldest first: `1` for a valid answer, `0` for an invalid one. */
  readonly recent: string;
  readonly valid: number;
  readonly total: number;
  /** Valid answers since the last invalid one. */
  readonly streak: number;
}

export const NEW_TRUST: TrustState = { recent: '', valid: 0, total: 0, streak: 0 };

const RECENT_TASKS = 100;

/** Assumed share of valid answers among the missing ones. */
const PRIOR_ACCURACY = 0.5;

/**
 * With fewer answers than this, the missing ones count with the prior, so that one lucky answer does not give
 * full trust.
 */
const PRIOR_TASKS = 10;

const PROVEN_STREAK = 10;

/** Share of a proven Node's tasks that is still replicated. */
const SPOT_REPLICATION = 0.1;

export function recordVerdict(state: TrustState, valid: boolean): TrustState {
  return {
    recent: (state.recent + (valid ? '1' : '0')).slice(-RECENT_TASKS),
    valid: state.valid + (valid ? 1 : 0),
    total: state.total + 1,
    streak: valid ? state.streak + 1 : 0,
  };
}

/** The trust formula of the founding document. All inputs and the result are 0–1. */
export function trustScore(input: { recent: number; lifetime: number; uptime: number }): number {
  return input.recent * 0.6 + input.lifetime * 0.3 + input.uptime * 0.1;
}

/**
 * The trust of a Node, 0–1. From 10 answers on it is exactly the formula. With fewer, each missing answer
 * counts as half right.
 */
export function trustOf(state: TrustState, uptime: number): number {
  return trustScore({ recent: recentAccuracy(state), lifetime: accuracy(state.valid, state.total), uptime });
}

/** Accuracy over the last 100 tasks, 0–1, with the prior for a new Node. */
export function recentAccuracy(state: TrustState): number {
  let valid = 0;
  for (const verdict of state.recent) if (verdict === '1') valid += 1;
  return accuracy(valid, state.recent.length);
}

/**
 * Whether other Nodes must also give this Node's next answer. Always until it has 10 valid answers in a row,
 * then with a probability of 10 % by `draw` in [0, 1). An invalid answer resets the count.
 */
export function needsReplication(state: TrustState, draw: number): boolean {
  return state.streak < PROVEN_STREAK || draw < SPOT_REPLICATION;
}

function accuracy(valid: number, total: number): number {
  const missing = Math.max(0, PRIOR_TASKS - total);
  return (valid + missing * PRIOR_ACCURACY) / (total + missing);
}
