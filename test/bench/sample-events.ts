import { randomUUID } from 'node:crypto';
import { GENESIS_HASH } from '../../src/events/envelope.ts';
import type { NewEvent } from '../../src/eventstore/port.ts';

/** An event as heavy as most of the network's: about 600 bytes of data and 350 of metadata. */
export function sampleEvent(): NewEvent {
  const id = randomUUID();
  return {
    id,
    type: 'SubtaskAnswered',
    data: {
      subtaskId: id,
      attempt: 1,
      resource: { kind: 'node', id: 'mathematical-01' },
      result: {
        answer: '345',
        kind: 'number',
        confidence: 0.93,
        agreement: 1,
        contributions: [1, 2].map((index) => ({
          node: `mathematical-0${index}`,
          device: 'device-0a1b2c3d',
          owner: 'owner',
          taskId: id,
          answer: '345',
          kind: 'number',
          confidence: 0.93,
          responseMs: 17,
        })),
      },
      at: '2030-01-01T00:00:00.000Z',
    },
    metadata: {
      schemaVersion: 1,
      messageId: randomUUID(),
      causationId: randomUUID(),
      correlationId: randomUUID(),
      prevHash: GENESIS_HASH,
    },
  };
}
