import { type FitnessTally, tally } from '../evolution/fitness.ts';
import { idOf, type Projection } from './projection.ts';

/**
 * What fitness is made of, under `node/<id>`: answers judged by computation or by gold, over the Node's whole life. Its
 * genome never changes, so every answer of it is evidence. Agreement is none.
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
