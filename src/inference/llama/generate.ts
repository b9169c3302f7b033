import type { LlamaContextSequence, Token } from 'node-llama-cpp';
import { InferenceError, type InferenceResult, type SamplingParams } from '../port.ts';
import type { TokenizedPrompt } from './prompt.ts';
import { type Candidates, candidatesNeeded, chooseToken, seededDraws } from './sampling.ts';

export type Generated = Omit<InferenceResult, 'durationMs'>;

/**
 * Evaluates the prompt in a cleared sequence and generates until an end-of-generation token, a stop of the template,
 * `maxTokens` or the end of the window. `logProb` includes the end token, `completionTokens` does not.
 * Resolves with undefined if `aborted()` returns true.
 */
export async function generate(
  sequence: LlamaContextSequence,
  prompt: TokenizedPrompt,
  params: SamplingParams,
  seed: number,
  aborted: () => boolean,
): Promise<Generated | undefined> {
  const { model } = sequence;
  const window = Math.min(params.contextTokens, sequence.contextSize);
  const promptTokens = prompt.tokens.length;
  if (promptTokens >= window) {
    throw new InferenceError(
      'prompt-too-long',
      `The prompt has ${promptTokens} tokens, and the window has ${window} for prompt and answer. Ask a shorter question.`,
    );
  }
  const limit = Math.min(params.maxTokens, window - promptTokens);
  const draw = seededDraws(seed);
  const answer: Token[] = [];
  let logProb = 0;
  let finish: 'stop' | 'length' = 'length';
  let input = prompt.tokens;

  await sequence.clearHistory();
  while (true) {
    const candidates = await nextCandidates(sequence, input, candidatesNeeded(params));
    if (aborted()) return undefined;
    const [chosen, chosenLogProb] = chooseToken(candidates, params, draw);
    const token = chosen as Token;
    logProb += chosenLogProb;
    if (model.isEogToken(token)) {
      finish = 'stop';
      break;
    }
    answer.push(token);
    const stop = prompt.stops.find((tokens) => endsWith(answer, tokens));
    if (stop) {
      answer.length -= stop.length;
      finish = 'stop';
      break;
    }
    if (answer.length === limit) break;
    input = [token];
  }
  return {
    text: model.detokenize(answer),
    promptTokens,
    completionTokens: answer.length,
    logProb: Math.min(logProb, 0),
    measured: true,
    finish,
  };
}

/** Evaluates the tokens. Returns the likeliest next tokens with their probabilities in the whole vocabulary. */
async function nextCandidates(
  sequence: LlamaContextSequence,
  tokens: readonly Token[],
  count: number,
): Promise<Candidates> {
  const last = tokens.length - 1;
  const outputs = await sequence.controlledEvaluate(
    tokens.map((token, i) =>
      i < last
        ? token
        : [
            token,
            {
              generateNext: {
                logits: { filter: { tokens: [], includeTop: count } },
                totalLogitWeight: true,
                options: { temperature: 0 },
              },
            },
          ],
    ),
  );
  const next = outputs[last]?.next;
  const logits = [...(next?.logits ?? [])];
  const highest = logits[0]?.[1];
  if (highest === undefined || !next?.totalLogitWeight || !Number.isFinite(highest)) {
    throw new InferenceError('model-broken', 'The model gave no probabilities: its weights are damaged.');
  }
  const total = highest + Math.log(next.totalLogitWeight);
  return logits.map(([token, logit]) => [token, logit - total] as const);
}

function endsWith(tokens: readonly Token[], tail: readonly Token[]): boolean {
  const start = tokens.length - tail.length;
  return start >= 0 && tail.every((token, i) => tokens[start + i] === token);
}
