import type { Given } from '../actors/actor.ts';
import { drawOf, uuidOf } from '../events/envelope.ts';
import type { Message } from './message.ts';

/**
 * What `decide` may know about the world. Ids and draws depend only on the message, so every retry gives the
 * same ones. Rows are read when they are first used. The message id is read at each use.
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
