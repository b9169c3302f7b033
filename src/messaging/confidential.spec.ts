import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../eventstore/port.ts';
import { shownToStrangers } from './confidential.ts';

const dueAt = '2030-01-01T00:00:10.000Z';
const task = {
  prompt: 'What is 6 × 7?',
  taskType: 'math.arithmetic',
  expected: { kind: 'answer', value: '42' },
};
const issued: StoredEvent = {
  stream: 'cluster-x',
  revision: 3,
  position: 400,
  id: 'id',
  type: 'GoldTaskIssued',
  created: '2030-01-01T00:00:00.000Z',
  data: {
    taskId: 't',
    node: 'x-01',
    task,
    dueAt,
    reason: 'mixed-in',
    draws: [],
    at: '2030-01-01T00:00:00.000Z',
  },
  metadata: {},
};

describe('an event for strangers', () => {
  it('does not tell the answer of a gold task before it is due', () => {
    const { event, omitted } = shownToStrangers(issued, Date.parse(dueAt) - 1);
    expect(omitted).toBe('data.task.expected');
    expect(event).toEqual({ ...issued, data: { ...issued.data, task: { ...task, expected: null } } });
    expect(JSON.stringify(event)).not.toContain('42');
  });

  it('tells it afterwards', () => {
    expect(shownToStrangers(issued, Date.parse(dueAt))).toEqual({ event: issued, omitted: null });
  });

  it('never tells it where nobody knows when it is due', () => {
    const { event } = shownToStrangers(
      { ...issued, data: { ...issued.data, dueAt: 'soon' } },
      Date.parse(dueAt),
    );
    expect(JSON.stringify(event)).not.toContain('42');
  });

  it('is anything else as it is', () => {
    const other = { ...issued, type: 'GoldTaskJudged' };
    expect(shownToStrangers(other, 0)).toEqual({ event: other, omitted: null });
  });
});
