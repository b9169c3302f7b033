import { z } from 'zod';
import { type InferenceEngine, InferenceError, type InferenceRequest, type InferenceResult } from './port.ts';

export interface OpenAiEngineOptions {
  /** Up to and with the version, for example `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
  /** The server's name for a model of the catalogue. Default: the same. */
  modelName?(model: string): string;
  /** Timeout for the whole answer. Default 120,000. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_RESPONSE_BYTES = 4 * 2 ** 20;
const QUOTED_BYTES = 300;

const Completion = z.object({
  choices: z
    .array(
      z.object({
        message: z.object({ content: z.string().nullable() }),
        finish_reason: z.string().nullish(),
        logprobs: z.object({ content: z.array(z.object({ logprob: z.number() })).nullish() }).nullish(),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

const Failure = z.object({
  error: z.union([z.string(), z.object({ message: z.string(), code: z.unknown().optional() })]),
});

/**
 * Any server with OpenAI's chat completions: vLLM, llama-server, Triton with TensorRT-LLM … Asks for log probabilities.
 * If the server refuses them, works without (`measured` is then false). The server decides about its context length,
 * and whether it honours the seed.
 */
export function createOpenAiEngine(options: OpenAiEngineOptions): InferenceEngine {
  const url = `${options.baseUrl.replace(/\/+$/, '')}/chat/completions`;
  const closing = new AbortController();
  let logprobs = true;

  async function infer(request: InferenceRequest, signal?: AbortSignal): Promise<InferenceResult> {
    signal?.throwIfAborted();
    if (closing.signal.aborted) throw unreachable(url, 'this engine is closed');
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timeout = AbortSignal.timeout(timeoutMs);
    const any = AbortSignal.any([timeout, closing.signal, ...(signal ? [signal] : [])]);
    const startedAt = performance.now();
    try {
      let response = await post(request, any);
      let body = await readBounded(response);
      if (response.status === 400 && logprobs && /logprob/i.test(body)) {
        logprobs = false;
        response = await post(request, any);
        body = await readBounded(response);
      }
      if (!response.ok) throw refusal(response.status, body, request.model);
      return parseCompletion(body, performance.now() - startedAt);
    } catch (error) {
      if (error instanceof InferenceError) throw error;
      if (signal?.aborted) throw signal.reason;
      if (closing.signal.aborted) throw unreachable(url, 'this engine was closed');
      if (timeout.aborted) throw unreachable(url, `no complete answer within ${timeoutMs} ms`, error);
      const { cause } = error as { cause?: unknown };
      throw unreachable(url, cause instanceof Error ? cause.message : String(error), error);
    }
  }

  function post({ model, prompt, system, params, seed }: InferenceRequest, signal: AbortSignal) {
    return fetch(url, {
      method: 'POST',
      signal,
      headers: {
        'content-type': 'application/json',
        ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
      },
      body: JSON.stringify({
        model: options.modelName?.(model) ?? model,
        messages: [
          ...(system ? [{ role: 'system', content: system }] : []),
          { role: 'user', content: prompt },
        ],
        temperature: params.temperature,
        top_p: params.topP,
        // Not part of OpenAI's API, but the servers named above know it.
        ...(params.topK > 0 ? { top_k: params.topK } : {}),
        max_tokens: params.maxTokens,
        seed,
        stream: false,
        ...(logprobs ? { logprobs: true } : {}),
      }),
    });
  }

  return {
    kind: 'openai',
    infer,
    async close() {
      closing.abort();
    },
  };
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_RESPONSE_BYTES) {
      throw unreachable(response.url, `its answer is longer than ${MAX_RESPONSE_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseCompletion(body: string, durationMs: number): InferenceResult {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (error) {
    throw unreachable('The server', `its response is not JSON: ${quote(body)}`, error);
  }
  const parsed = Completion.safeParse(json);
  if (!parsed.success) {
    const what = z.prettifyError(parsed.error);
    throw unreachable('The server', `its response is not a chat completion: ${what}; ${quote(body)}`);
  }
  const [choice] = parsed.data.choices;
  const tokens = choice?.logprobs?.content;
  return {
    text: choice?.message.content ?? '',
    promptTokens: parsed.data.usage?.prompt_tokens ?? 0,
    completionTokens: parsed.data.usage?.completion_tokens ?? tokens?.length ?? 0,
    logProb: tokens
      ? Math.min(
          0,
          tokens.reduce((sum, token) => sum + token.logprob, 0),
        )
      : 0,
    measured: tokens !== null && tokens !== undefined,
    durationMs,
    finish: choice?.finish_reason === 'length' ? 'length' : 'stop',
  };
}

function refusal(status: number, body: string, model: string): InferenceError {
  const said = errorMessage(body);
  if (status === 404) {
    return new InferenceError(
      'model-missing',
      `The server does not have "${model}" (404: ${said}). Load it there, or correct the base URL or the model's name.`,
    );
  }
  if (status === 413 || (status === 400 && /context|too long|too many tokens|maximum.*length/i.test(said))) {
    return new InferenceError(
      'prompt-too-long',
      `The prompt does not fit "${model}" on the server (${status}: ${said}).`,
    );
  }
  if (status === 400 || status === 422) {
    return new InferenceError('model-broken', `The server refuses the request (${status}: ${said}).`);
  }
  const hint = status === 401 || status === 403 ? ' Check the API key.' : '';
  return new InferenceError(
    'engine-unreachable',
    `The server answers with an error (${status}: ${said}).${hint}`,
  );
}

function errorMessage(body: string): string {
  try {
    const { error } = Failure.parse(JSON.parse(body));
    return quote(typeof error === 'string' ? error : error.message);
  } catch {
    return quote(body);
  }
}

function quote(text: string): string {
  return text.length > QUOTED_BYTES ? `${text.slice(0, QUOTED_BYTES)} …` : text;
}

function unreachable(url: string, why: string, cause?: unknown): InferenceError {
  return new InferenceError('engine-unreachable', `${url} gave no answer: ${why}.`, { cause });
}
