import { type AnyProjection, foldInto, type Projection, type Recorded } from '../projections/projection.ts';

/** The rows of one projection by key. */
export type Rows<Row = unknown> = ReadonlyMap<string, Row>;

/** Told of each row that an event makes. */
export type OnRow = (projection: string, key: string, row: unknown) => void;

/** Rows of projections in plain maps, without a file. */
export class MemoryModel {
  readonly projections: readonly AnyProjection[];
  /** Folds the next event of the history into every row that it touches. */
  readonly apply: (event: Recorded) => void;
  readonly #rows: ReadonlyMap<string, Map<string, unknown>>;

  constructor(projections: readonly AnyProjection[], onRow?: OnRow) {
    this.projections = projections;
    this.#rows = new Map(
      projections.map(({ name }) => [
        name,
        onRow ? new ToldMap((key, row) => onRow(name, key, row)) : new Map(),
      ]),
    );
    this.apply = foldInto(projections.map((projection) => ({ projection, rows: this.#of(projection) })));
  }

  /** The rows of a projection, in the order of their creation. Throws for a projection that is not folded here. */
  rows<Row>(projection: Projection<Row>): Rows<Row> {
    // Nobody but the projection's own folds puts rows there.
    return this.#of(projection) as Rows<Row>;
  }

  /** Replaces all rows of a projection by those of a snapshot. */
  restore(projection: AnyProjection, rows: Iterable<readonly [string, unknown]>): void {
    const target = this.#of(projection);
    target.clear();
    for (const [key, row] of rows) target.set(key, row);
  }

  #of({ name }: AnyProjection): Map<string, unknown> {
    const rows = this.#rows.get(name);
    if (!rows) throw new Error(`The projection "${name}" is not folded here.`);
    return rows;
  }
}

class ToldMap extends Map<string, unknown> {
  readonly #onRow: (key: string, row: unknown) => void;

  constructor(onRow: (key: string, row: unknown) => void) {
    super();
    this.#onRow = onRow;
  }

  override set(key: string, row: unknown): this {
    this.#onRow(key, row);
    return super.set(key, row);
  }
}
