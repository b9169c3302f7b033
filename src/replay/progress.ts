import type { Cursor, PlacedEvent } from './history-file.ts';

/** Where a fold stands in a history. */
export interface FoldedEvent extends Pick<PlacedEvent, 'stream' | 'revision' | 'id' | 'position'> {
  /** When it says that it happened; empty where it does not say. */
  readonly at: string;
}

/** How far a fold is. */
export interface Progress {
  readonly last: FoldedEvent | null;
  readonly events: number;
  /** The latest time that any of the events names. */
  readonly latestAt: string;
  readonly cursor: Cursor;
}
