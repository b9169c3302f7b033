import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { answersId, decodeJson, HEADER } from '../events/envelope.ts';
import { WorkOrder } from '../events/node.ts';
import type { InferenceEngine } from '../inference/port.ts';
import { announce } from '../messaging/membership.ts';
import { AGENTS_BUCKET } from '../messaging/permissions.ts';
import { publisher, sendCommand } from '../messaging/publish.ts';
import { deviceConsumer, WORK } from '../messaging/streams.ts';
import type { Offer } from './offer.ts';
import { runWorkOrder } from './work.ts';

export interface AgentOptions {
  /** A connection of the device's own user: the agent's only access to the network. */
  readonly nc: NatsConnection;
  readonly device: string;
  readonly engine: InferenceEngine;
  /** What the device lends. It is announced. */
  readonly offer: Offer;
  readonly signal: AbortSignal;
  readonly onStatus: (message: string) => void;
}

/** Tasks in progress at once: enough to keep the models busy while other tasks wait for the broker. */
const TASKS_AT_ONCE = 16;

/** How often the agent tells the broker that it still works on a task, so that no other agent gets it. */
const WORKING_EVERY_MS = 2_000;

/** At the end, open tasks have this long to finish. After that they are put back. */
const FINISH_WITHIN_MS = 2_000;

/** Pause before the next attempt to get work, or to finish a task. */
const RETRY_MS = 500;

/** Answered tasks that are remembered, to recognise a second copy of their order. */
const REMEMBERED_TASKS = 1_000;

type JsMsg = Awaited<ReturnType<typeof nextMessages>> extends AsyncIterable<infer M> ? M : never;

/**
 * A contributor's device: takes its work orders, runs the models, and sends back their answers, until the signal. Tasks
 * that are open at the end are finished if that takes no longer than `FINISH_WITHIN_MS`.
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { nc, device, engine, offer, signal, onStatus } = options;
  const publish = publisher(nc);
  const announcement = await announce({
    nc,
    bucket: AGENTS_BUCKET,
    id: device,
    info: () => ({ engine: engine.kind, ...offer }),
    onStatus,
  });
  const inHand = new Set<Promise<void>>();
  const leaving = new AbortController();

  /** Deliveries of the open tasks by taskId: a delivery that waited long arrives a second time. */
  const copies = new Map<string, JsMsg[]>();
  const answered = new Set<string>();

  async function work(message: JsMsg): Promise<void> {
    const parsed = WorkOrder.safeParse(decodeOrNull(message.data));
    if (!parsed.success || Date.parse(parsed.data.dueAt) <= Date.now()) {
      if (!parsed.success) onStatus(`a work order could not be read: ${parsed.error.message}`);
      message.term();
      return;
    }
    const { taskId } = parsed.data;
    if (answered.has(taskId)) {
      message.ack();
      return;
    }
    const known = copies.get(taskId);
    if (known) {
      known.push(message);
      return;
    }
    const deliveries = [message];
    copies.set(taskId, deliveries);
    const working = setInterval(() => {
      for (const delivery of deliveries) delivery.working();
    }, WORKING_EVERY_MS);
    try {
      await answerOrder(parsed.data, message);
      answered.add(taskId);
      for (const oldest of answered) if (answered.size > REMEMBERED_TASKS) answered.delete(oldest);
      for (const delivery of deliveries) delivery.ack();
    } catch (error) {
      onStatus(`a task was put back: ${error instanceof Error ? error.message : String(error)}`);
      for (const delivery of deliveries) delivery.nak(RETRY_MS);
    } finally {
      clearInterval(working);
      copies.delete(taskId);
    }
  }

  async function answerOrder(order: WorkOrder, message: JsMsg): Promise<void> {
    // After the deadline the answers are useless, and other tasks need the models.
    const overdue = AbortSignal.timeout(Math.max(1, Date.parse(order.dueAt) - Date.now()));
    const submission = await runWorkOrder(engine, order, AbortSignal.any([overdue, leaving.signal]));
    const orderId = message.headers?.get(HEADER.messageId) || order.taskId;
    await sendCommand(publish, {
      to: { kind: 'node', id: order.node },
      command: submission,
      device,
      messageId: answersId(orderId),
      correlationId: message.headers?.get(HEADER.correlationId) || order.taskId,
      causationId: orderId,
    });
  }

  try {
    while (!signal.aborted) {
      const messages = await nextMessages(nc, device).catch((error: unknown) => {
        onStatus(`cannot get work at the moment: ${error instanceof Error ? error.message : String(error)}`);
        return null;
      });
      if (messages === null) {
        await pause(RETRY_MS, signal);
        continue;
      }
      const stop = (): void => messages.stop();
      signal.addEventListener('abort', stop, { once: true });
      void closeOnSilence(messages, onStatus);
      for await (const message of messages) {
        while (inHand.size >= TASKS_AT_ONCE) await Promise.race(inHand);
        const task = work(message).finally(() => inHand.delete(task));
        inHand.add(task);
      }
      signal.removeEventListener('abort', stop);
    }
  } finally {
    const impatience = setTimeout(() => leaving.abort(new Error('the agent stops')), FINISH_WITHIN_MS);
    await Promise.all(inHand);
    clearTimeout(impatience);
    await announcement.leave();
  }
}

async function nextMessages(nc: NatsConnection, device: string) {
  const consumer = await jetstream(nc).consumers.get(WORK, deviceConsumer(device));
  return consumer.consume({ max_messages: TASKS_AT_ONCE, expires: 30_000, idle_heartbeat: 4_000 });
}

/** A consumer without heartbeats has lost its broker for good, so it is closed and created again. */
async function closeOnSilence(
  messages: Awaited<ReturnType<typeof nextMessages>>,
  onStatus: (message: string) => void,
): Promise<void> {
  for await (const status of messages.status()) {
    if (status.type !== 'heartbeats_missed' && status.type !== 'consumer_not_found') continue;
    onStatus('the broker sends no heartbeats; asking for work again');
    await messages.close();
    return;
  }
}

function decodeOrNull(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes);
  } catch {
    return null;
  }
}

/** Waits for a time, or until the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
