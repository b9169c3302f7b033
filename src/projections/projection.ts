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

/** A recorded event as the folds see it. */
export type Recorded = NetworkEvent & {
  readonly id: string;
  /** `<category>-<id>`. */
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  /** The query (or genesis) that the event belongs to. */
  readonly correlationId: string;
};

export type EventType = NetworkEvent['type'];

/** A recorded event of one of these types. */
export type RecordedOf<Type extends EventType> = Extract<Recorded, { readonly type: Type }>;

/** Rows by their keys, as a fold sees them: a `Map` is one. A row is put in the place of another, never changed. */
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
 * A read model: rows under keys, and what each type of event makes of them. Folds see nothing but the event and the rows,
 * so that any history gives the same rows at any time.
 */
export interface Projection<Row> {
  readonly name: string;
  /** A change of what the rows hold needs another number: the read model is then built again from the first event. */
  readonly version: number;
  readonly on: { readonly [Type in EventType]?: Fold<Row, Type> };
  /** Folds the events of all types that `on` does not name. Default: they touch no row. */
  readonly onOther?: Fold<Row>;
  /** Whether a row is of something that is no more, so that lists of what there is now leave it out. Default: none is. */
  isPast?(row: Row): boolean;
  /** Whether fleets follow the changes of its rows. Default: no. */
  readonly isFollowed?: boolean;
  /** Whether there are rows of every query that there was: nobody reads all of them at once. Default: no. */
  readonly isEndless?: boolean;
  /** What `dellm history at --show` offers of it, by name: rows whose key starts with this. Default: nothing. */
  readonly tables?: Readonly<Record<string, string>>;
  /** How it is read through the network's services. Default: not at all. */
  readonly reads?: readonly Read[];
}

// biome-ignore lint/suspicious/noExplicitAny: a list of projections holds rows of many shapes; each is typed where it is read
export type AnyProjection = Projection<any>;

/** A projection and its rows. */
interface Folded {
  readonly projection: AnyProjection;
  // biome-ignore lint/suspicious/noExplicitAny: they are the projection's own
  readonly rows: Rows<any>;
}

/** Gives what hands an event to all folds that it concerns, in the order of the projections. */
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

/** Puts what becomes of a row in its place; where there is none, nothing happens. */
export function update<Row>(rows: Rows<Row>, key: string, change: (row: Row) => Row): void {
  const row = rows.get(key);
  if (row !== undefined) rows.set(key, change(row));
}

/** The id in `node-mathematical-01`, given the category `node`. */
export function idOf(stream: string, category: string): string {
  return stream.slice(category.length + 1);
}
