/**
 * Stream `experiment-<id>`: what was done to a history from outside. It belongs to no actor and changes no
 * state.
 */
export type ExperimentEvent = { readonly type: 'HistoryForked'; readonly data: HistoryForked };

/**
 * Everything before this event is the other history, event for event. This history continues on its own after
 * it.
 */
export interface HistoryForked {
  readonly forkedFrom: ForkPoint;
  readonly engine: string;
  /** Whether the answers come from a simulation instead of a language model. */
  readonly simulated: boolean;
  readonly seed: number;
  /** Parameters of evolution that were set at the fork, by name. */
  readonly changes: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** The last event that both histories share. */
export interface ForkPoint {
  readonly event: { readonly stream: string; readonly revision: number; readonly id: string };
  /** Events before the fork. */
  readonly events: number;
}
