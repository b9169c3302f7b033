import type { Given } from '../actors/actor.ts';
import { drawOf, uuidOf } from '../events/envelope.ts';
import type { Message } from './message.ts';

/**
 * What `decide` may know about the world: ids and draws depend on the message alone, so every retry gives the same.
 * Read models are asked for when they are first used, and the message's id whenever it is.
 */
export function givenFor(
  message: Pick<Message, 'messageId' | 'device'>,
  at: string,
  readRows: () => unknown,
): Given {
  let rows: { readonly read: unknown } | null = null;
  return {
    at,
    device: message.device,
    get reads() {
      rows ??= { read: readRows() };
      return rows.read;
    },
    id: (purpose) => uuidOf('id', message.messageId, purpose),
    draw: (purpose, index = 0) => drawOf('draw', message.messageId, purpose, index),
  };
}
