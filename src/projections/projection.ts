import type { AccountEvent } from '../events/account.ts';
import type { ClusterEvent } from '../events/cluster.ts';
import type { ExperimentEvent } from '../events/experiment.ts';
import type { GenerationEvent } from '../events/generation.ts';
import type { GenesisEvent } from '../events/genesis.ts';
import type { NodeEvent } from '../events/node.ts';
import type { QueryEvent } from '../events/query.ts';
import type { SuperClusterEvent } from '../events/super-cluster.ts';
import type { Read } from './read.ts';

export type NetworkEvent =
  | AccountEvent
  | NodeEvent
  | ClusterEvent
  | SuperClusterEvent
  | QueryEvent
  | GenesisEvent
  | GenerationEvent
  | ExperimentEvent;

/** A recorded event as folds get it. */
export type Recorded = NetworkEvent & {
  readonly id: string;
  /** `<category>-<id>`. */
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** Id of the query (or genesis) that the event belongs to. */
  readonly correlationId: string;
};

export type EventType = NetworkEvent['type'];

/** A recorded event of one of these types. */
export type RecordedOf<Type extends EventType> = Extract<Recorded, { readonly type: Type }>;

/** Rows by key, as folds see them; a `Map` is one. Rows are replaced, never changed. */
export interface Rows<Row> {
  get(key: string): Row | undefined;
  set(key: string, row: Row): unknown;
  delete(key: string): unknown;
}

export type Fold<Row, Type extends EventType = EventType> = (
  event: RecordedOf<Type>,
  rows: Rows<Row>,
) => void;

/**
 * A read model: rows by key, and a fold for each type of event. Folds depend only on the event and the rows, so
 * any history always gives the same rows.
 */
export interface Projection<Row> {
  readonly name: string;
  /**
   * Must increase when the contents of the rows change. The read model is then built again from the first
   * event.
   */
  readonly version: number;
  readonly on: { readonly [Type in EventType]?: Fold<Row, Type> };
  /** Folds the events of all types that are not in `on`. Default: they change nothing. */
  readonly onOther?: Fold<Row>;
  /**
   * Whether a row describes something that has ended, so that lists of current things omit it. Default: none
   * does.
   */
  isPast?(row: Row): boolean;
  /** Whether fleets follow changes of its rows. Default: no. */
  readonly isFollowed?: boolean;
  /** Whether it has rows for every query, which nobody reads all at once. Default: no. */
  readonly isEndless?: boolean;
  /** Tables for `dellm history at --show`: the key prefix of each table by its name. Default: none. */
  readonly tables?: Readonly<Record<string, string>>;
  /** How clients read it over the network's services. Default: not at all. */
  readonly reads?: readonly Read[];
}

// biome-ignore lint/suspicious/noExplicitAny: a list of projections holds rows of many shapes; each is typed where it is read
export type AnyProjection = Projection<any>;

/** A projection with its rows. */
interface Folded {
  readonly projection: AnyProjection;
  // biome-ignore lint/suspicious/noExplicitAny: they are the projection's own
  readonly rows: Rows<any>;
}

/** Returns a function that passes an event to all folds for its type, in the order of the projections. */
export function foldInto(all: readonly Folded[]): (event: Recorded) => void {
  const others = foldsOf(all, null);
  const types = new Set(all.flatMap(({ projection }) => Object.keys(projection.on)));
  const byType = new Map([...types].map((type) => [type, foldsOf(all, type)]));
  return (event) => {
    for (const { fold, rows } of byType.get(event.type) ?? others) fold(event, rows);
  };
}

function foldsOf(
  all: readonly Folded[],
  type: string | null,
): readonly { readonly fold: Fold<unknown>; readonly rows: Rows<unknown> }[] {
  return all.flatMap(({ projection, rows }) => {
    const on = projection.on as Readonly<Record<string, Fold<unknown>>>;
    const fold = type !== null && Object.hasOwn(on, type) ? on[type] : projection.onOther;
    return fold ? [{ fold, rows }] : [];
  });
}

/** Replaces a row by a changed one. Does nothing if there is no such row. */
export function update<Row>(rows: Rows<Row>, key: string, change: (row: Row) => Row): void {
  const row = rows.get(key);
  if (row !== undefined) rows.set(key, change(row));
}

/** The id in `node-mathematical-01`, given the category `node`. */
export function idOf(stream: string, category: string): string {
  return stream.slice(category.length + 1);
}
