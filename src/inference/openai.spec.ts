import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inferenceContract } from '../../test/contracts/inference.ts';
import { createOpenAiEngine } from './openai.ts';
import type { InferenceEngine, InferenceRequest } from './port.ts';

interface Asked {
  readonly body: Record<string, unknown>;
  readonly headers: IncomingMessage['headers'];
}
type Behaviour = (asked: Asked, response: ServerResponse) => void;

const asked: Asked[] = [];
let behaviour: Behaviour;
let server: Server;
let baseUrl: string;

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const completion = (text: string, over: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop', ...over }],
  usage: { prompt_tokens: 9, completion_tokens: 2, total_tokens: 11 },
});
const answering: Behaviour = ({ body }, response) => {
  if (body.model === 'no-such-model') {
    json(response, 404, { error: { message: `The model ${body.model} does not exist`, code: 404 } });
    return;
  }
  const [message] = (body.messages as Array<{ content: string }>).slice(-1);
  json(
    response,
    200,
    completion(`You said ${message?.content}`, {
      logprobs: { content: [{ logprob: -0.25 }, { logprob: -0.5 }] },
    }),
  );
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = { body: JSON.parse(Buffer.concat(chunks).toString()), headers: request.headers };
      asked.push(one);
      if (request.url === '/v1/chat/completions') behaviour(one, response);
      else response.writeHead(404).end('no such path');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});
beforeEach(() => {
  asked.length = 0;
  behaviour = answering;
});

inferenceContract('an OpenAI-compatible server', async () => {
  behaviour = answering;
  const engine = createOpenAiEngine({ baseUrl });
  return {
    engine,
    model: 'qwen',
    prompts: ['What is 15 × 23?', 'Hello'],
    slow() {
      behaviour = (one, response) => {
        const timer = setTimeout(() => answering(one, response), 200);
        response.on('close', () => clearTimeout(timer));
      };
    },
    dispose: () => engine.close(),
  };
});

describe('the OpenAI-compatible engine', () => {
  let engine: InferenceEngine;
  const request = (over: Partial<InferenceRequest> = {}): InferenceRequest => ({
    model: 'qwen',
    prompt: 'Hello',
    system: 'Be short.',
    params: { temperature: 0.2, topP: 0.9, topK: 40, contextTokens: 2048, maxTokens: 64 },
    seed: 7,
    ...over,
  });
  const failing = (status: number, body: string) => {
    behaviour = (_asked, response) => void response.writeHead(status).end(body);
  };
  beforeEach(() => {
    engine = createOpenAiEngine({
      baseUrl: `${baseUrl}/`,
      apiKey: 'secret',
      modelName: (model) => `org/${model}`,
      timeoutMs: 10_000,
    });
    return () => engine.close();
  });

  it('sends system prompt, sampling parameters, seed and key, and sums the log probabilities', async () => {
    const result = await engine.infer(request());
    expect(asked[0]?.headers.authorization).toBe('Bearer secret');
    expect(asked[0]?.body).toEqual({
      model: 'org/qwen',
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'Hello' },
      ],
      temperature: 0.2,
      top_p: 0.9,
      top_k: 40,
      max_tokens: 64,
      seed: 7,
      stream: false,
      logprobs: true,
    });
    expect(result).toMatchObject({
      text: 'You said Hello',
      logProb: -0.75,
      measured: true,
      promptTokens: 9,
      completionTokens: 2,
      finish: 'stop',
    });
  });

  it('does without log probabilities where the server gives or allows none', async () => {
    behaviour = (_asked, response) => json(response, 200, completion('Paris', { finish_reason: 'length' }));
    expect(await engine.infer(request())).toMatchObject({ measured: false, logProb: 0, finish: 'length' });
    behaviour = ({ body }, response) =>
      body.logprobs
        ? json(response, 400, { error: { message: 'logprobs is not supported by this model' } })
        : json(response, 200, completion('Paris'));
    expect(await engine.infer(request())).toMatchObject({ text: 'Paris', measured: false });
  });

  it.each([
    [404, '{"error":{"message":"no model"}}', 'model-missing'],
    [
      400,
      '{"error":{"message":"This model has a maximum context length of 2048 tokens"}}',
      'prompt-too-long',
    ],
    [400, '{"error":"temperature must be positive"}', 'model-broken'],
    [401, 'denied', 'engine-unreachable'],
    [429, '{"error":{"message":"slow down"}}', 'engine-unreachable'],
    [503, '<html>', 'engine-unreachable'],
  ])('tells a %i (%s) as %s', async (status, body, reason) => {
    failing(status, body);
    await expect(engine.infer(request())).rejects.toMatchObject({
      reason,
      message: expect.stringContaining(String(status)),
    });
  });

  it.each([
    ['no JSON', 'It works!'],
    ['no completion', '{"choices":[]}'],
    ['another shape', '{"choices":[{"message":{"content":42}}]}'],
    ['nothing', ''],
  ])('refuses an answer that is %s', async (_what, body) => {
    failing(200, body);
    await expect(engine.infer(request())).rejects.toMatchObject({
      reason: 'engine-unreachable',
      transient: true,
    });
  });

  it('refuses an answer without end', async () => {
    behaviour = (_asked, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    await expect(createOpenAiEngine({ baseUrl }).infer(request())).rejects.toMatchObject({
      message: expect.stringContaining('longer than'),
    });
  });

  it('gives up on a server that is too slow, before or within its answer', async () => {
    const impatient = createOpenAiEngine({ baseUrl, timeoutMs: 300 });
    behaviour = () => undefined;
    await expect(impatient.infer(request())).rejects.toMatchObject({
      reason: 'engine-unreachable',
      message: expect.stringContaining('within 300 ms'),
    });
    behaviour = (_asked, response) => void response.write('{"choices"');
    await expect(impatient.infer(request())).rejects.toMatchObject({ reason: 'engine-unreachable' });
  });

  it('says why a server cannot be reached', async () => {
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    await expect(
      createOpenAiEngine({ baseUrl: `http://127.0.0.1:${port}/v1` }).infer(request()),
    ).rejects.toMatchObject({
      reason: 'engine-unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('rejects what is under way when it is closed', async () => {
    behaviour = () => undefined;
    const asking = engine.infer(request());
    setTimeout(() => void engine.close(), 20);
    await expect(asking).rejects.toMatchObject({ message: expect.stringContaining('closed') });
  });
});
