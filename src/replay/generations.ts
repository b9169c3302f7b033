import { idOf, type Projection } from '../projections/projection.ts';

/** Where the generations of one Cluster stand in the history. */
export interface GenerationsRow {
  readonly cluster: string;
  /** Position before which the first generation was opened. */
  readonly openedAt: number;
  /** Positions at which generations had ended, by number. */
  readonly endedAt: Readonly<Record<string, number>>;
}

/** Finds generations: a row under each Cluster's id. */
export const generations: Projection<GenerationsRow> = {
  name: 'generations',
  version: 1,
  resident: true,
  keys(event) {
    switch (event.type) {
      case 'GenerationOpened':
      case 'GenerationClosed':
        return [idOf(event.stream, 'cluster')];
      case 'GenerationCompleted':
        return [event.data.cluster];
      default:
        return [];
    }
  },
  fold(row, event, cluster) {
    const { position } = event;
    const before = row ?? { cluster, openedAt: position, endedAt: {} };
    if (event.type !== 'GenerationClosed' && event.type !== 'GenerationCompleted') return before;
    // The saga's end and the Cluster's stand beside each other: the generation has ended with the later one.
    return { ...before, endedAt: { ...before.endedAt, [event.data.generation]: position } };
  },
};
