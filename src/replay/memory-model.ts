import { type AnyProjection, foldsByType, type Recorded } from '../projections/projection.ts';

/** The rows of one projection by key. */
export type Rows = ReadonlyMap<string, unknown>;

interface Fold {
  readonly projection: AnyProjection;
  readonly rows: Map<string, unknown>;
}

/** Rows of projections in plain maps, without a file. */
export class MemoryModel {
  readonly #folds: readonly Fold[];
  readonly #foldsOf: (type: string) => readonly Fold[];

  constructor(projections: readonly AnyProjection[]) {
    this.#folds = projections.map((projection) => ({ projection, rows: new Map() }));
    this.#foldsOf = foldsByType(this.#folds);
  }

  get projections(): readonly AnyProjection[] {
    return this.#folds.map(({ projection }) => projection);
  }

  /** Folds the next event of the history into every row that it touches. Calls `onRow` with each resulting row. */
  apply(event: Recorded, onRow?: (projection: string, key: string, row: unknown) => void): void {
    for (const { projection, rows } of this.#foldsOf(event.type)) {
      for (const key of projection.keys(event)) {
        const row: unknown = projection.fold(rows.get(key), event, key);
        if (row === undefined) rows.delete(key);
        else {
          rows.set(key, row);
          onRow?.(projection.name, key, row);
        }
      }
    }
  }

  /** The rows of a projection in the order of their creation. Throws for a projection that is not folded here. */
  rows(name: string): Rows {
    return this.#rowsOf(name);
  }

  /** Replaces all rows of a projection by those of a snapshot. */
  restore(name: string, rows: Iterable<readonly [string, unknown]>): void {
    const target = this.#rowsOf(name);
    target.clear();
    for (const [key, row] of rows) target.set(key, row);
  }

  #rowsOf(name: string): Map<string, unknown> {
    const found = this.#folds.find(({ projection }) => projection.name === name);
    if (!found) throw new Error(`The projection "${name}" is not folded here.`);
    return found.rows;
  }
}
