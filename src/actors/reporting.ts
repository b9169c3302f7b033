/** A Node reports its successes after every so many judged answers: a report for each would be an event for every task. */
export const REPORT_EVERY = 5;
