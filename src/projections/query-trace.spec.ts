import { describe, expect, it } from 'vitest';
import type { Recorded } from './projection.ts';
import { queryTrace, type TraceRow } from './query-trace.ts';

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

function fold(events: readonly Recorded[]): TraceRow | undefined {
  const rows = new Map<string, TraceRow | undefined>();
  for (const event of events) {
    for (const key of queryTrace.keys(event)) rows.set(key, queryTrace.fold(rows.get(key), event, key));
  }
  return rows.get('q1');
}

describe('the trace of a query', () => {
  it('begins with the reservation and follows the query to its end', () => {
    const voted = recorded('VoteCounted', { subtaskId: 's1' }, { stream: 'cluster-maths' });
    const ended = recorded('QueryAnswered', { answer: '4', confidence: 0.9, spent: 1 });
    expect(fold([RESERVED])?.status).toBe('reserved');
    expect(fold([RESERVED, ASKED])?.status).toBe('running');
    const row = fold([RESERVED, ASKED, voted, ended]);
    expect(row).toMatchObject({ status: 'answered', account: 'anna', ending: { answer: '4' }, omitted: 0 });
    expect(row?.steps.map(({ type }) => type)).toEqual([
      'CreditsReserved',
      'QueryAsked',
      'VoteCounted',
      'QueryAnswered',
    ]);
  });

  it('knows the ending that a clock brought, which belongs to no request', () => {
    const expired = recorded('QueryExpired', { reason: 'Nobody came.' }, { correlationId: 'some-timer' });
    const released = recorded(
      'CreditsReleased',
      { queryId: 'q1', transferId: 'r1', amount: 1 },
      { stream: 'credit-anna', correlationId: 'some-timer' },
    );
    const row = fold([RESERVED, ASKED, expired, released]);
    expect(row).toMatchObject({ status: 'expired', ending: { reason: 'Nobody came.' } });
    expect(row?.steps).toHaveLength(4);
  });

  it('keeps a bounded number of steps, and counts the others', () => {
    const many = Array.from({ length: 450 }, () => recorded('VoteCounted', { subtaskId: 's1' }));
    expect(fold([RESERVED, ...many])).toMatchObject({ omitted: 51 });
  });

  it('shows long texts by their beginning', () => {
    const long = recorded('QueryAsked', { queryId: 'q1', account: 'anna', question: 'x'.repeat(5000) });
    expect(fold([long])?.question).toHaveLength(2001);
  });

  it('has no row for what belongs to no query', () => {
    const born = recorded('NodeBorn', { node: 'n1' }, { stream: 'node-n1', correlationId: 'genesis' });
    expect(queryTrace.keys(born)).toEqual([]);
    expect(
      fold([recorded('VoteCast', { queryId: 'q1', taskId: 't1' }, { stream: 'node-n1' })]),
    ).toBeUndefined();
  });
});
