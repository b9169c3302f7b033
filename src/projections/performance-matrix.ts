import { z } from 'zod';
import { correctnessOf, type MatrixRow, rowScore, updateRow } from '../actors/super-cluster/matrix.ts';
import { idOf, type Projection, type Rows } from './projection.ts';
import { page, paged, pageOf, read } from './read.ts';

/** A cell of the performance matrix: one resource on one task type. */
export interface MatrixCell extends MatrixRow {
  readonly resource: string;
  readonly taskType: string;
}

/** A judged answer of a resource. */
interface Judged {
  /** `node/<id>` or `cluster/<id>`. */
  readonly resource: string;
  readonly taskType: string;
  readonly correct: boolean;
  readonly latencyMs: number;
  readonly at: string;
}

const matrixRead = read({
  name: 'matrix',
  description: 'The performance matrix: correctness and speed of each Node and Cluster for each task type',
  input: {
    ...page,
    resource: z.string().max(80).optional().describe('"node/<id>" or "cluster/<id>"'),
  },
  output: {
    cells: z.array(
      z.object({
        key: z.string(),
        resource: z.string(),
        taskType: z.string(),
        score: z.number().describe('correctness × speed, 0–1'),
        correctness: z.number(),
        latencyMs: z.number(),
        answers: z.int(),
      }),
    ),
    ...paged,
  },
  answer({ after, limit, resource }, reader) {
    const prefix = resource === undefined ? '' : `${resource}/`;
    const { rows, next } = pageOf(reader.rows(performanceMatrix, { prefix, after }), limit);
    const cells = rows.map(([key, cell]) => ({
      key,
      resource: cell.resource,
      taskType: cell.taskType,
      score: rowScore(cell),
      correctness: correctnessOf(cell),
      latencyMs: cell.latencyMs,
      answers: cell.n,
    }));
    return { cells, next };
  },
});
export const MatrixOutput = matrixRead.output;

/** Cells under `node/<id>/<task type>` and `cluster/<id>/<task type>`, from judged answers only. */
export const performanceMatrix: Projection<MatrixCell> = {
  name: 'matrix',
  version: 1,
  on: onJudged(({ resource, taskType, correct, latencyMs, at }, rows) => {
    const key = `${resource}/${taskType}`;
    rows.set(key, { ...updateRow(rows.get(key), { correct, latencyMs, at }), resource, taskType });
  }),
  isFollowed: true,
  tables: { matrix: '' },
  reads: [matrixRead],
};

/** Folds every event that judges an answer of a resource. */
export function onJudged<Row>(fold: (judged: Judged, rows: Rows<Row>) => void): Projection<Row>['on'] {
  return {
    PerformanceRecorded({ stream, data }, rows) {
      const { taskType, correct, responseMs: latencyMs, at } = data;
      fold({ resource: `node/${idOf(stream, 'node')}`, taskType, correct, latencyMs, at }, rows);
    },
    VerdictReached({ data }, rows) {
      const { resource, taskType, correct, responseMs: latencyMs, at } = data;
      if (resource.kind !== 'cluster' || correct === null) return;
      fold({ resource: `cluster/${resource.id}`, taskType, correct, latencyMs, at }, rows);
    },
  };
}
