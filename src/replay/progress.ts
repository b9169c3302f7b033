import type { Cursor, PlacedEvent } from './history-file.ts';

/** The last event of a fold. */
export interface FoldedEvent extends Pick<PlacedEvent, 'stream' | 'revision' | 'id' | 'position'> {
  /** Its own time; empty if it has none. */
  readonly at: string;
}

/** The progress of a fold. */
export interface Progress {
  readonly last: FoldedEvent | null;
  readonly events: number;
  /** The latest time of any event so far. */
  readonly latestAt: string;
  readonly cursor: Cursor;
}
