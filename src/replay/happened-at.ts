import type { PlacedEvent } from './history-file.ts';

/** When an event says that it happened; empty where it does not say. */
export function happenedAt({ data }: Pick<PlacedEvent, 'data'>): string {
  return 'at' in data && typeof data.at === 'string' ? data.at : '';
}
