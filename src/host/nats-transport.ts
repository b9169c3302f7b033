import type { ConsumerMessages, JetStreamClient, JsMsg } from '@nats-io/jetstream';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { ClosedConnectionError, DrainingConnectionError } from 'nats';
import { encodeJson, HEADER, uuidOf } from '../events/envelope.ts';
import { InvalidSubjectTokenError, NatsUnavailableError } from '../messaging/errors.ts';
import { isUnstorable, type Publish, publisher } from '../messaging/publish.ts';
import { headersOf } from '../messaging/stored.ts';
import { COMMANDS, partitionConsumer } from '../messaging/streams.ts';
import {
  commandSubject,
  deadSubject,
  isInbox,
  parseCommandSubject,
  workSubject,
} from '../messaging/subjects.ts';
import { type OnLog, reasonOf } from './log.ts';
import {
  type DeadLetter,
  type Delivery,
  type Outgoing,
  type Transport,
  UnpublishableError,
} from './transport.ts';

/** Room for a message's headers within the broker's `max_payload`, in bytes. */
const HEADER_BYTES = 4 * 1024;
/** How long the broker holds a pull request, and how often it sends a heartbeat meanwhile, in milliseconds. */
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 4_000;
const RETRY_MS = 500;
/**
 * Characters of an invalid subject that are kept. A dead letter's subject contains them, and must fit into the
 * broker's line.
 */
const MISADDRESSED_LENGTH = 100;

/** Messages over JetStream. */
export class NatsTransport implements Transport {
  readonly #nats: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #publish: Publish;
  readonly #onLog: OnLog;

  constructor(nats: NatsConnection, onLog: OnLog) {
    this.#nats = nats;
    this.#js = jetstream(nats);
    this.#publish = publisher(nats);
    this.#onLog = onLog;
  }

  async publish(message: Outgoing): Promise<void> {
    const subject = subjectOf(message);
    const limit = (this.#nats.info?.max_payload ?? 1024 * 1024) - HEADER_BYTES;
    if (message.body.length > limit) {
      throw new UnpublishableError(
        `${message.body.length} bytes for ${subject}: the broker accepts at most ${limit}.`,
      );
    }
    const headers = {
      [HEADER.correlationId]: message.correlationId,
      [HEADER.causationId]: message.causationId,
    };
    try {
      if (message.target.kind === 'reply') {
        const named = headersOf({ ...headers, [HEADER.messageId]: message.messageId });
        this.#nats.publish(subject, message.body, { headers: named });
      } else {
        await this.#publish({ subject, body: message.body, messageId: message.messageId, headers });
      }
    } catch (error) {
      if (isUnstorable(error))
        throw new UnpublishableError(`${subject}: ${reasonOf(error)}`, { cause: error });
      if (!(error instanceof ClosedConnectionError || error instanceof DrainingConnectionError)) throw error;
      throw new NatsUnavailableError('The connection to the broker was closed by this process.', {
        cause: error,
      });
    }
  }

  async recordDead(letter: DeadLetter): Promise<void> {
    const body = encodeJson({ reason: letter.reason, ...letter.details });
    await this.#publish({ subject: deadSubject(letter), body, messageId: uuidOf('dead', letter) });
  }

  /**
   * Passes all messages of a partition to `receive` until the consumer is stopped, also across restarts of the
   * broker.
   */
  consume(partition: number, receive: (delivery: Delivery) => void): PartitionConsumer {
    return new PartitionConsumer(this.#js, partition, receive, this.#onLog);
  }
}

/** Pulls one partition. When heartbeats stop, the consumer is created again: otherwise it would wait forever. */
export class PartitionConsumer {
  readonly partition: number;
  readonly #js: JetStreamClient;
  readonly #receive: (delivery: Delivery) => void;
  readonly #onLog: OnLog;
  readonly #finished: Promise<void>;
  #stopped = false;
  #messages: ConsumerMessages | null = null;
  #wake: () => void = () => {};

  constructor(js: JetStreamClient, partition: number, receive: (delivery: Delivery) => void, onLog: OnLog) {
    this.partition = partition;
    this.#js = js;
    this.#receive = receive;
    this.#onLog = onLog;
    this.#finished = this.#run();
  }

  /** Resolves when no more messages will arrive. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#messages?.close();
    await this.#finished;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#consumeOnce();
      } catch (error) {
        this.#onLog('warn', `partition ${this.partition} cannot be read: ${reasonOf(error)}; trying again`);
        await this.#pause();
      }
    }
  }

  async #consumeOnce(): Promise<void> {
    const consumer = await this.#js.consumers.get(COMMANDS, partitionConsumer(this.partition));
    if (this.#stopped) return;
    const messages = await consumer.consume({
      expires: PULL_EXPIRES_MS,
      idle_heartbeat: HEARTBEAT_MS,
      callback: (message) => {
        if (!this.#stopped) this.#receive(deliveryOf(message));
      },
    });
    this.#messages = messages;
    if (this.#stopped) await messages.close();
    for await (const status of messages.status()) {
      if (status.type !== 'heartbeats_missed' && status.type !== 'consumer_deleted') continue;
      this.#onLog('warn', `partition ${this.partition} went silent; its consumer is created again`);
      await messages.close();
    }
    await messages.closed();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, RETRY_MS);
      this.#wake = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }
}

function subjectOf({ target }: Outgoing): string {
  try {
    switch (target.kind) {
      case 'command':
        return commandSubject(target.to);
      case 'work':
        return workSubject(target.device);
      case 'reply':
        if (isInbox(target.subject)) return target.subject;
        throw new UnpublishableError(`"${target.subject}" is not an inbox. Replies go only to inboxes.`);
    }
  } catch (cause) {
    if (!(cause instanceof InvalidSubjectTokenError)) throw cause;
    throw new UnpublishableError(cause.message, { cause });
  }
}

function deliveryOf(message: JsMsg): Delivery {
  const subject = parseCommandSubject(message.subject);
  const header = (name: string) => message.headers?.get(name) || undefined;
  const headers: Delivery['headers'] = {
    messageId: header(HEADER.messageId),
    correlationId: header(HEADER.correlationId),
    causationId: header(HEADER.causationId),
  };
  return {
    // A subject that breaks the rules reaches no actor, for instance one whose partition is not that of its id.
    kind: subject?.kind ?? 'misaddressed',
    id: subject?.id ?? message.subject.slice(0, MISADDRESSED_LENGTH),
    device: subject?.device ?? null,
    headers,
    body: message.data,
    sentAt: message.info.timestampNanos / 1e6,
    attempt: message.info.deliveryCount,
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(delayMs),
    // Without the reason: nats-server 2.9 does not understand TERM with a reason, and delivers the message
    // again.
    term: () => message.term(),
    working: () => message.working(),
  };
}
