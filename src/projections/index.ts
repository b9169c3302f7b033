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
 * 1. Write `<name>.ts` beside this file: the type of its rows, and a `Projection` whose `on` says for each type of event
 *    which rows it touches and what becomes of them.
 * 2. Give it `tables` for `dellm history at --show`, and `reads` (made by `read()`) for `dellm.<name>`: schemas of request
 *    and answer, and a function from rows to the answer. Nothing else has to know it: services and commands go by this list.
 * 3. Add it to the list below, in the place where `dellm history at` shall show it.
 * 4. Run the specs with UPDATE_HISTORIES=1, which notes its rows for every recorded history; describe it in docs/services.md.
 * 5. Later, when its rows change, give it the next `version`: every read model is then made again.
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

/** Reads over the rows of several projections, none of which is the one to have it. */
const VIEWS: readonly Read[] = [nodesRead];

/** Everything that is answered from rows. */
export const READS: readonly Read[] = [...PROJECTIONS.flatMap(({ reads }) => reads ?? []), ...VIEWS];

/** What `dellm history at --show` offers. */
export interface Table {
  readonly name: string;
  readonly projection: AnyProjection;
  /** What the keys of its rows start with. */
  readonly prefix: string;
}

export const TABLES: readonly Table[] = PROJECTIONS.flatMap((projection) =>
  Object.entries(projection.tables ?? {}).map(([name, prefix]) => ({ name, projection, prefix })),
);
