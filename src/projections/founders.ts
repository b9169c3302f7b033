import type { FitnessTally } from '../evolution/fitness.ts';
import type { Projection, Rows } from './projection.ts';

export interface FounderRow {
  /** The first ancestor along first parents. A Node without parents is its own founder. */
  readonly founder: string;
}

/** Founders of all Nodes, living and dead, under `node/<id>`. */
export const founders: Projection<FounderRow> = {
  name: 'founders',
  version: 1,
  on: {
    NodeBorn({ data: { node, parents } }, rows) {
      const [parent] = parents;
      const founder = parent === undefined ? node : (rows.get(`node/${parent}`)?.founder ?? parent);
      rows.set(`node/${node}`, { founder });
    },
  },
};

/** Right answers of these Nodes by founder and task type: the input of `emergentSpecialization`. */
export function rightAnswersByFounder(
  nodes: readonly { readonly id: string; readonly fitness: FitnessTally | undefined }[],
  rows: Pick<Rows<FounderRow>, 'get'>,
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const counts = new Map<string, Record<string, number>>();
  for (const { id, fitness } of nodes) {
    const founder = rows.get(`node/${id}`)?.founder ?? id;
    const row = counts.get(founder) ?? {};
    counts.set(founder, row);
    for (const [taskType, { right }] of Object.entries(fitness ?? {})) {
      row[taskType] = (row[taskType] ?? 0) + right;
    }
  }
  return counts;
}
