import type { Tier } from '../events/evolution.ts';
import type { NodeCommand, WorkOrder } from '../events/node.ts';
import { bytesInJson, type Genome, MAX_ANSWER_BYTES, type ModelAnswer } from '../events/values.ts';
import type { Answered } from '../host/virtual/virtual-host.ts';
import { InferenceError, type InferenceRequest, type InferenceResult } from '../inference/port.ts';
import { tooLong } from '../inference/recorded.ts';
import type { ExperimentEngine } from './engines.ts';
import { nodeMs, virtualMs } from './timing.ts';

export interface WorkOptions {
  readonly engine: ExperimentEngine;
  readonly tierOf: (device: string) => Tier;
  readonly genomeOf: (node: string) => Genome | null;
  /** Number of sampling seeds that models see. */
  readonly seedVariants: number;
  /** Called once for each answer that a model gives. */
  readonly onAnswer?: () => void;
}

/** The answers of a Node's two models, and the time that the Node takes in virtual time. */
export interface NodeAnswers {
  readonly answers: readonly [ModelAnswer | null, ModelAnswer | null];
  readonly failure: string | null;
  readonly latencyMs: number;
}

/** The answer of a model, or why it gives none to this prompt. */
type ModelOutcome = InferenceResult | { readonly refused: string };

type SubmitAnswers = Extract<NodeCommand, { type: 'SubmitAnswers' }>;

/**
 * The devices of an experiment: both models of a Node in parallel, as an agent runs them, with the virtual time of the
 * device's tier. Returns at once if the engine knows both answers. A prompt that does not fit is a missing answer, as
 * on a real device. Every other failure of the engine ends the experiment.
 */
export function createWork(
  options: WorkOptions,
): (order: WorkOrder, device: string) => Answered | Promise<Answered> {
  return (order, device) => {
    const answered = ({ answers, failure, latencyMs }: NodeAnswers): Answered => {
      const { node, taskId } = order;
      const command: SubmitAnswers = {
        type: 'SubmitAnswers',
        data: { taskId, answers, failure },
      };
      return { to: { kind: 'node', id: node }, command, afterMs: latencyMs };
    };
    const specialization = options.genomeOf(order.node)?.specialization ?? '';
    const answers = askModels(options, order, specialization, options.tierOf(device));
    return answers instanceof Promise ? answers.then(answered) : answered(answers);
  };
}

/** Asks both models; the same for a Node at work and for a genome under evaluation. */
export function askModels(
  { engine, seedVariants, onAnswer }: Pick<WorkOptions, 'engine' | 'seedVariants' | 'onAnswer'>,
  {
    prompt,
    system,
    params,
    models,
    seed,
  }: Pick<WorkOrder, 'prompt' | 'system' | 'params' | 'models' | 'seed'>,
  specialization: string,
  tier: Tier,
): NodeAnswers | Promise<NodeAnswers> {
  // Greedy sampling is not random, so all seeds count as one.
  const folded = params.temperature === 0 ? 0 : seed % seedVariants;
  const ask = (slot: 0 | 1): ModelOutcome | Promise<ModelOutcome> => {
    const offset = params.temperature === 0 ? 0 : slot;
    return askModel(
      engine,
      { model: models[slot], prompt, system, params, seed: folded + offset },
      specialization,
    );
  };
  const conclude = (a: ModelOutcome, b: ModelOutcome): NodeAnswers => {
    const failures: string[] = [];
    const times: number[] = [];
    const answers = ([a, b] as const).map((one, slot): ModelAnswer | null => {
      const model = models[slot] ?? '';
      if ('refused' in one) {
        failures.push(`${model}: ${one.refused}`);
        return null;
      }
      const durationMs = virtualMs(engine.sizeOf(model), tier, one.completionTokens);
      times.push(durationMs);
      onAnswer?.();
      const { text, logProb, measured, completionTokens, finish } = one;
      return { model, text, logProb: Math.min(0, logProb), measured, completionTokens, durationMs, finish };
    });
    const failure = failures.length === 0 ? null : failures.join('; ').slice(0, 500);
    return { answers: [answers[0] ?? null, answers[1] ?? null], failure, latencyMs: nodeMs(times) };
  };
  const [a, b] = [ask(0), ask(1)];
  if (a instanceof Promise || b instanceof Promise)
    return Promise.all([a, b]).then(([x, y]) => conclude(x, y));
  return conclude(a, b);
}

function askModel(
  engine: ExperimentEngine,
  request: InferenceRequest,
  specialization: string,
): ModelOutcome | Promise<ModelOutcome> {
  const refuse = (error: unknown): ModelOutcome => refused(error, request);
  try {
    const result = engine.infer(request, specialization);
    return result instanceof Promise ? result.then(bounded).catch(refuse) : bounded(result);
  } catch (error) {
    return refuse(error);
  }
}

function bounded(result: InferenceResult): ModelOutcome {
  return bytesInJson(result.text) <= MAX_ANSWER_BYTES
    ? result
    : { refused: `its answer is longer than the ${MAX_ANSWER_BYTES} bytes that an answer may have` };
}

/** The text is recorded in events, so it must be the same from the model, its cache, and recorded answers. */
function refused(error: unknown, request: InferenceRequest): ModelOutcome {
  if (error instanceof InferenceError && error.reason === 'prompt-too-long')
    return { refused: tooLong(request).message };
  throw error;
}
