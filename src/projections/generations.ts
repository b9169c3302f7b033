import { idOf, type Projection, type Rows } from './projection.ts';

/** Sums over the generations of one Cluster. */
export interface ClusterGenerationsRow {
  readonly kind: 'cluster';
  readonly cluster: string;
  /** Position at which its first generation was opened. */
  readonly openedAt: number;
  /** The last generation that has begun; null before the first. */
  readonly last: number | null;
  /** In all completed generations. */
  readonly culled: number;
  readonly born: number;
}

/** The end of one generation of a Cluster. */
export interface GenerationEndRow {
  readonly kind: 'end';
  readonly cluster: string;
  readonly generation: number;
  readonly position: number;
}

export type GenerationsRow = ClusterGenerationsRow | GenerationEndRow;

const NEW = { kind: 'cluster', last: null, culled: 0, born: 0 } as const;

/** Rows `cluster/<id>` and `end/<cluster>/<n>`, so that no reader must add up or search generations. */
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

/** Both the saga and the Cluster record the end. The generation has ended with the later one. */
function end(rows: Rows<GenerationsRow>, cluster: string, generation: number, position: number): void {
  rows.set(`end/${cluster}/${generation}`, { kind: 'end', cluster, generation, position });
}
