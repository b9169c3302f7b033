import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { EventPlace } from '../eventstore/holds-event.ts';
import type { AnyProjection } from '../projections/projection.ts';
import type { ReadModel } from '../projections/read-model.ts';
import type { Rows } from './memory-model.ts';
import { openReadOnly } from './store-file.ts';

/** The rows that a network answers from, all from one position. */
export interface LiveRows {
  readonly label: string;
  readonly position: number;
  /** The last event that they were folded from; null before the first. */
  readonly lastEvent: EventPlace | null;
  /** By projection: those that can be compared, as JSON gives them back. */
  readonly rows: ReadonlyMap<string, Rows>;
}

const checkpoint = z.object({
  position: z.number(),
  lastEvent: z
    .object({ stream: z.string(), revision: z.number(), position: z.number(), id: z.string() })
    .nullable(),
});

/** Rows that another release's folds have made cannot be compared. */
export class ForeignReadModelError extends Error {
  override readonly name = 'ForeignReadModelError';
}

/**
 * The read model's file as it was committed last, whether its projector runs or not. Null where there is none.
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
    const versions = JSON.stringify(projections.map(({ name, version }) => [name, version]));
    const found = meta.get('checkpoint');
    if (found === undefined || meta.get('versions') !== versions) {
      throw new ForeignReadModelError(
        `The read model ${file} was made by other folds than this release's, so its rows are not compared. ` +
          'Start the network once with this release: it makes them anew.',
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

/** The resident rows of a read model that this process keeps, as they are now. */
export function liveRowsOf(model: ReadModel, projections: readonly AnyProjection[]): LiveRows {
  const rows = projections
    .filter(({ resident }) => resident)
    .map((projection): [string, Rows] => [
      projection.name,
      throughJson(model.rows(projection, { limit: Number.MAX_SAFE_INTEGER })),
    ]);
  const { position, lastEvent } = model;
  return { label: 'the read model', position, lastEvent, rows: new Map(rows) };
}

/** Rows as a file gives them back, which holds no `undefined`. */
export function throughJson(rows: Iterable<readonly [string, unknown]>): Rows {
  return new Map([...rows].map(([key, row]) => [key, JSON.parse(JSON.stringify(row)) as unknown]));
}
