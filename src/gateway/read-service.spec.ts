import type { NatsConnection } from 'nats';
import { describe, expect, it } from 'vitest';
import { createMemoryEventStore } from '../eventstore/memory.ts';
import { PROJECTIONS } from '../projections/index.ts';
import type { Recorded } from '../projections/projection.ts';
import { QueryOutput } from '../projections/query-trace.ts';
import { ReadModel } from '../projections/read-model.ts';
import { readEndpoints } from './read-service.ts';
import { ViewOutput } from './schemas.ts';

const AT = '2026-01-05T10:00:00.000Z';
const QUESTION = 'What is 2 + 2?';

/**
 * The read model of one answered query with this many votes, each with a text of this length in two-byte
 * characters.
 */
function modelWith(votes: number, textLength: number): ReadModel {
  const model = new ReadModel(':memory:', PROJECTIONS);
  let position = 0;
  const tell = (type: string, data: object, stream = 'query-q1') => {
    position += 10;
    const place = { id: `e${position}`, stream, revision: position / 10 - 1, position, correlationId: 'q1' };
    model.apply({ type, data: { ...data, at: AT }, ...place } as unknown as Recorded);
  };
  tell('QueryAsked', { queryId: 'q1', account: 'anna', question: QUESTION });
  const texts = { why: 'ä'.repeat(textLength), how: 'ö'.repeat(textLength) };
  for (let n = 0; n < votes; n += 1) tell('Thought', { subtaskId: 's1', n, ...texts }, 'superCluster-x');
  tell('QueryAnswered', { answer: '4', confidence: 0.9, spent: 1_000_000 });
  return model;
}

async function query(model: ReadModel, request: object = {}): Promise<QueryOutput> {
  const endpoints = readEndpoints({
    nc: {} as NatsConnection,
    model,
    store: createMemoryEventStore(),
    version: '0.0.0',
    signal: new AbortController().signal,
  });
  const reading = endpoints.find(({ subject }) => subject === 'dellm.query');
  const input = reading?.input.parse({ queryId: 'q1', ...request });
  return QueryOutput.parse(await reading?.run(input, { signal: AbortSignal.timeout(5_000) }));
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

describe('following the network', () => {
  const stop = new AbortController();
  const model = new ReadModel(':memory:', PROJECTIONS);
  const following = readEndpoints({
    nc: {} as NatsConnection,
    model,
    store: createMemoryEventStore(),
    version: '0.0.0',
    signal: stop.signal,
  }).find(({ subject }) => subject === 'dellm.view.network');
  const form = (position: number, cluster: string) => {
    const place = {
      id: `e${position}`,
      stream: `cluster-${cluster}`,
      revision: 0,
      position,
      correlationId: 'c',
    };
    const data = { cluster, name: cluster, specialization: 'mathematical', at: AT };
    model.apply({ type: 'ClusterFormed', data, ...place } as unknown as Recorded);
  };
  const ask = async (since: number, waitMs: number) => {
    const input = following?.input.parse({ since, limit: 10, waitMs });
    return ViewOutput.parse(await following?.run(input, { signal: AbortSignal.timeout(5_000) }));
  };

  it('is answered at once where there is something new, and waits for it where there is not', async () => {
    form(1, 'maths');
    const first = await ask(-1, 5_000);
    expect(first).toMatchObject({ position: 1, rows: [{ key: 'cluster/maths' }], more: false });
    const second = ask(1, 5_000);
    form(4, 'logic');
    expect(await second).toMatchObject({ position: 4, rows: [{ key: 'cluster/logic' }] });
  });

  it('hears that nothing is new when its wait is over, or when the role ends', async () => {
    expect(await ask(4, 1)).toEqual({ position: 4, rows: [], more: false });
    expect(await ask(4, 0)).toEqual({ position: 4, rows: [], more: false });
    const last = ask(4, 5_000);
    stop.abort();
    expect(await last).toEqual({ position: 4, rows: [], more: false });
  });
});

describe('reading a query', () => {
  it('returns all steps if they fit', async () => {
    const { query: read } = await query(modelWith(20, 100));
    expect(read.steps.map(({ type }) => type)).toEqual([
      'QueryAsked',
      ...Array.from({ length: 20 }, () => 'Thought'),
      'QueryAnswered',
    ]);
    expect(read.omitted).toBe(0);
  });

  it('omits later steps of a very long query, and counts them', async () => {
    const model = modelWith(450, 2_500);
    const { query: read } = await query(model);
    expect(bytesOf(read)).toBeLessThan(610_000);
    // As many as fit: another step would have about 8 KB.
    expect(bytesOf(read)).toBeGreaterThan(580_000);
    expect(read.steps.map(({ position }) => position)).toEqual(read.steps.map((_step, n) => 10 * (n + 1)));
    expect(read.steps.length + read.omitted).toBe(452);
    expect(read.result).toMatchObject({ outcome: 'answered', answer: '4' });
  });

  it('returns no steps if only the result is requested', async () => {
    const { query: read } = await query(modelWith(3, 10), { steps: false });
    expect(read).toMatchObject({ question: QUESTION, status: 'answered', steps: [], omitted: 5 });
    expect(read.result).toMatchObject({ answer: '4' });
  });
});
