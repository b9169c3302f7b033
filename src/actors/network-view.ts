import type { ClusterKind, EvolutionMode, EvolutionSettings, Tier } from '../events/evolution.ts';
import type { Genome } from '../events/values.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { correctnessOf, type MatrixRow } from './super-cluster/matrix.ts';
import type { TrustState } from './verifier/trust.ts';

/** A Node as the read models know it. */
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
  /** Selection has ended it: it finishes what it has in hand and takes nothing more. */
  readonly culled: boolean;
  /** Whether its device has announced itself within the last seconds. */
  readonly alive: boolean;
  /** Round trip to its device in milliseconds. */
  readonly proximityMs: number;
  /** Share of the time that its device was there since it was first seen, 0–1. */
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
  /** Position at which it last took a Node in; -1 before the first. */
  readonly lastBirth: number;
  readonly inFlight: number;
  readonly rows: Readonly<Record<string, MatrixRow>>;
  readonly trust: TrustState;
}

/** A device that is there now, and what it lends. */
export interface DeviceView {
  readonly id: string;
  /** Round trip to it in milliseconds. */
  readonly proximityMs: number;
  /** Nodes that may live on it. */
  readonly slots: number;
  /** Null where it is too small for public models, or does not say. */
  readonly tier: Tier | null;
  readonly region: string | null;
  /** The account that earns what its Nodes earn. */
  readonly owner: string | null;
}

/** What evolution goes by, and how hard it presses. */
export interface EvolutionView {
  readonly settings: EvolutionSettings;
  readonly mode: EvolutionMode;
}

/** The read-model rows that routing and voting look at, all from one position of the store. */
export interface NetworkView {
  readonly position: number;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly clusters: ReadonlyMap<string, ClusterView>;
  readonly devices: ReadonlyMap<string, DeviceView>;
  /** How many of `nodes` live on a device, the culled ones too: they hold their slots. None: 0 or no entry. */
  readonly residents: ReadonlyMap<string, number>;
  /** How many of `nodes` belong to a Cluster, without the culled ones. */
  readonly members: ReadonlyMap<string, number>;
  /** Null where nothing was configured: nobody is culled and nobody is born. */
  readonly evolution: EvolutionView | null;
}

/** Two right answers given on credit: a Node without a record counts as 75 % right, and its record soon outweighs it. */
const BENEFIT_OF_DOUBT = 2;

/** Measured accuracy for a task type, 0–1, which is the weight of a Node's vote. */
export function accuracyFor(row: MatrixRow | undefined): number {
  return correctnessOf({ alpha: (row?.alpha ?? 1) + BENEFIT_OF_DOUBT, beta: row?.beta ?? 1 });
}
