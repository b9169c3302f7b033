import { describe, expect, it } from 'vitest';
import { MemoryModel } from '../replay/memory-model.ts';
import type { Recorded } from './projection.ts';
import { type QueryRow, queryTrace, type StepRow } from './query-trace.ts';

const AT = '2026-01-05T10:00:00.000Z';

function recorded(type: string, data: object, change: Partial<Recorded> = {}): Recorded {
  const place = { stream: 'query-q1', revision: 0, position: 1, correlationId: 'q1' };
  return { type, data: { ...data, at: AT }, ...place, ...change } as Recorded;
}

const RESERVED = recorded(
  'CreditsReserved',
  { queryId: 'q1', transferId: 'r1', amount: 1, request: { question: 'What is 2 + 2?' } },
  { stream: 'credit-anna' },
);
const ASKED = recorded('QueryAsked', { queryId: 'q1', account: 'anna', question: 'What is 2 + 2?' });

/** The row of the query, and its steps in the order of their keys. */
function fold(events: readonly Recorded[]): { query: QueryRow | undefined; steps: readonly StepRow[] } {
  const model = new MemoryModel([queryTrace]);
  for (const [index, event] of events.entries()) model.apply({ ...event, position: index + 1 });
  const rows = [...model.rows(queryTrace)].sort(([one], [other]) => (one < other ? -1 : 1));
  const [query] = rows.flatMap(([key, row]) => (key === 'q1' && row.kind === 'query' ? [row] : []));
  const steps = rows.flatMap(([key, row]) => (key.startsWith('q1/') && row.kind === 'step' ? [row] : []));
  expect(steps.length + (query ? 1 : 0)).toBe(rows.length);
  return { query, steps };
}

describe('the trace of a query', () => {
  it('begins with the reservation and follows the query to its end', () => {
    const voted = recorded('VoteCounted', { subtaskId: 's1' }, { stream: 'cluster-maths' });
    const ended = recorded('QueryAnswered', { answer: '4', confidence: 0.9, spent: 1 });
    expect(fold([RESERVED]).query?.status).toBe('reserved');
    expect(fold([RESERVED, ASKED]).query?.status).toBe('running');
    const { query, steps } = fold([RESERVED, ASKED, voted, ended]);
    const ending = { type: 'QueryAnswered', data: { answer: '4' } };
    expect(query).toMatchObject({ status: 'answered', account: 'anna', ending });
    expect(steps.map(({ type }) => type)).toEqual([
      'CreditsReserved',
      'QueryAsked',
      'VoteCounted',
      'QueryAnswered',
    ]);
  });

  it('has an ending from a timer, whose message belongs to no request', () => {
    const expired = recorded('QueryExpired', { reason: 'Nobody came.' }, { correlationId: 'some-timer' });
    const released = recorded(
      'CreditsReleased',
      { queryId: 'q1', transferId: 'r1', amount: 1 },
      { stream: 'credit-anna', correlationId: 'some-timer' },
    );
    const { query, steps } = fold([RESERVED, ASKED, expired, released]);
    expect(query).toMatchObject({ status: 'expired', ending: { data: { reason: 'Nobody came.' } } });
    expect(steps).toHaveLength(4);
  });

  it('keeps any number of steps in the order of the store', () => {
    const many = Array.from({ length: 1_100 }, (_, n) => recorded('VoteCounted', { subtaskId: 's1', n }));
    const { steps } = fold([RESERVED, ...many]);
    expect(steps.slice(1).map(({ data }) => (data as { n: number }).n)).toEqual(many.map((_, n) => n));
  });

  it('does not change earlier rows when a step is added', () => {
    const touched: string[] = [];
    const model = new MemoryModel([queryTrace], (_projection, key) => touched.push(key));
    model.apply({ ...RESERVED, position: 1 });
    model.apply({ ...ASKED, position: 2 });
    touched.length = 0;
    model.apply(recorded('VoteCounted', { subtaskId: 's1' }, { position: 3 }));
    expect(touched).toEqual(['q1/0000000000000003']);
  });

  it('does not show gold tasks among the tasks of a query', () => {
    const gold = { taskId: 't1', queryId: 'q1' };
    const { steps } = fold([ASKED, recorded('GoldTaskIssued', gold), recorded('GoldTaskJudged', gold)]);
    expect(steps.map(({ type }) => type)).toEqual(['QueryAsked']);
  });

  it('shows only the beginning of long texts', () => {
    const long = recorded('QueryAsked', { queryId: 'q1', account: 'anna', question: 'x'.repeat(5000) });
    const { query, steps } = fold([long]);
    expect(query?.question).toHaveLength(2001);
    expect(steps[0]?.data).toMatchObject({ question: `${'x'.repeat(2000)}…` });
  });

  it('has no row for events that belong to no query', () => {
    const born = recorded('NodeBorn', { node: 'n1' }, { stream: 'node-n1', correlationId: 'genesis' });
    const stray = recorded('VoteCast', { queryId: 'q1', taskId: 't1' }, { stream: 'node-n1' });
    expect(fold([born, stray])).toEqual({ query: undefined, steps: [] });
  });
});
