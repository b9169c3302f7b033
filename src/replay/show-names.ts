/** The rows that can be shown at a moment, in this order. `nodes` are the rows of Nodes in `network`. */
export const SHOWS = [
  'evolution',
  'network',
  'nodes',
  'lineage',
  'fitness',
  'matrix',
  'trust',
  'credits',
] as const;
export type Show = (typeof SHOWS)[number];

/** What `all` shows: each row once. */
export const ALL_SHOWS: readonly Show[] = SHOWS.filter((show) => show !== 'nodes');
