import type { ApiError, PubAck } from '@nats-io/jetstream';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { Msg, MsgHdrs, NatsConnection } from 'nats';
import {
  ClosedConnectionError,
  InvalidArgumentError,
  MsgHdrsImpl,
  NoRespondersError,
  nuid,
  PermissionViolationError,
  TimeoutError,
} from 'nats';
import { inboxPrefixOf } from './connection.ts';

/** Names and values; neither may hold a line break. */
export type Headers = Readonly<Record<string, string>>;

export interface StreamMessage {
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: Headers;
}

interface Waiting {
  readonly subject: string;
  readonly resolve: (ack: PubAck) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

const publishers = new WeakMap<NatsConnection, StreamPublisher>();

/**
 * Publishes one message to a JetStream stream and resolves when the broker has stored it. Tries once. Rejects with the
 * broker's refusal (`JetStreamApiError`), with what the connection says against the message, or with `TimeoutError`;
 * then nobody knows whether it is stored.
 *
 * The library's `js.publish` takes five times the CPU: for each message two promises, an error with its stack, and a
 * write to the socket. Here all that is published within one turn of the event loop shares a write.
 */
export async function publishStored(
  nc: NatsConnection,
  message: StreamMessage,
  timeoutMs: number,
): Promise<PubAck> {
  const publisher = publishers.get(nc) ?? new StreamPublisher(nc);
  publishers.set(nc, publisher);
  return publisher.publish(message, timeoutMs);
}

/** The messages of one connection that wait for the broker's word. */
class StreamPublisher {
  readonly #nc: NatsConnection;
  readonly #inbox: string;
  readonly #waiting = new Map<string, Waiting>();
  #count = 0;
  #outgoing: (() => void)[] = [];

  constructor(nc: NatsConnection) {
    this.#nc = nc;
    this.#inbox = `${inboxPrefixOf(nc)}.${nuid.next()}.`;
    nc.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (error === null) this.#receive(message);
      },
    });
    // Ends with the connection. Without it a refused publication is only refused later, when its time is over.
    this.#watchRefusals().catch(() => {});
    void nc.closed().then(() => this.#refuse(() => true, new ClosedConnectionError()));
  }

  publish({ subject, body, headers }: StreamMessage, timeoutMs: number): Promise<PubAck> {
    const token = (this.#count++).toString(36);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(token)?.reject(new TimeoutError()), timeoutMs);
      this.#waiting.set(token, { subject, resolve, reject, timer });
      this.#atEndOfTurn(() => {
        try {
          this.#nc.publish(subject, body, { headers: headersOf(headers), reply: this.#inbox + token });
        } catch (error) {
          this.#settle(token)?.reject(error);
        }
      });
    });
  }

  /** The connection writes to its socket what was published in one piece of synchronous code. */
  #atEndOfTurn(publish: () => void): void {
    this.#outgoing.push(publish);
    if (this.#outgoing.length > 1) return;
    setImmediate(() => {
      const outgoing = this.#outgoing;
      this.#outgoing = [];
      for (const one of outgoing) one();
    });
  }

  #receive(message: Msg): void {
    const waiting = this.#settle(message.subject.slice(this.#inbox.length));
    if (waiting === undefined) return;
    if (message.data.length === 0) {
      waiting.reject(new NoRespondersError(waiting.subject));
      return;
    }
    try {
      const answer = message.json<PubAck & { readonly error?: ApiError }>();
      if (answer.error === undefined) waiting.resolve(answer);
      else waiting.reject(new JetStreamApiError(answer.error));
    } catch (error) {
      waiting.reject(error);
    }
  }

  /** A publication without permission gets no answer: the error reaches the connection. */
  async #watchRefusals(): Promise<void> {
    for await (const status of this.#nc.status()) {
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      if (operation === 'publish') this.#refuse((waiting) => waiting.subject === subject, status.error);
    }
  }

  #refuse(concerns: (waiting: Waiting) => boolean, error: Error): void {
    for (const [token, waiting] of this.#waiting) {
      if (concerns(waiting)) this.#settle(token)?.reject(error);
    }
  }

  #settle(token: string): Waiting | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}

/** The library's own checks of each name and value take longer than the rest of a publication. */
export function headersOf(headers: Headers): MsgHdrs {
  const record: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (/[\r\n]/.test(value)) throw new InvalidArgumentError(`The header ${name} has a line break.`);
    record[name] = [value];
  }
  return MsgHdrsImpl.fromRecord(record);
}
