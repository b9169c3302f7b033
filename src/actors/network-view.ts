import type { ClusterKind, EvolutionMode, EvolutionSettings, Tier } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { correctnessOf, type MatrixRow } from './super-cluster/matrix.ts';
import type { TrustState } from './verifier/trust.ts';

/** A Node as the read models have it. */
export interface NodeView {
  readonly id: string;
  readonly cluster: string;
  readonly species: string;
  readonly specialization: string;
  readonly genome: Genome;
  readonly generation: number;
  readonly device: string;
  readonly owner: string;
  readonly pair: string;
  /** Ended by selection: it finishes its open tasks and accepts no more. */
  readonly culled: boolean;
  /** Whether its device has announced itself within the last few seconds. */
  readonly alive: boolean;
  /** Round trip to its device, in milliseconds. */
  readonly proximityMs: number;
  /** Share of the time since its device was first seen in which the device was available, 0–1. */
  readonly uptime: number;
  readonly inFlight: number;
  readonly trust: TrustState;
  readonly rows: Readonly<Record<string, MatrixRow>>;
  /** Answers judged by computation or gold, by task type; undefined before the first. */
  readonly fitness: FitnessTally | undefined;
}

export interface ClusterView {
  readonly id: string;
  readonly name: string;
  readonly kind: ClusterKind;
  readonly specialization: string;
  /** Position at which it last admitted a Node; -1 before the first. */
  readonly lastBirth: number;
  readonly inFlight: number;
  readonly rows: Readonly<Record<string, MatrixRow>>;
  readonly trust: TrustState;
}

/** An available device, and what it lends. */
export interface DeviceView {
  readonly id: string;
  /** Round trip to it, in milliseconds. */
  readonly proximityMs: number;
  /** Number of Nodes that may live on it. */
  readonly slots: number;
  /** Null if it is too small for public models, or does not report its tier. */
  readonly tier: Tier | null;
  readonly region: string | null;
  /** The account that earns what its Nodes earn. */
  readonly owner: string | null;
}

/** The rules of evolution, and the evolution mode. */
export interface EvolutionView {
  readonly settings: EvolutionSettings;
  readonly mode: EvolutionMode;
}

/** The view for routing and voting: read-model rows, all from one position of the store. */
export interface NetworkView {
  readonly position: number;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly clusters: ReadonlyMap<string, ClusterView>;
  readonly devices: ReadonlyMap<string, DeviceView>;
  /**
   * How many of `nodes` live on each device, including culled ones, which still occupy their slots. No entry
   * means 0.
   */
  readonly residents: ReadonlyMap<string, number>;
  /** How many of `nodes` belong to each Cluster, without the culled ones. */
  readonly members: ReadonlyMap<string, number>;
  /** Null if evolution was not configured: then no Node is culled or born. */
  readonly evolution: EvolutionView | null;
}

/**
 * Right answers that every Node is credited with. A Node without a record counts as 75 % right, and its record
 * soon outweighs this.
 */
const BENEFIT_OF_DOUBT = 2;

/** Measured accuracy for a task type, 0–1. It is the weight of a Node's vote. */
export function accuracyFor(row: MatrixRow | undefined): number {
  return correctnessOf({ alpha: (row?.alpha ?? 1) + BENEFIT_OF_DOUBT, beta: row?.beta ?? 1 });
}
