import { randomBytes } from 'node:crypto';
import { Svcm } from '@nats-io/services';
import type { Msg, NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EndpointError } from '../../src/messaging/endpoint-error.ts';
import type { RunningService } from '../../src/messaging/service.ts';
import { endpoint, serveEndpoints } from '../../src/messaging/service.ts';
import { GATEWAY_INBOX } from '../../src/messaging/subjects.ts';
import type { TestNats } from '../support/nats.ts';
import { startTestNats } from '../support/nats.ts';

const Question = z.strictObject({
  text: z.string().min(1).max(1_000),
  count: z.number().int().min(0).max(500).default(1),
});
const Answer = z.strictObject({ text: z.string() });

describe('serveEndpoints', () => {
  let nats: TestNats;
  let server: NatsConnection;
  let client: NatsConnection;
  let service: RunningService | undefined;
  const faults: unknown[] = [];
  const waiting: (() => void)[] = [];
  const release = (): void => {
    for (const end of waiting.splice(0)) end();
  };

  beforeAll(async () => {
    nats = await startTestNats();
    server = await nats.connect();
    client = await nats.connect('client');
  });
  afterEach(async () => {
    release();
    await service?.stop();
    service = undefined;
    faults.length = 0;
  });
  afterAll(() => nats.stop());

  async function serve(): Promise<void> {
    service = await serveEndpoints(server, {
      name: 'dellm',
      version: '1.2.3',
      description: 'for tests',
      schemas: { subject: 'dellm.schemas', others: [] },
      onError: (_, error) => faults.push(error),
      endpoints: [
        endpoint({
          name: 'ask',
          subject: 'dellm.ask',
          description: 'Echoes',
          input: Question,
          output: Answer,
          maxInFlight: 2,
          async handle({ text }) {
            if (text === 'throw') throw new Error('secret detail');
            if (text === 'unknown')
              throw new EndpointError('not-found', 'There is none.', { hint: 'Look elsewhere.' });
            if (text === 'large') return { text: 'x'.repeat(2 * 1024 ** 2) };
            if (text === 'wrong') return { other: 1 } as never;
            if (text === 'wait') {
              await new Promise<void>((resolve) => waiting.push(resolve));
            }
            return { text };
          },
        }),
        endpoint({
          name: 'ask-stream',
          subject: 'dellm.ask.stream',
          description: 'Echoes again and again',
          input: Question,
          output: Answer,
          streaming: true,
          async *handle({ text, count }) {
            for (let n = 0; n < count; n += 1) yield { text: `${text} ${n}` };
            if (text === 'throw') throw new EndpointError('unavailable', 'It broke off.');
          },
        }),
      ],
    });
  }

  async function ask(body: Uint8Array | string, subject = 'dellm.ask'): Promise<Msg> {
    return client.request(subject, body, { timeout: 10_000 });
  }

  async function stream(body: string): Promise<Msg[]> {
    const messages: Msg[] = [];
    const answers = await client.requestMany('dellm.ask.stream', body, {
      strategy: 'sentinel',
      maxWait: 10_000,
    });
    for await (const message of answers) messages.push(message);
    return messages;
  }

  it('answers JSON with JSON', async () => {
    await serve();
    expect((await ask('{"text":"hello"}')).json()).toEqual({ text: 'hello' });
  });

  it.each<[string, Uint8Array | string, string, RegExp]>([
    ['nothing', '', 'bad-request', /text: /],
    [
      '900 KB',
      `{"text":"${'x'.repeat(900_000)}"}`,
      'too-large',
      /900011 bytes, and dellm.ask takes at most 262144/,
    ],
    ['all that a message can hold', randomBytes(1024 ** 2), 'too-large', /1048576 bytes/],
    ['no JSON', 'hello', 'bad-request', /not JSON in UTF-8/],
    ['half of a JSON', '{"text":"a"', 'bad-request', /not JSON/],
    [
      'bad UTF-8',
      new Uint8Array([...Buffer.from('{"text":"'), 0xff, ...Buffer.from('"}')]),
      'bad-request',
      /UTF-8/,
    ],
    ['a list', '[1]', 'bad-request', /expected object/],
    ['null', 'null', 'bad-request', /expected object/],
    ['the wrong type', '{"text":7}', 'bad-request', /text: .*expected string/],
    ['an unknown field', '{"text":"a","tset":1}', 'bad-request', /tset/],
    [
      'a hundred unknown fields',
      JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, n) => ['long'.repeat(50) + n, 1]))),
      'bad-request',
      /…\. Nothing was done/,
    ],
    ['an absurd number', '{"text":"a","count":1e308}', 'bad-request', /count: /],
    ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), 'bad-request', /expected object/],
    ['a prototype', '{"text":"a","__proto__":{"x":1}}', 'bad-request', /__proto__/],
  ])('refuses %s, and says why', async (_, body, code, reason) => {
    await serve();
    const message = await ask(body);
    const { error } = message.json<{ error: { code: string; message: string } }>();
    expect(error.code).toBe(code);
    expect(error.message).toMatch(reason);
    expect(error.message.length).toBeLessThan(1_000);
    expect(message.headers?.get('Nats-Service-Error-Code')).toBe(code === 'too-large' ? '413' : '400');
    expect(message.headers?.get('Nats-Service-Error')).not.toBe('');
    expect(faults).toEqual([]);
    expect((await ask('{"text":"still here"}')).json()).toEqual({ text: 'still here' });
  });

  it('reports errors that a handler intends, and hides those that it does not', async () => {
    await serve();
    const known = await ask('{"text":"unknown"}');
    expect(known.json()).toEqual({
      error: { code: 'not-found', message: 'There is none.', hint: 'Look elsewhere.' },
    });
    expect(known.headers?.get('Nats-Service-Error-Code')).toBe('404');
    for (const [text, code] of [
      ['throw', 'internal'],
      ['wrong', 'internal'],
      ['large', 'answer-too-large'],
    ]) {
      const message = await ask(JSON.stringify({ text }));
      expect(message.json()).toMatchObject({ error: { code } });
      expect(message.string()).not.toContain('secret');
    }
    expect(faults).toHaveLength(3);
  });

  it('says that it is busy when it has too many requests', async () => {
    await serve();
    const inbox = '_INBOX.waiting';
    for (let n = 0; n < 2; n += 1) client.publish('dellm.ask', '{"text":"wait"}', { reply: inbox });
    await expect
      .poll(async () => (await ask('{"text":"one more"}')).json())
      .toMatchObject({ error: { code: 'busy', hint: 'Ask again in a moment.' } });
  });

  it('sends a stream item by item, with an empty message at the end, also after an error', async () => {
    await serve();
    const items = await stream('{"text":"step","count":300}');
    expect(items).toHaveLength(301);
    expect(items[0]?.json()).toEqual({ text: 'step 0' });
    expect(items.at(-1)?.data).toHaveLength(0);
    const broken = await stream('{"text":"throw","count":1}');
    expect(broken.map(({ data }) => data.length > 0)).toEqual([true, true, false]);
    expect(broken[1]?.json()).toEqual({ error: { code: 'unavailable', message: 'It broke off.' } });
    const refused = await stream('nonsense');
    expect(refused).toHaveLength(2);
    expect(refused[0]?.json()).toMatchObject({ error: { code: 'bad-request' } });
  });

  it('replies to inboxes only, so that a client cannot make it publish a command', async () => {
    await serve();
    const heard: string[] = [];
    const watch = server.subscribe('dellm.cmd.>', {
      callback: (_, message) => void heard.push(message.subject),
    });
    client.publish('dellm.ask', '{"text":"x"}', { reply: 'dellm.cmd.1.account.alice' });
    client.publish('dellm.ask', '{"text":"x"}');
    await client.flush();
    expect((await ask('{"text":"after them"}')).json()).toEqual({ text: 'after them' });
    await server.flush();
    expect(heard).toEqual([]);
    watch.unsubscribe();
  });

  it('does not reply to the inbox of a gateway, which a client may name but not write to', async () => {
    await serve();
    const heard: string[] = [];
    const watch = server.subscribe(`${GATEWAY_INBOX}.>`, {
      callback: (_, message) => void heard.push(message.subject),
    });
    for (const subject of ['dellm.ask', 'dellm.ask.stream', 'dellm.schemas']) {
      client.publish(subject, '{"text":"x"}', { reply: `${GATEWAY_INBOX}.one.two` });
    }
    await client.flush();
    expect((await ask('{"text":"after them"}')).json()).toEqual({ text: 'after them' });
    await server.flush();
    expect(heard).toEqual([]);
    watch.unsubscribe();
  });

  it('is found by NATS tools, with schemas', async () => {
    await serve();
    const found = [];
    for await (const info of await new Svcm(client)
      .client({ strategy: 'stall', maxWait: 10_000 })
      .info('dellm'))
      found.push(info);
    expect(found[0]?.endpoints.map(({ subject }) => subject)).toEqual([
      'dellm.ask',
      'dellm.ask.stream',
      'dellm.schemas',
    ]);
    expect(JSON.parse(found[0]?.endpoints[0]?.metadata?.request_schema ?? '')).toMatchObject({
      required: ['text'],
    });
    const { endpoints } = (await ask('', 'dellm.schemas')).json<{
      endpoints: { subject: string; request: unknown }[];
    }>();
    expect(endpoints.map(({ subject }) => subject)).toEqual(['dellm.ask', 'dellm.ask.stream']);
    expect(endpoints[0]?.request).toMatchObject({ type: 'object', additionalProperties: false });
    await ask('nonsense');
    const stats = [];
    for await (const stat of await new Svcm(client)
      .client({ strategy: 'stall', maxWait: 10_000 })
      .stats('dellm'))
      stats.push(stat);
    expect(stats[0]?.endpoints?.[0]?.data).toMatchObject({ errors: 1, answered: 1, inFlight: 0 });
  });

  it('finishes open requests when it stops, and accepts no more', async () => {
    await serve();
    const last = ask('{"text":"wait"}');
    await expect.poll(() => waiting.length).toBe(1);
    const stopping = service?.stop();
    // The broker has read the end of the subscriptions, so nobody gets what the client sends from now on.
    await server.flush();
    await expect(ask('{"text":"late"}')).rejects.toThrow(/no responders/);
    release();
    expect((await last).json()).toEqual({ text: 'wait' });
    await stopping;
    service = undefined;
  });
});
