import type { Complexity, RoutingMode, Stakes, TaskType } from '../../events/values.ts';

export interface Analysis {
  /** What the user wants, in a few words. */
  readonly intent: string;
  readonly complexity: Complexity;
  /** The task types in the question, in order of appearance, each once. Never empty. */
  readonly taskTypes: readonly TaskType[];
  readonly stakes: Stakes;
  /** Reasons for the analysis, for the trace. */
  readonly reasons: readonly string[];
}

export interface Subtask {
  /** `s1`, `s2` …, in the order of the question. */
  readonly key: string;
  /** The prompt for the models. `{s1}` is replaced by the answer of an earlier subtask; see `fillPrompt`. */
  readonly prompt: string;
  readonly taskType: TaskType;
  /** Keys of earlier subtasks that must be answered first. */
  readonly dependsOn: readonly string[];
  /** How many Nodes answer it: 1 for simple work, 3 for medium, 5 for high stakes. */
  readonly nodes: number;
}

export interface RoutingHint {
  readonly key: string;
  readonly prefer: RoutingMode;
  readonly specialization: string;
}

export interface Plan {
  /** Name of the way in which the question was split, so that its success can be learned. */
  readonly strategy: string;
  /** A directed acyclic graph of at most 8 subtasks. Each depends only on earlier ones. */
  readonly subtasks: readonly Subtask[];
  /** One hint for each subtask. */
  readonly hints: readonly RoutingHint[];
}

/** A subtask with the network's answer. */
export interface Part {
  readonly key: string;
  readonly prompt: string;
  readonly taskType: TaskType;
  /** Null if nobody knew it. */
  readonly answer: string | null;
  /** Between 0 and 1. */
  readonly confidence: number;
}

export interface Synthesis {
  /** Null if no part was answered. */
  readonly answer: string | null;
  readonly confidence: number;
  /** Keys of the parts without an answer. */
  readonly missing: readonly string[];
}

export interface Validation {
  readonly ok: boolean;
  /** What is wrong; empty if `ok`. */
  readonly reasons: readonly string[];
}

/** The interface of planners. Today the rules implement it. All four functions are pure and never throw. */
export interface Planner {
  analyse(question: string): Analysis;
  plan(question: string, analysis: Analysis): Plan;
  synthesise(question: string, parts: readonly Part[]): Synthesis;
  validate(question: string, synthesis: Synthesis, parts: readonly Part[]): Validation;
}
