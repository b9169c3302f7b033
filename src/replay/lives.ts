import { type LineageRow, lineage } from '../projections/lineage.ts';
import { foldTo } from './fold.ts';
import type { HistorySource } from './source.ts';

/** Every life of a history, in the order of births. Throws what `foldTo` throws. */
export async function livesIn(source: HistorySource, signal: AbortSignal): Promise<readonly LineageRow[]> {
  const { model } = await foldTo({
    source,
    moment: { kind: 'end' },
    projections: [lineage],
    cache: null,
    signal,
  });
  // The rows of this projection are its own.
  const lives = [...model.rows(lineage.name).values()] as LineageRow[];
  return lives.sort((one, other) => one.bornPosition - other.bornPosition);
}
