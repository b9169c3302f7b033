import { type FitnessTally, tally } from '../evolution/fitness.ts';
import { idOf, type Projection } from './projection.ts';

/**
 * Fitness tallies under `node/<id>`: answers judged by computation or gold, over the Node's whole life. A
 * genome never changes, so all of its answers count. Agreement does not count.
 */
export const fitness: Projection<FitnessTally> = {
  name: 'fitness',
  version: 1,
  on: {
    PerformanceRecorded({ data, stream }, rows) {
      if (data.basis === 'consensus') return;
      const key = `node/${idOf(stream, 'node')}`;
      rows.set(key, tally(rows.get(key), data));
    },
  },
  isFollowed: true,
  tables: { fitness: '' },
};
