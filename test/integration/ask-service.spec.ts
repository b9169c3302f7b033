import { type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import { type AskService, askService } from '../../src/gateway/ask-service.ts';
import { type RunningService, serveEndpoints } from '../../src/messaging/service.ts';
import { COMMANDS, ensureStreams, partitionConsumer } from '../../src/messaging/streams.ts';
import { GATEWAY_INBOX, partitionOf } from '../../src/messaging/subjects.ts';
import { startTestNats, type TestNats } from '../support/nats.ts';

interface Reservation {
  readonly data: { readonly request: { readonly queryId: string; readonly replyTo: string } };
}

describe('a gateway that waits for an answer', () => {
  let broker: TestNats;
  let network: NatsConnection;
  let client: NatsConnection;
  let asking: AskService;
  let service: RunningService;

  beforeAll(async () => {
    broker = await startTestNats();
    network = await broker.connect();
    client = await broker.connect('client');
    await ensureStreams(jetstream(network));
    asking = askService({ nc: network, defaultAccount: 'owner', onStatus: () => {} });
    const { endpoints } = asking;
    service = await serveEndpoints(network, {
      name: 'dellm-gateway',
      version: '0.0.0',
      description: 'for tests',
      endpoints,
    });
  });
  afterAll(async () => {
    await service.stop();
    asking.stop();
    await broker.stop();
  });

  /** The subject that the network should send the ending of a question to. */
  async function replyToOf(queryId: string): Promise<string> {
    const consumer = await jetstream(network).consumers.get(
      COMMANDS,
      partitionConsumer(partitionOf('owner')),
    );
    const message: JsMsg | null = await consumer.next({ expires: 20_000 });
    if (!message) throw new Error('the question did not reach the account');
    message.ack();
    const { data } = decodeJson(message.data) as Reservation;
    expect(data.request.queryId).toBe(queryId);
    return data.request.replyTo;
  }

  const ending = (queryId: string, answer: string) =>
    encodeJson({ queryId, outcome: 'answered', answer, confidence: 1, credits: 0 });

  it('accepts only the ending of its question, and only valid endings', async () => {
    const asked = client.request('dellm.ask', encodeJson({ question: 'What is 2 + 2?', queryId: 'mine' }), {
      timeout: 30_000,
    });
    const replyTo = await replyToOf('mine');
    expect(replyTo.startsWith(`${GATEWAY_INBOX}.`)).toBe(true);
    network.publish(replyTo, ending('another', '5'));
    network.publish(replyTo, encodeJson({ queryId: 'mine', answer: '6' }));
    network.publish(replyTo, 'no JSON');
    network.publish(`${replyTo.slice(0, -1)}x`, ending('mine', '7'));
    network.publish(replyTo, ending('mine', '4'));
    expect(decodeJson((await asked).data)).toMatchObject({ queryId: 'mine', answer: '4' });
  });
});
