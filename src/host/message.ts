import { z } from 'zod';
import type { ActorDefinition, Address, Command } from '../actors/actor.ts';
import { decodeJson, deviceMessageId, HEADER, type MessageIds } from '../events/envelope.ts';
import type { Delivery } from './transport.ts';

/** A command that has been read and validated. */
export interface Message extends MessageIds {
  readonly to: Address;
  readonly device: string | null;
  readonly command: Command;
}

/** Longest accepted message id, in characters. */
const MAX_ID_LENGTH = 200;

/** A message that can never be processed, by any owner at any time. The error's message says why. */
export class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

/** Reads a delivery, or throws `PoisonError` or `NotJsonError`. */
export function readMessage(definition: ActorDefinition, delivery: Delivery): Message {
  const { kind, id, device, headers } = delivery;
  const { messageId } = headers;
  if (!messageId || messageId.length > MAX_ID_LENGTH) {
    throw new PoisonError(
      `The message needs an id of 1 to ${MAX_ID_LENGTH} characters in its header ${HEADER.messageId}.`,
    );
  }
  const command = definition.commands.safeParse(decodeJson(delivery.body));
  if (!command.success)
    throw new PoisonError(`This is not a command for ${kind}: ${z.prettifyError(command.error)}`);
  const own = device === null ? messageId : deviceMessageId(device, messageId);
  return {
    to: { kind: definition.kind, id },
    device,
    command: command.data,
    messageId: own,
    correlationId: known(headers.correlationId) ?? own,
    causationId: known(headers.causationId) ?? own,
  };
}

function known(id: string | undefined): string | undefined {
  return id && id.length <= MAX_ID_LENGTH ? id : undefined;
}
