import { PROJECTIONS } from '../projections/index.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { MemoryModel } from './memory-model.ts';
import type { Show } from './show-names.ts';

/** The projections that these shows need. */
export function projectionsOf(shows: readonly Show[]): readonly AnyProjection[] {
  const names = new Set<string>(shows.map((show) => (show === 'nodes' ? 'network' : show)));
  return PROJECTIONS.filter(({ name }) => names.has(name));
}

/** The rows with their keys, sorted by key. */
export function shownRows(model: MemoryModel, show: Show): readonly (readonly [key: string, row: unknown])[] {
  const rows = [...model.rows(show === 'nodes' ? 'network' : show)];
  return rows
    .filter(([key]) => show !== 'nodes' || key.startsWith('node/'))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
