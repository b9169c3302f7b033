/** How a model samples. A Node's genome has these parameters, in the units of llama.cpp. */
export interface SamplingParams {
  /** 0 is greedy. */
  readonly temperature: number;
  /** Nucleus sampling, (0, 1]. */
  readonly topP: number;
  /** 0 keeps all tokens. */
  readonly topK: number;
  /** Size of the context window in tokens; a prompt that does not fit is refused, never cut. */
  readonly contextTokens: number;
  readonly maxTokens: number;
}

export interface InferenceRequest {
  /** An id of the model catalogue. */
  readonly model: string;
  /** The user's question in the genome's prompt template. It is foreign text: special tokens in it stay text. */
  readonly prompt: string;
  /** The genome's system prompt; models without one (the miniature models) ignore it. */
  readonly system: string;
  readonly params: SamplingParams;
  /** Seed of the sampler, so that the same request gives the same text. 32-bit unsigned. */
  readonly seed: number;
}

export interface InferenceResult {
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /**
   * Sum of the natural logarithms of the chosen tokens' probabilities; 0 if the engine cannot tell (then `measured` is
   * false).
   */
  readonly logProb: number;
  /** Whether `logProb` was measured by the engine. */
  readonly measured: boolean;
  /** Wall-clock time of this inference in milliseconds, without time in a queue. */
  readonly durationMs: number;
  readonly finish: 'stop' | 'length';
}

/**
 * The port to whatever runs models. Implementations: `llama/` (llama.cpp in a child process), `openai.ts` (any
 * OpenAI-compatible HTTP server), `recorded.ts` (answers recorded earlier), `instant.ts` (simulated, and says so).
 */
export interface InferenceEngine {
  readonly kind: 'llama' | 'openai' | 'recorded' | 'simulated';
  /** Runs one request. Throws `InferenceError`; aborting rejects with the signal's reason and frees the model. */
  infer(request: InferenceRequest, signal?: AbortSignal): Promise<InferenceResult>;
  close(): Promise<void>;
}

/** Why a model gave no answer. A `transient` failure may be tried again. */
export type InferenceFailure =
  | 'model-missing'
  | 'model-broken'
  | 'prompt-too-long'
  | 'engine-crashed'
  | 'engine-unreachable'
  | 'no-recording';

export class InferenceError extends Error {
  override readonly name = 'InferenceError';
  readonly reason: InferenceFailure;
  readonly transient: boolean;
  constructor(reason: InferenceFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.transient = reason === 'engine-crashed' || reason === 'engine-unreachable';
  }
}
