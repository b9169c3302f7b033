/** The fold of one Node's verdicts. Plain data, at most some 150 bytes. */
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

/** What an answer counts that was never given: neither right nor wrong. */
const PRIOR_ACCURACY = 0.5;

/** Until that many answers, the missing ones count as the prior, so that one lucky answer is not full trust. */
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

/** The founding document's formula; all three and the result are 0 to 1. */
export function trustScore(input: { recent: number; lifetime: number; uptime: number }): number {
  return input.recent * 0.6 + input.lifetime * 0.3 + input.uptime * 0.1;
}

/** The trust score of a Node. Exactly the formula from 10 answers on; before, missing answers count as half right. */
export function trustOf(state: TrustState, uptime: number): number {
  return trustScore({ recent: recentAccuracy(state), lifetime: accuracy(state.valid, state.total), uptime });
}

/** Accuracy over the last 100 tasks, with the prior of a new Node. */
export function recentAccuracy(state: TrustState): number {
  let valid = 0;
  for (const verdict of state.recent) if (verdict === '1') valid += 1;
  return accuracy(valid, state.recent.length);
}

/**
 * Whether this Node's next answer must be given by others too. Always until 10 valid answers in a row, then for one
 * in ten by `draw` in [0, 1). An invalid answer starts the count again.
 */
export function needsReplication(state: TrustState, draw: number): boolean {
  return state.streak < PROVEN_STREAK || draw < SPOT_REPLICATION;
}

function accuracy(valid: number, total: number): number {
  const missing = Math.max(0, PRIOR_TASKS - total);
  return (valid + missing * PRIOR_ACCURACY) / (total + missing);
}
