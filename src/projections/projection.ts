import type { AccountEvent } from '../events/account.ts';
import type { ClusterEvent } from '../events/cluster.ts';
import type { ExperimentEvent } from '../events/experiment.ts';
import type { GenerationEvent } from '../events/generation.ts';
import type { GenesisEvent } from '../events/genesis.ts';
import type { NodeEvent } from '../events/node.ts';
import type { QueryEvent } from '../events/query.ts';
import type { SuperClusterEvent } from '../events/super-cluster.ts';

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

/**
 * A read model: rows under keys, each the fold of the events that touch it. Pure, so that any history gives the same
 * rows at any time. `fold` gives the row after the event; undefined removes it.
 */
// biome-ignore lint/suspicious/noExplicitAny: which types it folds concerns nobody who reads its rows
export interface Projection<Row, Type extends EventType = any> {
  readonly name: string;
  /** A change of what the rows hold needs another number: the read model is then built again from the first event. */
  readonly version: number;
  /** Whether all rows fit in memory. The others are read from disk when an event or a reader needs them. */
  readonly resident: boolean;
  /** The types of event that may touch a row, or null for any. It is shown no other. */
  readonly types: readonly Type[] | null;
  /** The rows that the event touches. */
  keys(event: RecordedOf<Type>): readonly string[];
  fold(row: Row | undefined, event: RecordedOf<Type>, key: string): Row | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a list of projections holds rows of many shapes; each is typed where it is read
export type AnyProjection = Projection<any>;

/** Of these folds, those that an event of a type may concern, in their order. */
export function foldsByType<Fold extends { readonly projection: AnyProjection }>(
  folds: readonly Fold[],
): (type: string) => readonly Fold[] {
  const ofAnyType = folds.filter(({ projection }) => projection.types === null);
  const types = new Set<string>(folds.flatMap(({ projection }) => projection.types ?? []));
  const byType = new Map(
    [...types].map((type) => [
      type,
      folds.filter(({ projection }) => projection.types === null || projection.types.includes(type)),
    ]),
  );
  return (type) => byType.get(type) ?? ofAnyType;
}

/** The id in `node-mathematical-01`, given the category `node`. */
export function idOf(stream: string, category: string): string {
  return stream.slice(category.length + 1);
}
