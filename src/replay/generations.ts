import { idOf, type Projection } from '../projections/projection.ts';

/** The positions of one Cluster's generations in the history. */
export interface GenerationsRow {
  readonly cluster: string;
  /** Position before which the first generation was opened. */
  readonly openedAt: number;
  /** Positions at which generations had ended, by number. */
  readonly endedAt: Readonly<Record<string, number>>;
}

/** Finds generations, with one row per Cluster. */
export const generations: Projection<
  GenerationsRow,
  'GenerationOpened' | 'GenerationClosed' | 'GenerationCompleted'
> = {
  name: 'generations',
  version: 1,
  resident: true,
  types: ['GenerationOpened', 'GenerationClosed', 'GenerationCompleted'],
  keys(event) {
    return [event.type === 'GenerationCompleted' ? event.data.cluster : idOf(event.stream, 'cluster')];
  },
  fold(row, event, cluster) {
    const { position } = event;
    const before = row ?? { cluster, openedAt: position, endedAt: {} };
    if (event.type === 'GenerationOpened') return before;
    // The saga and the Cluster each record the end. The generation has ended with the later one.
    return { ...before, endedAt: { ...before.endedAt, [event.data.generation]: position } };
  },
};
