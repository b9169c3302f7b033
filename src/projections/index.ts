import { credits } from './credits.ts';
import { deadlines } from './deadlines.ts';
import { evolution } from './evolution.ts';
import { fitness } from './fitness.ts';
import { founders } from './founders.ts';
import { generations } from './generations.ts';
import { lineage } from './lineage.ts';
import { network } from './network.ts';
import { nodesRead } from './nodes.ts';
import { performanceMatrix } from './performance-matrix.ts';
import type { AnyProjection } from './projection.ts';
import { queryTrace } from './query-trace.ts';
import type { Read } from './read.ts';
import { trust } from './trust.ts';

/*
 * To add a projection:
 * 1. Write `<name>.ts` beside this file: the type of its rows, and a `Projection` whose `on` has, for each type of event,
 *    the function that changes its rows.
 * 2. Add `tables` for `dellm history at --show`, and `reads` (made with `read()`) for `dellm.<name>`: the schemas of request
 *    and answer, and a function from rows to the answer. Services and commands use this list; nothing else must change.
 * 3. Add it to the list below, in the order in which `dellm history at` should show it.
 * 4. Run the specs with UPDATE_HISTORIES=1, which records its rows for every recorded history. Describe it in docs/services.md.
 * 5. When its rows change later, increase its `version`: every read model is then built again.
 */
export const PROJECTIONS: readonly AnyProjection[] = [
  evolution,
  network,
  lineage,
  fitness,
  performanceMatrix,
  trust,
  credits,
  queryTrace,
  deadlines,
  founders,
  generations,
];

/** Reads over rows of several projections. */
const JOINED_READS: readonly Read[] = [nodesRead];

/** All reads. */
export const READS: readonly Read[] = [...PROJECTIONS.flatMap(({ reads }) => reads ?? []), ...JOINED_READS];

/** A table of `dellm history at --show`. */
export interface Table {
  readonly name: string;
  readonly projection: AnyProjection;
  /** Prefix of the keys of its rows. */
  readonly prefix: string;
}

export const TABLES: readonly Table[] = PROJECTIONS.flatMap((projection) =>
  Object.entries(projection.tables ?? {}).map(([name, prefix]) => ({ name, projection, prefix })),
);
