import type { FitnessTally } from '../evolution/fitness.ts';
import type { LineageRow } from './lineage.ts';

/** Lives by Node, the ended ones too. */
export interface Lives {
  get(node: string): Pick<LineageRow, 'parents'> | undefined;
}

/** The first ancestor along first parents; a Node without parents is its own. */
export function founderOf(node: string, lives: Lives): string {
  let founder = node;
  for (let life = lives.get(founder); life; life = lives.get(founder)) {
    const [parent] = life.parents;
    if (parent === undefined) return founder;
    founder = parent;
  }
  return founder;
}

/** Right answers of these Nodes by founder and task type: what `emergentSpecialization` is measured from. */
export function rightAnswersByFounder(
  nodes: readonly { readonly id: string; readonly fitness: FitnessTally | undefined }[],
  lives: Lives,
): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const counts = new Map<string, Record<string, number>>();
  for (const { id, fitness } of nodes) {
    const founder = founderOf(id, lives);
    const row = counts.get(founder) ?? {};
    counts.set(founder, row);
    for (const [taskType, { right }] of Object.entries(fitness ?? {})) {
      row[taskType] = (row[taskType] ?? 0) + right;
    }
  }
  return counts;
}
