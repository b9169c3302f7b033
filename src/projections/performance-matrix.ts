import { type MatrixRow, updateRow } from '../actors/super-cluster/matrix.ts';
import { idOf, type Projection, type RecordedOf } from './projection.ts';

/** A cell of the performance matrix: one resource on one task type. */
export interface MatrixCell extends MatrixRow {
  readonly resource: string;
  readonly taskType: string;
}

/** Types of event that may say how well a resource did. */
export const JUDGING_TYPES = ['PerformanceRecorded', 'VerdictReached'] as const;

type Judging = (typeof JUDGING_TYPES)[number];

/** Cells under `node/<id>/<task type>` and `cluster/<id>/<task type>`, from judged answers only. */
export const performanceMatrix: Projection<MatrixCell, Judging> = {
  name: 'matrix',
  version: 1,
  resident: true,
  types: JUDGING_TYPES,
  keys(event) {
    const judged = judgedOf(event);
    return judged ? [`${judged.resource}/${judged.taskType}`] : [];
  },
  fold(row, event) {
    const judged = judgedOf(event);
    if (!judged) return row;
    const { resource, taskType, correct, latencyMs, at } = judged;
    return { ...updateRow(row, { correct, latencyMs, at }), resource, taskType };
  },
};

/** What an event says about how well a resource did, if it says that. */
export function judgedOf(
  event: RecordedOf<Judging>,
): { resource: string; taskType: string; correct: boolean; latencyMs: number; at: string } | null {
  if (event.type === 'PerformanceRecorded') {
    const { taskType, correct, responseMs: latencyMs, at } = event.data;
    return { resource: `node/${idOf(event.stream, 'node')}`, taskType, correct, latencyMs, at };
  }
  const { resource, taskType, correct, responseMs: latencyMs, at } = event.data;
  if (resource.kind !== 'cluster' || correct === null) return null;
  return { resource: `cluster/${resource.id}`, taskType, correct, latencyMs, at };
}
