import { z } from 'zod';

/**
 * Shapes that several aggregates record. They are part of the history: a change of meaning needs a new schema
 * version (`envelope.ts`) and an upcaster (`upcasters.ts`).
 */

/**
 * Longest text in an event, in bytes. Longer texts are refused when they arrive. Counted are the bytes of UTF-8
 * in the JSON text, because that must fit into appends and messages; a control character has six bytes there.
 */
export const MAX_TEXT_BYTES = 128 * 1024;

/** What a schema parses, read-only at every depth: what was recorded or sent is never changed. */
export type Parsed<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

type Immutable<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
  : Value;

/**
 * Longest answer of a model, in bytes. One event holds the answers of a whole Cluster, and one append those of
 * eight subtasks.
 */
export const MAX_ANSWER_BYTES = 32 * 1024;

/** Ids are part of stream names and NATS subjects, so they are single tokens in both. */
export const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id has 1 to 64 letters, digits, "_" or "-"');

export const Instant = z.iso.datetime({ offset: false, precision: 3 });

export const Text = z
  .string()
  .refine(
    (text) => bytesInJson(text) <= MAX_TEXT_BYTES,
    `a text has at most ${MAX_TEXT_BYTES} bytes of UTF-8, as JSON writes it`,
  );

export const Fraction = z.number().min(0).max(1);

/** Millionths of a credit. */
export const Units = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const SamplingParams = z.strictObject({
  temperature: z.number().min(0).max(2),
  topP: z.number().gt(0).max(1),
  topK: z.int().min(0).max(1000),
  contextTokens: z.int().min(64).max(131_072),
  maxTokens: z.int().min(1).max(8192),
});
export type SamplingParams = Parsed<typeof SamplingParams>;

/** What a Node inherits. `modelA` and `modelB` are ids in the model catalogue. */
export const Genome = z.strictObject({
  modelA: Id,
  modelB: Id,
  specialization: Id,
  /**
   * `system` goes to models that support a system prompt. `{question}` in `user` is replaced by the task's
   * prompt.
   */
  promptTemplates: z.strictObject({
    system: Text,
    user: Text.refine((text) => text.includes('{question}'), 'a user template contains {question}'),
  }),
  samplingParams: SamplingParams,
});
export type Genome = Parsed<typeof Genome>;

export const Stakes = z.enum(['normal', 'high']);
export type Stakes = Parsed<typeof Stakes>;

export const Complexity = z.enum(['simple', 'medium', 'complex']);
export type Complexity = Parsed<typeof Complexity>;

/**
 * What a task asks for, such as `math.arithmetic`. The performance matrix has a cell for each resource and task
 * type.
 */
export const TaskType = z.string().regex(/^[a-z]+\.[a-z-]+$/, 'a task type reads like math.arithmetic');
export type TaskType = Parsed<typeof TaskType>;

/** The kind of an extracted answer. `none` is an abstention ("I don't know"). */
export const AnswerKind = z.enum(['number', 'choice', 'name', 'truth', 'code', 'list', 'text', 'none']);
export type AnswerKind = Parsed<typeof AnswerKind>;

/** How two answers compare: same text, same value, same meaning, or different. */
export const Equivalence = z.enum(['exact', 'equivalent', 'semantic', 'different']);
export type Equivalence = Parsed<typeof Equivalence>;

const Said = z
  .string()
  .refine(
    (text) => bytesInJson(text) <= MAX_ANSWER_BYTES,
    `an answer has at most ${MAX_ANSWER_BYTES} bytes of UTF-8, as JSON writes it`,
  );

/** What one model answered. */
export const ModelAnswer = z.strictObject({
  model: Id,
  text: Said,
  /** Sum of the natural logarithms of the chosen tokens' probabilities. Meaningless unless `measured`. */
  logProb: z.number().max(0),
  measured: z.boolean(),
  completionTokens: z.int().min(0),
  durationMs: z.number().min(0),
  finish: z.enum(['stop', 'length']),
});
export type ModelAnswer = Parsed<typeof ModelAnswer>;

/** The outcome of one Node's two models on one task. */
export const Vote = z.strictObject({
  /**
   * 'agreed': both models give the same answer. 'preferred': one answer is clearly better; the other one is
   * weaker, missing or an abstention. 'split': the answers differ and neither is clearly better, so a tiebreak
   * is needed. 'abstained': neither answered.
   */
  outcome: z.enum(['agreed', 'preferred', 'split', 'abstained']),
  /** Also 'different' if only one model answered. */
  agreement: Equivalence,
  /** Index of the model whose answer is given; for a split the more likely one. Null if abstained. */
  chosen: z.union([z.literal(0), z.literal(1), z.null()]),
  /** The final answer as a user reads it, without the working. Empty if abstained. */
  answer: Text,
  kind: AnswerKind,
  /** Estimated probability that `answer` is right, 0–0.99; 0 when abstained. */
  confidence: Fraction,
});
export type Vote = Parsed<typeof Vote>;

/** Where a subtask goes: directly to one Node, to a Cluster, or to a Cluster with a guest. */
export const RoutingMode = z.enum(['node', 'cluster', 'mixed']);
export type RoutingMode = Parsed<typeof RoutingMode>;

export const Resource = z.strictObject({ kind: z.enum(['node', 'cluster']), id: Id });
export type Resource = Parsed<typeof Resource>;

/** A Node that worked on a subtask, with its own vote. */
export const Contribution = z.strictObject({
  node: Id,
  device: Id,
  owner: Id,
  taskId: Id,
  answer: Text,
  kind: AnswerKind,
  confidence: Fraction,
  responseMs: z.number().min(0),
});
export type Contribution = Parsed<typeof Contribution>;

/** A resource's answer to a subtask. The query decides what to do with it. */
export const ResourceAnswer = z.strictObject({
  answer: Text,
  kind: AnswerKind,
  confidence: Fraction,
  /** Share of the voting weight that supports the answer, 0–1. */
  agreement: Fraction,
  contributions: z.array(Contribution).max(64),
});
export type ResourceAnswer = Parsed<typeof ResourceAnswer>;

/** Length of a text inside JSON, in bytes of UTF-8. */
export function bytesInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
