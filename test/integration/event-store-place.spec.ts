import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { holdsEvent } from '../../src/eventstore/holds-event.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { type EmbeddedEventStore, launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';

let folder: string;
let server: EmbeddedEventStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-holds-event-'));
  server = await launchEmbeddedEventStore({ file: join(folder, 'history.sqlite') });
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true });
});

describe.each<[string, () => EventStore]>([
  ['the memory store', () => createMemoryEventStore()],
  ['the embedded store', () => connectEventStore(server.connectionString)],
])('%s', (_which, open) => {
  it('finds an event only at its place', async () => {
    const store = open();
    try {
      const stream = `node-${randomUUID()}`;
      const event = () => ({ id: randomUUID(), type: 'Happened', data: {}, metadata: {} });
      await store.append(stream, [event(), event()], 'no-stream');
      const stored: StoredEvent[] = [];
      for await (const one of store.readStream(stream)) stored.push(one);
      const [first, second] = stored;
      if (!first || !second) throw new Error('nothing was stored');
      for (const place of [first, second]) expect(await holdsEvent(store, place)).toBe(true);
      for (const change of [
        { position: first.position + 1 },
        { position: second.position },
        { revision: 1 },
        { revision: 7 },
        { id: second.id },
        { stream: `${stream}-other` },
      ]) {
        expect(await holdsEvent(store, { ...first, ...change })).toBe(false);
      }
    } finally {
      await store.close();
    }
  });
});
