/**
 * A Node reports its successes after this many judged answers. A report for each would be one more event for
 * every task.
 */
export const REPORT_EVERY = 5;
