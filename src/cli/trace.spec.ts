import { describe, expect, it } from 'vitest';
import { printTrace } from './trace.ts';

const step = (type: string, stream: string, data: object) => ({
  type,
  stream,
  revision: 0,
  position: 0,
  data: { ...data },
});

describe('a trace', () => {
  it('reads as a tree: the query, its subtasks, their Nodes, models and votes, the verdict, the answer', () => {
    const lines = printTrace([
      step('CreditsReserved', 'credit-owner', { amount: 750_000, queryId: 'q' }),
      step('QueryAsked', 'query-q', { question: 'What is 1 + 1?' }),
      step('QueryAnalysed', 'query-q', {
        complexity: 'simple',
        intent: 'calculate',
        taskTypes: ['math.arithmetic'],
      }),
      step('QueryPlanned', 'query-q', {
        strategy: 'direct',
        subtasks: [
          { subtaskId: 'x', key: 's1', taskType: 'math.arithmetic', prompt: 'What is 1 + 1?', dependsOn: [] },
        ],
      }),
      step('SubtaskDispatched', 'query-q', { subtaskId: 'x', attempt: 1, prompt: 'What is 1 + 1?' }),
      step('SubtaskRouted', 'superCluster-main', {
        subtaskId: 'x',
        chosen: [{ kind: 'node', id: 'n1' }],
        policy: 'exploit',
        replicatedFor: null,
        why: 'the best',
      }),
      step('TaskAccepted', 'node-n1', { taskId: 't', subtaskId: 'x' }),
      step('ModelAnswered', 'node-n1', {
        taskId: 't',
        slot: 'A',
        answer: { model: 'maths-a', text: '2', measured: true, logProb: 0 },
      }),
      step('VoteCast', 'node-n1', {
        taskId: 't',
        subtaskId: 'x',
        vote: { outcome: 'agreed', answer: '2', confidence: 0.98 },
      }),
      step('VerdictReached', 'query-q', {
        subtaskId: 'x',
        outcome: 'accepted',
        confidence: 0.99,
        checks: [
          { check: 'arithmetic', verdict: 'pass' },
          { check: 'redundancy', verdict: 'not-applicable' },
        ],
      }),
      step('QueryAnswered', 'query-q', { answer: '2', spent: 750_000 }),
    ]);
    expect(lines).toEqual([
      'What is 1 + 1?',
      '├─ 0.75 credits reserved by owner',
      '├─ analysed: simple, to calculate (math.arithmetic)',
      '├─ plan: direct, 1 subtask',
      '│  └─ s1 (math.arithmetic): What is 1 + 1?',
      '│     ├─ routed to node n1, exploit: the best',
      '│     ├─ n1',
      '│     │  ├─ maths-a: "2" (probability 1.00)',
      '│     │  └─ vote: agreed, "2", 98 % sure',
      '│     └─ verdict: accepted, 99 % sure (arithmetic pass)',
      '└─ answered: "2" for 0.75 credits',
    ]);
  });

  it('shows what is there of steps whose data are of another shape, and passes over unknown ones', () => {
    const lines = printTrace([
      step('QueryAsked', 'query-q', { question: 5 }),
      step('QueryPlanned', 'query-q', { subtasks: 'none' }),
      step('SomethingNew', 'query-q', {}),
      step('VoteCast', 'node-n', { taskId: 'unknown', vote: null }),
    ]);
    expect(lines).toEqual(['', '├─ plan: , 0 subtasks', '└─ vote: , "", 0 % sure']);
  });
});
