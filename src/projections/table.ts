import type { AnyProjection, Rows } from './projection.ts';

/** A row that has not been written to the file. */
export interface Unwritten {
  /** Undefined: the row has to be deleted. */
  readonly row: unknown;
  /** Position of the last event that changed it. */
  readonly changed: number;
  /** What was in memory of the file's row before; undefined: nothing. */
  readonly before: Known | undefined;
}

/** A row of the file; undefined: the file has no such row. */
interface Known {
  readonly row: unknown;
}

/** This many recently used rows stay in memory, and up to as many again. */
const KEPT_ROWS = 2_000;

/**
 * The rows of one projection. Only unwritten and recently used ones are in memory; `read` gets the others from the file.
 * So memory does not grow with history, and a row that every event changes is read once. A row that is only written,
 * such as a step of a trace, is not kept.
 */
// biome-ignore lint/suspicious/noExplicitAny: it holds rows of any projection; each is typed where it is read
export class Table implements Rows<any> {
  readonly projection: AnyProjection;
  /** Position of the event that is being folded. */
  position = -1;
  /** Position of the last change of any row. */
  changedAt: number;
  readonly unwritten = new Map<string, Unwritten>();
  readonly #read: (key: string) => unknown;
  /** A row that is used moves to `#young`. When `#young` is full, it becomes `#old`, and the former `#old` is dropped. */
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();

  constructor(projection: AnyProjection, changedAt: number, read: (key: string) => unknown) {
    this.projection = projection;
    this.changedAt = changedAt;
    this.#read = read;
  }

  get(key: string): unknown {
    const inMemory = this.unwritten.get(key) ?? this.#young.get(key);
    if (inMemory) return inMemory.row;
    const { row } = this.#old.get(key) ?? { row: this.#read(key) };
    this.#keep(key, row);
    return row;
  }

  /** The row in memory, or else the one that `read` gives. It is not kept. */
  peek(key: string, read: () => unknown): unknown {
    const inMemory = this.unwritten.get(key) ?? this.#young.get(key) ?? this.#old.get(key);
    return inMemory ? inMemory.row : read();
  }

  set(key: string, row: unknown): void {
    const unwritten = this.unwritten.get(key);
    const before = unwritten ? unwritten.before : (this.#young.get(key) ?? this.#old.get(key));
    this.unwritten.set(key, { row, changed: this.position, before });
    this.changedAt = this.position;
  }

  delete(key: string): void {
    this.set(key, undefined);
  }

  /** All unwritten rows are in the file now. */
  written(): void {
    for (const [key, { row, before }] of this.unwritten) if (before) this.#keep(key, row);
    this.unwritten.clear();
  }

  clear(): void {
    this.changedAt = -1;
    this.unwritten.clear();
    this.#young.clear();
    this.#old.clear();
  }

  #keep(key: string, row: unknown): void {
    this.#young.set(key, { row });
    if (this.#young.size < KEPT_ROWS) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
