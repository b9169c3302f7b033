import type { Given } from '../actors/actor.ts';
import { drawOf, uuidOf } from '../events/envelope.ts';

/** What `decide` may know about the world: ids and draws depend on the message alone, so every retry gives the same. */
export function givenFor(messageId: string, at: string, device: string | null, reads: unknown): Given {
  return {
    at,
    device,
    reads,
    id: (purpose) => uuidOf('id', messageId, purpose),
    draw: (purpose, index = 0) => drawOf('draw', messageId, purpose, index),
  };
}
