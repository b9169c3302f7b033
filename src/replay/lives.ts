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
  return [...model.rows(lineage).values()].sort((one, other) => one.bornPosition - other.bornPosition);
}
