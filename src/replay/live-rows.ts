import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { EventPlace } from '../eventstore/holds-event.ts';
import type { AnyProjection } from '../projections/projection.ts';
import { type ReadModel, versionsOf } from '../projections/read-model.ts';
import type { Rows } from './memory-model.ts';
import { openReadOnly } from './store-file.ts';

/** The rows of a network's read model, all from one position. */
export interface LiveRows {
  readonly label: string;
  readonly position: number;
  /** The last event that they were folded from; null before the first. */
  readonly lastEvent: EventPlace | null;
  /** Rows by projection, as JSON returns them. Only projections that can be compared. */
  readonly rows: ReadonlyMap<string, Rows>;
}

const checkpoint = z.object({
  position: z.number(),
  lastEvent: z
    .object({ stream: z.string(), revision: z.number(), position: z.number(), id: z.string() })
    .nullable(),
});

/** The rows were made by projections of another version, so they cannot be compared. */
export class ForeignReadModelError extends Error {
  override readonly name = 'ForeignReadModelError';
}

/**
 * The read model's file at its last commit, whether its projector runs or not. Null if there is no file.
 *
 * @throws {ForeignReadModelError}
 */
export function liveRowsOfFile(file: string, projections: readonly AnyProjection[]): LiveRows | null {
  if (!existsSync(file)) return null;
  const database = openReadOnly(file);
  try {
    // One transaction: checkpoint and rows are from the same commit.
    database.exec('begin');
    const meta = new Map(
      (database.prepare('select key, value from meta').all() as { key: string; value: string }[]).map(
        ({ key, value }) => [key, value],
      ),
    );
    const found = meta.get('checkpoint');
    if (found === undefined || meta.get('versions') !== versionsOf(projections)) {
      throw new ForeignReadModelError(
        `Another release made the read model ${file}, so its rows were not compared. ` +
          'Start the network once with this release, which builds it again.',
      );
    }
    const { position, lastEvent } = checkpoint.parse(JSON.parse(found));
    const ofProjection = database.prepare('select key, row from rows where projection = ?');
    const rows = projections.map(({ name }): [string, Rows] => {
      const stored = ofProjection.all(name) as { key: string; row: string }[];
      return [name, new Map(stored.map(({ key, row }) => [key, JSON.parse(row)]))];
    });
    return { label: file, position, lastEvent, rows: new Map(rows) };
  } finally {
    if (database.inTransaction) database.exec('rollback');
    database.close();
  }
}

/** The current rows of a read model of this process, without those of endless projections. */
export function liveRowsOf(model: ReadModel, projections: readonly AnyProjection[]): LiveRows {
  const rows = projections
    .filter(({ isEndless }) => !isEndless)
    .map((projection): [string, Rows] => [projection.name, throughJson(model.rows(projection))]);
  const { position, lastEvent } = model;
  return { label: 'the read model', position, lastEvent, rows: new Map(rows) };
}

/** Rows as a file would return them, without `undefined`. */
export function throughJson(rows: Iterable<readonly [string, unknown]>): Rows {
  return new Map([...rows].map(([key, row]) => [key, JSON.parse(JSON.stringify(row)) as unknown]));
}
