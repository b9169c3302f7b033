import type { Spread } from './statistics.ts';

/** A cell of a report: a text, one measured number, or the median of several with the least and the most. */
export type Cell = string | number | Spread;

/** One line of a table; keys are the columns. */
export type Row = Readonly<Record<string, Cell>>;

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Run {
  /** How many: one of its `sizes`, scaled. `unit` says of what. */
  readonly size: number;
  /** An empty folder for this run, on the disk whose fsync times the report gives. */
  readonly folder: string;
  /** Shows progress. */
  readonly log: (line: string) => void;
}

export interface Benchmark {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** What is compared with what, in Markdown, so that the table can be read by itself. */
  readonly about: string;
  /** What `size` counts. */
  readonly unit: string;
  /** The sizes at scale 1: a tenth, one, ten times, where growth can show. */
  readonly sizes: readonly number[];
  /** The smallest size that means anything. */
  readonly least: number;
  run(run: Run): Promise<readonly Table[]>;
}
