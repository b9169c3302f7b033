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

/**
 * A read model: rows under keys, each the fold of the events that touch it. Pure, so that any history gives the same
 * rows at any time. `fold` gives the row after the event; undefined removes it.
 */
export interface Projection<Row> {
  readonly name: string;
  /** A change of what the rows hold needs another number: the read model is then built again from the first event. */
  readonly version: number;
  /** Whether all rows fit in memory. The others are read from disk when an event or a reader needs them. */
  readonly resident: boolean;
  /** The rows that the event touches. */
  keys(event: Recorded): readonly string[];
  fold(row: Row | undefined, event: Recorded, key: string): Row | undefined;
}

/** The id in `node-mathematical-01`, given the category `node`. */
export function idOf(stream: string, category: string): string {
  return stream.slice(category.length + 1);
}
