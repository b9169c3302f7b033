import { TABLES, type Table } from '../projections/index.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { MemoryModel } from './memory-model.ts';

/** The table of this name; for `all`, every projection's whole table. */
export function tablesOf(show: string): readonly Table[] {
  return TABLES.filter(({ name, prefix }) => (show === 'all' ? prefix === '' : name === show));
}

/** The projections that these tables need. */
export function projectionsOf(tables: readonly Table[]): readonly AnyProjection[] {
  return [...new Set(tables.map(({ projection }) => projection))];
}

/** The rows of a table with their keys, sorted by key. */
export function shownRows(
  model: MemoryModel,
  { projection, prefix }: Table,
): readonly (readonly [key: string, row: unknown])[] {
  return [...model.rows(projection)]
    .filter(([key]) => key.startsWith(prefix))
    .sort(([one], [other]) => (one < other ? -1 : 1));
}
