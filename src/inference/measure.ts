import { z } from 'zod';
import type { InferenceEngine, InferenceResult, SamplingParams } from './port.ts';
import type { Pair } from './species.ts';

const HeldOutItem = z.object({
  family: z.string(),
  kind: z.string(),
  prompt: z.string(),
  /** Null if no single answer is right (creative). Then `topic` says what a right answer is about. */
  answer: z.string().nullable(),
  topic: z.string().optional(),
});
export type HeldOutItem = z.infer<typeof HeldOutItem>;

/** Parses `heldout.json`. Throws an error that says what is wrong with it. */
export function parseHeldOut(text: string): HeldOutItem[] {
  return z.array(HeldOutItem).parse(JSON.parse(text));
}

export interface VotingAnswer extends InferenceResult {
  readonly model: string;
}

/** Chooses between the answers of a pair. An empty answer is an abstention. */
export type VoteFunction = (
  answers: readonly [VotingAnswer, VotingAnswer],
  taskType: string,
) => { readonly answer: string; readonly confidence: number };

export interface MeasuredPair {
  readonly id: string;
  readonly pair: Pair;
  /** Families of prompts that it is asked, in addition to `none`, to which the right answer is an abstention. */
  readonly families: readonly string[];
  readonly samplingParams: SamplingParams;
}

