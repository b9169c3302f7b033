import type { Complexity, RoutingMode, Stakes, TaskType } from '../../events/values.ts';

export interface Analysis {
  /** What the user wants, in a few words. */
  readonly intent: string;
  readonly complexity: Complexity;
  /** The kinds of work in the question, in order of appearance, each once. Never empty. */
  readonly taskTypes: readonly TaskType[];
  readonly stakes: Stakes;
  /** Why it was judged so, for the trace. */
  readonly reasons: readonly string[];
}

export interface Subtask {
  /** `s1`, `s2` …, in the order of the question. */
  readonly key: string;
  /** What is asked of the models. `{s1}` stands for the answer of an earlier subtask; see `fillPrompt`. */
  readonly prompt: string;
  readonly taskType: TaskType;
  /** Keys of earlier subtasks that must be answered first. */
  readonly dependsOn: readonly string[];
  /** How many Nodes answer it: 1 for simple work, 3 for medium, 5 when the stakes are high. */
  readonly nodes: number;
}

export interface RoutingHint {
  readonly key: string;
  readonly prefer: RoutingMode;
  readonly specialization: string;
}

export interface Plan {
  /** Name of the way the question was taken apart, so that its success can be learned. */
  readonly strategy: string;
  /** A directed acyclic graph of at most 8 subtasks: each depends on earlier ones only. */
  readonly subtasks: readonly Subtask[];
  /** One per subtask. */
  readonly hints: readonly RoutingHint[];
}

/** One subtask with what the network answered. */
export interface Part {
  readonly key: string;
  readonly prompt: string;
  readonly taskType: TaskType;
  /** Null when nobody knew. */
  readonly answer: string | null;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface Synthesis {
  /** Null when no part was answered. */
  readonly answer: string | null;
  readonly confidence: number;
  /** Keys of the parts without an answer. */
  readonly missing: readonly string[];
}

export interface Validation {
  readonly ok: boolean;
  /** What is wrong; empty when `ok`. */
  readonly reasons: readonly string[];
}

/** The port that planners fill: by rules here, by a large model elsewhere. All four functions are total and pure. */
export interface Planner {
  analyse(question: string): Analysis;
  plan(question: string, analysis: Analysis): Plan;
  synthesise(question: string, parts: readonly Part[]): Synthesis;
  validate(question: string, synthesis: Synthesis, parts: readonly Part[]): Validation;
}
