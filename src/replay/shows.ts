import { PROJECTIONS } from '../projections/index.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { MemoryModel } from './memory-model.ts';
import type { Show } from './show-names.ts';

/** The folds that it takes to show this. */
export function projectionsOf(shows: readonly Show[]): readonly AnyProjection[] {
  const names = new Set<string>(shows.map((show) => (show === 'nodes' ? 'network' : show)));
  return PROJECTIONS.filter(({ name }) => names.has(name));
}

/** The rows by their keys, in the order of the keys. */
export function shownRows(model: MemoryModel, show: Show): readonly (readonly [key: string, row: unknown])[] {
  const rows = [...model.rows(show === 'nodes' ? 'network' : show)];
  return rows
    .filter(([key]) => show !== 'nodes' || key.startsWith('node/'))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
