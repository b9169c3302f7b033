import type { NatsConnection } from 'nats';
import { describe, expect, it } from 'vitest';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import { PROJECTIONS } from '../projections/index.ts';
import { ReadModel } from '../projections/read-model.ts';
import { readEndpoints } from './read-service.ts';
import type { HistoryOutput } from './schemas.ts';

const ISSUED = {
  id: '6e4e0c8e-0b0a-5f0e-8d1a-0a1b2c3d4e5f',
  type: 'GoldTaskIssued',
  data: {
    task: { prompt: 'What is 6 × 7?', expected: { kind: 'answer', value: '42' } },
    dueAt: '2999-01-01T00:00:00.000Z',
  },
  metadata: {},
};

describe('the history, for clients', () => {
  it('does not show the answer of a gold task, in its event or in an actor snapshot', async () => {
    const store = createMemoryEventStore();
    await store.append('cluster-maths', [ISSUED], 'any');
    const cached = {
      ...ISSUED,
      type: 'SnapshotTaken',
      data: { snapshot: { context: { gold: ISSUED.data } } },
    };
    await store.append('snapshot-cluster-maths', [cached], 'any');
    const model = new ReadModel(':memory:', PROJECTIONS);
    // No broker is needed to read the history.
    const endpoints = readEndpoints({
      nc: {} as NatsConnection,
      model,
      store,
      version: '0.0.0',
      signal: new AbortController().signal,
    });
    const history = endpoints.find(({ subject }) => subject === 'dellm.history');
    const read = async (stream?: string) =>
      (await history?.run(
        { direction: 'forwards', limit: 10, ...(stream && { stream }) },
        { signal: new AbortController().signal },
      )) as HistoryOutput;
    const pages = [await read(), await read('cluster-maths'), await read('snapshot-cluster-maths')];
    expect(pages.map(({ events }) => events.length)).toEqual([1, 1, 0]);
    expect(JSON.stringify(pages)).not.toContain('42"');
    model.close();
  });
});
