import { z } from 'zod';

/**
 * Shapes that several aggregates record. They are part of history: a change of meaning needs a new schema version
 * (`envelope.ts`), and something that lifts what was recorded before (`upcasters.ts`).
 */

/**
 * Texts up to this many bytes stay in an event; longer ones are refused at the door. Counted is the UTF-8 that JSON
 * makes of them, since that is what has to fit into appends and messages: a control character is six bytes there.
 */
export const MAX_TEXT_BYTES = 128 * 1024;

/** What a schema reads. It is read-only down to the last list: what was recorded or sent is never changed. */
export type Parsed<Schema extends z.ZodType> = Immutable<z.infer<Schema>>;

type Immutable<Value> = Value extends object
  ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
  : Value;

/** What a model may say. The answers of a whole Cluster stand in one event, and those of eight subtasks in one append. */
export const MAX_ANSWER_BYTES = 32 * 1024;

/** Ids stand in stream names and NATS subjects, so they are single tokens of either. */
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

/** What a Node inherits. `modelA` and `modelB` are ids of the model catalogue. */
export const Genome = z.strictObject({
  modelA: Id,
  modelB: Id,
  specialization: Id,
  /** `system` goes to models that take one; `{question}` in `user` stands for the task's prompt. */
  promptTemplates: z.strictObject({
    system: Text,
    user: Text.refine((text) => text.includes('{question}'), 'a user template holds {question}'),
  }),
  samplingParams: SamplingParams,
});
export type Genome = Parsed<typeof Genome>;

export const Stakes = z.enum(['normal', 'high']);
export type Stakes = Parsed<typeof Stakes>;

export const Complexity = z.enum(['simple', 'medium', 'complex']);
export type Complexity = Parsed<typeof Complexity>;

/** Rows of the performance matrix, such as `math.arithmetic`. */
export const TaskType = z.string().regex(/^[a-z]+\.[a-z-]+$/, 'a task type reads like math.arithmetic');
export type TaskType = Parsed<typeof TaskType>;

/** What kind of thing an answer is, once it is extracted; `none` is an abstention ("I don't know"). */
export const AnswerKind = z.enum(['number', 'choice', 'name', 'truth', 'code', 'list', 'text', 'none']);
export type AnswerKind = Parsed<typeof AnswerKind>;

/** How two answers relate: the same text, the same value, the same meaning, or not the same. */
export const Equivalence = z.enum(['exact', 'equivalent', 'semantic', 'different']);
export type Equivalence = Parsed<typeof Equivalence>;

const Said = z
  .string()
  .refine(
    (text) => bytesInJson(text) <= MAX_ANSWER_BYTES,
    `an answer has at most ${MAX_ANSWER_BYTES} bytes of UTF-8, as JSON writes it`,
  );

/** What one model said. */
export const ModelAnswer = z.strictObject({
  model: Id,
  text: Said,
  /** Sum of the natural logarithms of the chosen tokens' probabilities; means nothing unless `measured`. */
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
   * 'agreed': both say the same. 'preferred': one stands out over a weaker, missing or abstaining other. 'split': they
   * differ and neither stands out, so a tiebreak is needed. 'abstained': neither answered.
   */
  outcome: z.enum(['agreed', 'preferred', 'split', 'abstained']),
  /** 'different' also where only one answered. */
  agreement: Equivalence,
  /** Whose answer is given; of a split the likelier one. Null when abstained. */
  chosen: z.union([z.literal(0), z.literal(1), z.null()]),
  /** The final answer as a user reads it, without the working; empty when abstained. */
  answer: Text,
  kind: AnswerKind,
  /** Estimated probability that `answer` is right, 0–0.99; 0 when abstained. */
  confidence: Fraction,
});
export type Vote = Parsed<typeof Vote>;

/** Where a subtask went: straight to one Node, to a Cluster, or to a Cluster with a guest Node from outside it. */
export const RoutingMode = z.enum(['node', 'cluster', 'mixed']);
export type RoutingMode = Parsed<typeof RoutingMode>;

export const Resource = z.strictObject({ kind: z.enum(['node', 'cluster']), id: Id });
export type Resource = Parsed<typeof Resource>;

/** A Node that worked on a subtask, and what its own vote was. */
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

/** A resource's answer to a subtask: what the network does with it is the query's to decide. */
export const ResourceAnswer = z.strictObject({
  answer: Text,
  kind: AnswerKind,
  confidence: Fraction,
  /** Share of the voting weight that stands behind the answer, 0–1. */
  agreement: Fraction,
  contributions: z.array(Contribution).max(64),
});
export type ResourceAnswer = Parsed<typeof ResourceAnswer>;

/** Length of a text within JSON, in bytes of UTF-8. */
export function bytesInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}
