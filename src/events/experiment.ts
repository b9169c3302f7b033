/** Stream `experiment-<id>`: what was done to a history from outside of it. No actor; it changes nobody's state. */
export type ExperimentEvent = { readonly type: 'HistoryForked'; readonly data: HistoryForked };

/** From here on this history goes its own way. Everything before it is the other history's, event for event. */
export interface HistoryForked {
  readonly forkedFrom: ForkPoint;
  readonly engine: string;
  /** Whether its answers come from a model of skill instead of a language model. */
  readonly simulated: boolean;
  readonly seed: number;
  /** Parameters of evolution that were set at the fork, by name. */
  readonly changes: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** The last event that both histories have. */
export interface ForkPoint {
  readonly event: { readonly stream: string; readonly revision: number; readonly id: string };
  /** Events before the fork. */
  readonly events: number;
}
