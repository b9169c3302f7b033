import { type FitnessTally, tally } from '../evolution/fitness.ts';
import { idOf, type Projection } from './projection.ts';

/**
 * What fitness is made of, under `node/<id>`: answers judged by computation or by gold, over the Node's whole life. Its
 * genome never changes, so every answer of it is evidence. Agreement is none.
 */
export const fitness: Projection<FitnessTally, 'PerformanceRecorded'> = {
  name: 'fitness',
  version: 1,
  resident: true,
  types: ['PerformanceRecorded'],
  keys({ data, stream }) {
    return data.basis === 'consensus' ? [] : [`node/${idOf(stream, 'node')}`];
  },
  fold: (row, { data }) => tally(row, data),
};
