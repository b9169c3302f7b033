import type { NodeCommand, WorkOrder } from '../events/node.ts';
import { bytesInJson, MAX_ANSWER_BYTES, type ModelAnswer } from '../events/values.ts';
import { type InferenceEngine, InferenceError } from '../inference/port.ts';

type SubmitAnswers = Extract<NodeCommand, { type: 'SubmitAnswers' }>;

/** Longest reason for a missing answer, in characters. */
const MAX_REASON = 500;

/**
 * Runs both models of a Node on its task in parallel. A model without an answer gives null and a reason; the Node's
 * vote then uses what there is. The second model samples with another seed.
 */
export async function runWorkOrder(
  engine: InferenceEngine,
  order: WorkOrder,
  signal?: AbortSignal,
): Promise<SubmitAnswers> {
  const runs = await Promise.allSettled(
    order.models.map((model, slot) => answer(engine, order, model, slot, signal)),
  );
  signal?.throwIfAborted();
  const [a, b] = runs;
  const failures = runs.flatMap((run, slot) =>
    run.status === 'rejected' ? [`${order.models[slot]}: ${reasonOf(run.reason)}`] : [],
  );
  return {
    type: 'SubmitAnswers',
    data: {
      taskId: order.taskId,
      answers: [a?.status === 'fulfilled' ? a.value : null, b?.status === 'fulfilled' ? b.value : null],
      failure: failures.length === 0 ? null : failures.join('; ').slice(0, MAX_REASON),
    },
  };
}

async function answer(
  engine: InferenceEngine,
  order: WorkOrder,
  model: string,
  slot: number,
  signal?: AbortSignal,
): Promise<ModelAnswer> {
  const { prompt, system, params } = order;
  const seed = (order.seed + slot) >>> 0;
  const result = await inferOnceMore(engine, { model, prompt, system, params, seed }, signal);
  const { text, logProb, measured, completionTokens, durationMs, finish } = result;
  if (bytesInJson(text) > MAX_ANSWER_BYTES) {
    throw new Error(`its answer is longer than the ${MAX_ANSWER_BYTES} bytes that an answer may have`);
  }
  return { model, text, logProb: Math.min(0, logProb), measured, completionTokens, durationMs, finish };
}

/** A crashed engine restarts by itself, so one more attempt makes sense. Any other failure would happen again. */
async function inferOnceMore(
  engine: InferenceEngine,
  request: Parameters<InferenceEngine['infer']>[0],
  signal?: AbortSignal,
): ReturnType<InferenceEngine['infer']> {
  try {
    return await engine.infer(request, signal);
  } catch (error) {
    if (error instanceof InferenceError && error.transient && !signal?.aborted)
      return engine.infer(request, signal);
    throw error;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
