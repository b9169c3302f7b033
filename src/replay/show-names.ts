/** What can be shown as it was, in the order of showing it. `nodes` are the rows of Nodes in `network`. */
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

/** What `all` shows: everything once. */
export const ALL_SHOWS: readonly Show[] = SHOWS.filter((show) => show !== 'nodes');
