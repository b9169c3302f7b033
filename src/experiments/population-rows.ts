import { idOf, type Projection, type RecordedOf, type Rows } from '../projections/projection.ts';

/**
 * The fields of each Cluster, under its id: that of its founding, and those of Clusters that were merged into it. Tasks
 * come from outside, so a field does not end with a Cluster.
 */
export const clusterFields: Projection<readonly string[]> = {
  name: 'cluster-fields',
  version: 1,
  on: {
    ClusterFormed({ data: { cluster, specialization } }, rows) {
      if (!rows.get(cluster)) rows.set(cluster, [specialization]);
    },
    ClusterSplit: addFields,
    ClusterMerged: addFields,
  },
};

/** What happened in a population. Founders do not count as born. */
export interface Counts {
  readonly born: number;
  readonly culled: number;
  readonly judged: number;
  readonly right: number;
}

export const NO_COUNTS: Counts = { born: 0, culled: 0, judged: 0, right: 0 };

/** The key of the one row of `counts`. */
export const TOTAL = 'total';

/** Counts over the whole history. */
export const counts: Projection<Counts> = {
  name: 'counts',
  version: 1,
  on: {
    NodeBorn({ data: { cause } }, rows) {
      if (cause !== 'genesis') add(rows, { born: 1 });
    },
    NodeCulled: (_event, rows) => add(rows, { culled: 1 }),
    GoldTaskJudged: ({ data: { correct } }, rows) => add(rows, { judged: 1, right: correct ? 1 : 0 }),
  },
};

function addFields(
  { stream, data: { into } }: RecordedOf<'ClusterSplit' | 'ClusterMerged'>,
  rows: Rows<readonly string[]>,
): void {
  const fields = [...(rows.get(into) ?? []), ...(rows.get(idOf(stream, 'cluster')) ?? [])];
  rows.set(into, [...new Set(fields)]);
}

function add(rows: Rows<Counts>, { born = 0, culled = 0, judged = 0, right = 0 }: Partial<Counts>): void {
  const before = rows.get(TOTAL) ?? NO_COUNTS;
  rows.set(TOTAL, {
    born: before.born + born,
    culled: before.culled + culled,
    judged: before.judged + judged,
    right: before.right + right,
  });
}
