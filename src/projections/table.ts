import type { AnyProjection, Rows } from './projection.ts';

/** A row that is not written yet. */
export interface Unwritten {
  /** Undefined: it is to be taken away. */
  readonly row: unknown;
  /** Position of the last event that touched it. */
  readonly changed: number;
  /** Whether the file is known to have no row under this key. */
  readonly isNew: boolean;
}

/** What is in memory of a row; the row is undefined where the file has none. */
interface Known {
  readonly row: unknown;
}

/** So many rows that were used last are kept in memory, and up to as many again. */
const KEPT_ROWS = 2_000;

/**
 * The rows of one projection: those that are not written yet, and those that were used last; `read` gives all others from
 * the file. So memory does not grow with history, and the rows that events touch over and over are read once.
 */
// biome-ignore lint/suspicious/noExplicitAny: it holds rows of any projection; each is typed where it is read
export class Table implements Rows<any> {
  readonly projection: AnyProjection;
  /** Position of the event that is being folded. */
  position = -1;
  /** Of the last change of any row. */
  changedAt: number;
  readonly unwritten = new Map<string, Unwritten>();
  readonly #read: (key: string) => unknown;
  /** What is used moves to the young ones; when those are enough, the old ones are dropped and they become old. */
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();

  constructor(projection: AnyProjection, changedAt: number, read: (key: string) => unknown) {
    this.projection = projection;
    this.changedAt = changedAt;
    this.#read = read;
  }

  get(key: string): unknown {
    const young = this.unwritten.get(key) ?? this.#young.get(key);
    if (young) return young.row;
    const known = this.#old.get(key) ?? { row: this.#read(key) };
    this.#keep(key, known);
    return known.row;
  }

  /** A row that was just read from the file, or the one in its place that is in memory already. */
  orKnown(key: string, read: () => unknown): unknown {
    const known = this.unwritten.get(key) ?? this.#young.get(key) ?? this.#old.get(key);
    return known ? known.row : read();
  }

  set(key: string, row: unknown): void {
    const before = this.unwritten.get(key);
    const isNew = before ? before.isNew : this.#isNotInFile(key);
    this.unwritten.set(key, { row, changed: this.position, isNew });
    this.changedAt = this.position;
  }

  delete(key: string): void {
    this.set(key, undefined);
  }

  /** All unwritten rows have been written. */
  written(): void {
    for (const [key, known] of this.unwritten) this.#keep(key, known);
    this.unwritten.clear();
  }

  clear(): void {
    this.changedAt = -1;
    this.unwritten.clear();
    this.#young.clear();
    this.#old.clear();
  }

  #isNotInFile(key: string): boolean {
    const known = this.#young.get(key) ?? this.#old.get(key);
    return known !== undefined && known.row === undefined;
  }

  #keep(key: string, { row }: Known): void {
    this.#young.set(key, { row });
    if (this.#young.size < KEPT_ROWS) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
