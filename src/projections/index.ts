import { credits } from './credits.ts';
import { deadlines } from './deadlines.ts';
import { evolution } from './evolution.ts';
import { fitness } from './fitness.ts';
import { lineage } from './lineage.ts';
import { network } from './network.ts';
import { performanceMatrix } from './performance-matrix.ts';
import type { AnyProjection } from './projection.ts';
import { queryTrace } from './query-trace.ts';
import { trust } from './trust.ts';

/** Every read model of the network. */
export const PROJECTIONS: readonly AnyProjection[] = [
  network,
  performanceMatrix,
  trust,
  fitness,
  lineage,
  evolution,
  credits,
  queryTrace,
  deadlines,
];
