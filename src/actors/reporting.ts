/** A Node tells its Cluster of every so many of its successes: a report for each would be an event for every task. */
export const REPORT_EVERY = 5;
