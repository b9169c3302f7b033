import type { PubAck } from '@nats-io/jetstream';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import {
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  InvalidSubjectError,
  PermissionViolationError,
} from 'nats';
import { encodeJson, HEADER, type MessageIds } from '../events/envelope.ts';
import type { AddressedCommand } from '../events/kinds.ts';
import { NatsUnavailableError } from './errors.ts';
import { type Headers, publishStored } from './stored.ts';
import { commandSubject } from './subjects.ts';

export interface Publication {
  readonly subject: string;
  readonly body: Uint8Array;
  /** Travels in the header `Dellm-Message`, so that the receiver recognises a second copy. The broker ignores it. */
  readonly messageId: string;
  readonly headers?: Headers;
}

export interface PublishLimits {
  /** Messages under way at the same time; others wait. Default 256. */
  readonly maxInFlight?: number;
  /** Longest time for one message with all retries, in milliseconds. Default 4,000. */
  readonly deadlineMs?: number;
}

/** Resolves when the broker has stored the message. */
export type Publish = (message: Publication) => Promise<PubAck>;

/** A command from outside of the actors, with its ids. */
export type CommandMessage = AddressedCommand &
  MessageIds & {
    /** The device that sends it, as its own user on the broker. Default: a role of the network. */
    readonly device?: string;
  };

const FIRST_ATTEMPT_MS = 1_000;
const PAUSE_MS = 50;
const FINAL = [
  ClosedConnectionError,
  DrainingConnectionError,
  InvalidArgumentError,
  InvalidSubjectError,
  PermissionViolationError,
];

/**
 * Publishes to JetStream, at most `maxInFlight` at a time. Tries again if the connection is lost or an answer is
 * missing. The message may then be stored twice, and its id makes that harmless. If the broker refuses the message,
 * throws its error at once. After the deadline, throws `NatsUnavailableError`; the message may or may not be stored.
 */
export function publisher(nc: NatsConnection, limits: PublishLimits = {}): Publish {
  const deadlineMs = limits.deadlineMs ?? 4_000;
  let free = limits.maxInFlight ?? 256;
  const queue: (() => void)[] = [];
  const enter = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => queue.push(resolve));
  };
  const leave = (): void => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (message) => {
    await enter();
    try {
      return await publishUntil(nc, message, performance.now() + deadlineMs);
    } finally {
      leave();
    }
  };
}

/** Sends a command to an actor. Resolves and throws as `publish` does. */
export function sendCommand(publish: Publish, message: CommandMessage): Promise<PubAck> {
  const { to, command, messageId, correlationId, causationId, device } = message;
  return publish({
    subject: commandSubject(to, device),
    body: encodeJson(command),
    messageId,
    headers: { [HEADER.correlationId]: correlationId, [HEADER.causationId]: causationId },
  });
}

async function publishUntil(nc: NatsConnection, message: Publication, deadline: number): Promise<PubAck> {
  const { subject, body, messageId } = message;
  const headers = { ...message.headers, [HEADER.messageId]: messageId };
  for (let timeout = FIRST_ATTEMPT_MS; ; timeout *= 2) {
    try {
      const patience = Math.max(1, Math.min(timeout, deadline - performance.now()));
      return await publishStored(nc, { subject, body, headers }, patience);
    } catch (error) {
      if (isFinal(error)) throw error;
      if (performance.now() + PAUSE_MS >= deadline) {
        throw new NatsUnavailableError(
          `The broker did not confirm a message for ${subject} before the deadline. ` +
            'The message may or may not be stored. Publish it again with the same message id.',
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/**
 * Errors that another attempt cannot change: a refused message, a missing permission, a connection that was closed
 * here.
 */
function isFinal(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status < 500;
  const cause = error instanceof Error ? error.cause : undefined;
  return FINAL.some((kind) => error instanceof kind || cause instanceof kind);
}

/** The broker's code for a message that is larger than the stream allows (nats-server, `errors.json`). */
const MESSAGE_TOO_LARGE = 10054;

/**
 * Whether the broker can never store this message, whatever an operator does. Other refusals heal: a full stream, a missing
 * permission, an account at its limit.
 */
export function isUnstorable(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.code === MESSAGE_TOO_LARGE;
  return error instanceof InvalidArgumentError || error instanceof InvalidSubjectError;
}
