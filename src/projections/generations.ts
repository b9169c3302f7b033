import { idOf, type Projection, type Rows } from './projection.ts';

/** What the generations of one Cluster have come to. */
export interface ClusterGenerationsRow {
  readonly kind: 'cluster';
  readonly cluster: string;
  /** Position at which the first one was opened. */
  readonly openedAt: number;
  /** The last one that has begun; null before the first. */
  readonly last: number | null;
  /** Over all that are over. */
  readonly culled: number;
  readonly born: number;
}

/** Where a generation of one Cluster has ended. */
export interface GenerationEndRow {
  readonly kind: 'end';
  readonly cluster: string;
  readonly generation: number;
  readonly position: number;
}

export type GenerationsRow = ClusterGenerationsRow | GenerationEndRow;

const NEW = { kind: 'cluster', last: null, culled: 0, born: 0 } as const;

/** Rows `cluster/<id>` and `end/<id>/<n>`, so that nobody adds up the generations that there were, or looks for one. */
export const generations: Projection<GenerationsRow> = {
  name: 'generations',
  version: 2,
  on: {
    GenerationOpened({ stream, position }, rows) {
      ofCluster(rows, idOf(stream, 'cluster'), position, (row) => row);
    },
    GenerationBegun({ data: { cluster, generation }, position }, rows) {
      ofCluster(rows, cluster, position, (row) => ({ ...row, last: generation }));
    },
    GenerationCompleted({ data: { cluster, generation, culled, born }, position }, rows) {
      ofCluster(rows, cluster, position, (row) => ({
        ...row,
        culled: row.culled + culled,
        born: row.born + born,
      }));
      end(rows, cluster, generation, position);
    },
    GenerationClosed({ stream, data: { generation }, position }, rows) {
      end(rows, idOf(stream, 'cluster'), generation, position);
    },
  },
};

function ofCluster(
  rows: Rows<GenerationsRow>,
  cluster: string,
  openedAt: number,
  change: (row: ClusterGenerationsRow) => ClusterGenerationsRow,
): void {
  const found = rows.get(`cluster/${cluster}`);
  const row = found?.kind === 'cluster' ? found : { ...NEW, cluster, openedAt };
  rows.set(`cluster/${cluster}`, change(row));
}

/** The saga's end and the Cluster's stand beside each other: the generation has ended with the later one. */
function end(rows: Rows<GenerationsRow>, cluster: string, generation: number, position: number): void {
  rows.set(`end/${cluster}/${generation}`, { kind: 'end', cluster, generation, position });
}
