import { getLlama, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { InferenceError } from '../port.ts';
import { generate } from './generate.ts';
import { ModelPool } from './pool.ts';
import type { FromWorker, ToWorker, WorkerOptions } from './protocol.ts';

/**
 * The process that runs llama.cpp, forked by `engine.ts`. A crash in native code ends only this process. It answers
 * each request once and ends with its parent.
 */

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const aborted = new Set<number>();

// There is nothing to save, and a normal exit would wait for native threads.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C goes to the whole foreground group, but the parent decides when this process ends.
process.on('SIGINT', () => undefined);

const llama = await startLlama();
const pool = new ModelPool(llama, options, (type, path) => send({ type, path }));
process.on('message', (message: ToWorker) => {
  if (message.type === 'abort') aborted.add(message.id);
  else void answer(message);
});
await send({ type: 'ready' });

async function startLlama(): Promise<Llama> {
  return getLlama({
    build: 'never',
    gpu: options.gpu ? 'auto' : false,
    maxThreads: options.cores,
    logLevel: LlamaLogLevel.error,
    logger: (_level, message) => void send({ type: 'log', message: message.trimEnd() }),
  });
}

async function answer({ id, path, request }: Extract<ToWorker, { type: 'infer' }>): Promise<void> {
  const { params } = request;
  try {
    const result = await pool.use(path, params.contextTokens, async ({ sequence, template }) => {
      if (aborted.has(id)) return undefined;
      const startedAt = performance.now();
      refuseFarTooLong(request.system.length + request.prompt.length, params.contextTokens);
      const prompt = template(request.system, request.prompt);
      const generated = await generate(sequence, prompt, params, request.seed, () => aborted.has(id));
      return generated && { ...generated, durationMs: performance.now() - startedAt };
    });
    await send(result ? { type: 'done', id, result } : { type: 'aborted', id });
  } catch (error) {
    const reason = error instanceof InferenceError ? error.reason : 'engine-crashed';
    const message = error instanceof Error ? error.message : String(error);
    await send({ type: 'failed', id, reason, message });
  } finally {
    aborted.delete(id);
  }
}

/** Tokenising hundreds of kilobytes takes long and blocks this process. No token is this long on average. */
function refuseFarTooLong(characters: number, contextTokens: number): void {
  const limit = contextTokens * 128;
  if (characters > limit) {
    throw new InferenceError(
      'prompt-too-long',
      `The prompt has ${characters} characters, far more than a window of ${contextTokens} tokens holds. Ask a shorter question.`,
    );
  }
}

function send(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    // The channel is closed when the parent is gone.
    if (!process.connected || !process.send) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}