export interface MeasureOptions {
  readonly engine: InferenceEngine;
  readonly pairs: readonly MeasuredPair[];
  readonly heldOut: readonly HeldOutItem[];
  /** Default: `surerOfTwo`. */
  readonly vote?: VoteFunction;
  /** Sampling seed for every prompt. Default 1. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  onProgress?(done: number, total: number): void;
}

/** How many answers were right, and of how many. */
export interface Share {
  readonly right: number;
  readonly of: number;
}

export interface FamilyMeasurement {
  readonly family: string;
  readonly models: readonly [Share, Share];
  readonly vote: Share;
  /** Prompts to which both models gave the same final answer, and how many of these answers were right. */
  readonly agreeing: Share;
  /** The vote's mean confidence, 0–1. */
  readonly meanConfidence: number;
  readonly byKind: Readonly<Record<string, Share>>;
}

export interface PairMeasurement {
  readonly id: string;
  readonly pair: Pair;
  /** The pair's own families, then `none`. */
  readonly families: readonly FamilyMeasurement[];
  /** Right answers by confidence, over all prompts to which the vote gave an answer. */
  readonly byConfidence: readonly ConfidenceBucket[];
  /** Time of one model's answer, without time in the queue. */
  readonly medianMs: number;
}

/** Answers with `from` ≤ confidence < `to`. */
export interface ConfidenceBucket extends Share {
  readonly from: number;
  readonly to: number;
}

interface Outcome {
  readonly item: HeldOutItem;
  readonly answers: readonly [VotingAnswer, VotingAnswer];
  readonly answer: string;
  readonly confidence: number;
}

export const NONE = 'none';
const BUCKETS = [0, 0.25, 0.5, 0.9, Number.POSITIVE_INFINITY];
const DEDUCTIONS: ReadonlySet<string> = new Set(['implication', 'kind', 'order']);
const IN_FLIGHT = 4;
const ABSTENTION = /^i don['’]t know\.?$/i;
const SENTENCE = /^[A-Z][^.!?]*[.!?]$/;

/**
 * Asks each pair the held-out prompts of its families and of `none`, through the engine that answers users, and counts
 * the right answers. An answer is right if it equals the held-out answer. (A different program counts as wrong, because
 * nothing is run here.) For a creative prompt, a right answer is one sentence that names the topic.
 */
export async function measurePairs(options: MeasureOptions): Promise<PairMeasurement[]> {
  const asked = options.pairs.map((pair) => ({
    pair,
    items: options.heldOut.filter(({ family }) => family === NONE || pair.families.includes(family)),
  }));
  const total = asked.reduce((sum, { items }) => sum + items.length, 0);
  let done = 0;
  const measurements: PairMeasurement[] = [];
  for (const { pair, items } of asked) {
    const outcomes = await mapLimited(items, async (item) => {
      const outcome = await askPair(pair, item, options);
      options.onProgress?.(++done, total);
      return outcome;
    });
    measurements.push(summarise(pair, outcomes));
  }
  return measurements;
}

/** The answer with the higher sum of log probabilities, and its probability as confidence. */
export const surerOfTwo: VoteFunction = ([a, b], taskType) => {
  const surer = b.logProb > a.logProb ? b : a;
  const answer = finalAnswer(taskType, surer.text);
  return { answer: ABSTENTION.test(answer) ? '' : answer, confidence: Math.exp(surer.logProb) };
};

/** The task type of a held-out prompt. */
export function taskTypeOf({ family, kind }: { readonly family: string; readonly kind: string }): string {
  if (family === 'maths' || (family === 'quick' && kind === 'arithmetic')) return 'math.arithmetic';
  if (family === 'quick') return 'logic.comparison';
  if (family === 'capitals') return `knowledge.${kind}`;
  if (family === 'logic' && DEDUCTIONS.has(kind)) return 'logic.deduction';
  if (family === NONE) return 'general.unknown';
  return `${family}.${kind}`;
}

/**
 * The miniature models write down their working, and the result follows the last `:` or `=`. In programs and prose,
 * where these signs mean something else, the whole text is the answer.
 */
export function finalAnswer(taskType: string, text: string): string {
  const whole = /^(code|creative)\./.test(taskType);
  return (whole ? text : (text.split(/[:=]/).at(-1) ?? '')).trim();
}

export function isRight(item: HeldOutItem, answer: string): boolean {
  if (item.family === NONE) return answer === '' || ABSTENTION.test(answer);
  if (item.answer !== null) return answer === item.answer;
  const words: readonly string[] = answer.toLowerCase().match(/[a-z]+/g) ?? [];
  return SENTENCE.test(answer) && item.topic !== undefined && words.includes(item.topic.toLowerCase());
}

async function askPair(pair: MeasuredPair, item: HeldOutItem, options: MeasureOptions): Promise<Outcome> {
  const ask = async (model: string): Promise<VotingAnswer> => {
    const result = await options.engine.infer(
      { model, prompt: item.prompt, system: '', params: pair.samplingParams, seed: options.seed ?? 1 },
      options.signal,
    );
    return { ...result, model };
  };
  const answers = await Promise.all([ask(pair.pair[0]), ask(pair.pair[1])]);
  const { answer, confidence } = (options.vote ?? surerOfTwo)(answers, taskTypeOf(item));
  return { item, answers, answer, confidence };
}

function summarise({ id, pair, families }: MeasuredPair, outcomes: readonly Outcome[]): PairMeasurement {
  const answered = outcomes.filter(({ answer }) => answer !== '' && !ABSTENTION.test(answer));
  const times = outcomes.flatMap(({ answers }) => answers.map(({ durationMs }) => durationMs));
  return {
    id,
    pair,
    families: [...families, NONE]
      .map((family) => [family, outcomes.filter(({ item }) => item.family === family)] as const)
      .filter(([, of]) => of.length > 0)
      .map(([family, of]) => summariseFamily(family, of)),
    byConfidence: BUCKETS.slice(0, -1).map((from, i) => {
      const to = BUCKETS[i + 1] ?? Number.POSITIVE_INFINITY;
      const within = answered.filter(({ confidence }) => confidence >= from && confidence < to);
      return { from, to: Math.min(to, 1), ...share(within, ({ item, answer }) => isRight(item, answer)) };
    }),
    medianMs: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0,
  };
}

function summariseFamily(family: string, outcomes: readonly Outcome[]): FamilyMeasurement {
  const final = ({ item, answers }: Outcome, model: 0 | 1) =>
    finalAnswer(taskTypeOf(item), answers[model].text);
  const byVote = ({ item, answer }: Outcome) => isRight(item, answer);
  const byModel = (model: 0 | 1) => (outcome: Outcome) => isRight(outcome.item, final(outcome, model));
  const kinds = [...new Set(outcomes.map(({ item }) => item.kind))];
  return {
    family,
    models: [share(outcomes, byModel(0)), share(outcomes, byModel(1))],
    vote: share(outcomes, byVote),
    agreeing: share(
      outcomes.filter((outcome) => final(outcome, 0) === final(outcome, 1)),
      byModel(0),
    ),
    meanConfidence: outcomes.reduce((sum, { confidence }) => sum + confidence, 0) / outcomes.length,
    byKind: Object.fromEntries(
      kinds.map((kind) => [
        kind,
        share(
          outcomes.filter(({ item }) => item.kind === kind),
          byVote,
        ),
      ]),
    ),
  };
}

function share<Item>(items: readonly Item[], right: (item: Item) => boolean): Share {
  return { right: items.filter(right).length, of: items.length };
}

async function mapLimited<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i] as Item);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return results;
}
