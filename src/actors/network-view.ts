import { correctnessOf, type MatrixRow } from './super-cluster/matrix.ts';
import type { TrustState } from './verifier/trust.ts';

/** A Node as the read models know it. */
export interface NodeView {
  readonly id: string;
  readonly cluster: string;
  readonly species: string;
  readonly specialization: string;
  readonly device: string;
  readonly owner: string;
  readonly pair: string;
  /** Whether its device has announced itself within the last seconds. */
  readonly alive: boolean;
  /** Round trip to its device in milliseconds. */
  readonly proximityMs: number;
  /** Share of the time that its device was there since it was first seen, 0–1. */
  readonly uptime: number;
  readonly inFlight: number;
  readonly trust: TrustState;
  readonly rows: Readonly<Record<string, MatrixRow>>;
}

export interface ClusterView {
  readonly id: string;
  readonly name: string;
  readonly specialization: string;
  readonly inFlight: number;
  readonly rows: Readonly<Record<string, MatrixRow>>;
  readonly trust: TrustState;
}

/** The read-model rows that routing and voting look at, all from one position of the store. */
export interface NetworkView {
  readonly position: number;
  readonly nodes: ReadonlyMap<string, NodeView>;
  readonly clusters: ReadonlyMap<string, ClusterView>;
}

/** Two right answers given on credit: a Node without a record counts as 75 % right, and its record soon outweighs it. */
const BENEFIT_OF_DOUBT = 2;

/** Measured accuracy for a task type, 0–1, which is the weight of a Node's vote. */
export function accuracyFor(row: MatrixRow | undefined): number {
  return correctnessOf({ alpha: (row?.alpha ?? 1) + BENEFIT_OF_DOUBT, beta: row?.beta ?? 1 });
}
