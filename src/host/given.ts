import type { Given } from '../actors/actor.ts';
import { drawOf, uuidOf } from '../events/envelope.ts';
import type { Message } from './plan.ts';

/**
 * What `decide` may know about the world: ids and draws depend on the message alone, so every retry gives the same.
 * Read models and the message's id are asked for when they are used.
 */
export function givenFor(
  message: Pick<Message, 'messageId' | 'device'>,
  at: string,
  reads: () => unknown,
): Given {
  return {
    at,
    device: message.device,
    get reads() {
      return reads();
    },
    id: (purpose) => uuidOf('id', message.messageId, purpose),
    draw: (purpose, index = 0) => drawOf('draw', message.messageId, purpose, index),
  };
}
