import { describe, expect, it } from 'vitest';
import { later } from '../../../test/support/decider.ts';
import type { SubtaskDispatched } from '../../events/query.ts';
import { decide } from './decide.ts';
import type { Planner, RoutingHint } from './planner.ts';
import { react } from './react.ts';
import { rulePlanner } from './rule-planner.ts';

const AT = later(50);
const GIVEN = {
  at: AT,
  device: null,
  reads: undefined,
  id: (purpose: string) => `id of ${purpose}`,
  draw: () => 0,
};

function planned(question: string, stakes: 'normal' | 'high' = 'normal', planner?: Planner) {
  return decide({ type: 'PlanQuery', data: { question, stakes } }, GIVEN, planner);
}

describe('the Super LLM', () => {
  it('analyses and plans a question by rules', () => {
    expect(planned('What is 15 × 23?')).toEqual([
      {
        type: 'QueryAnalysed',
        data: {
          intent: 'calculate',
          complexity: 'simple',
          taskTypes: ['math.arithmetic'],
          stakes: 'normal',
          reasons: ['one request, nothing to take apart', 'reads like math.arithmetic'],
          at: AT,
        },
      },
      {
        type: 'QueryPlanned',
        data: {
          planner: 'rules',
          strategy: 'direct',
          subtasks: [
            {
              key: 's1',
              subtaskId: 'id of subtask s1',
              prompt: 'What is 15 × 23?',
              taskType: 'math.arithmetic',
              dependsOn: [],
              nodes: 1,
              prefer: 'node',
              specialization: 'mathematical',
            },
          ],
          at: AT,
        },
      },
    ]);
  });

  it.each([
    ['the asker says so', 'What is 15 × 23?', 'high', 'high', 'medium', 5, 'mixed'],
    ['the topic is risky', 'How much ibuprofen may I take?', 'normal', 'high', 'medium', 5, 'mixed'],
    ['neither is so', 'Is 7 even?', 'normal', 'normal', 'medium', 3, 'cluster'],
  ] as const)(
    'takes the stakes for high if %s',
    (_why, question, asked, stakes, complexity, nodes, prefer) => {
      expect(planned(question, asked)).toMatchObject([
        { data: { stakes, complexity } },
        { data: { subtasks: [{ nodes, prefer }] } },
      ]);
    },
  );

  it('routes each subtask by its own hint, and by default to one Node', () => {
    const [subtask] = rulePlanner.plan('What is 15 × 23?', rulePlanner.analyse('')).subtasks;
    const subtasks = ['s1', 's2'].map(
      (key) => ({ ...subtask, key, nodes: 9 }) as NonNullable<typeof subtask>,
    );
    const hints: RoutingHint[] = [{ key: 's2', prefer: 'cluster', specialization: 'coding' }];
    const planner = { ...rulePlanner, plan: () => ({ strategy: 'odd', subtasks, hints }) };
    expect(planned('What?', 'normal', planner)[1]?.data).toMatchObject({
      strategy: 'odd',
      subtasks: [
        { key: 's1', prefer: 'node', specialization: 'factual', nodes: 9 },
        { key: 's2', prefer: 'cluster', specialization: 'coding', nodes: 9 },
      ],
    });
    expect(planned('What?', 'high', planner)[1]?.data).toMatchObject({
      subtasks: [{ nodes: 9 }, { nodes: 9 }],
    });
  });

  it('puts the answers together and validates the whole', () => {
    const part = { key: 's1', prompt: 'What is 15 × 23?', taskType: 'math.arithmetic', confidence: 0.9 };
    const whole = (answer: string | null) =>
      decide(
        { type: 'SynthesiseAnswer', data: { question: part.prompt, parts: [{ ...part, answer }] } },
        GIVEN,
      );
    expect(whole('345')).toEqual([
      { type: 'AnswerSynthesised', data: { answer: '345', confidence: 0.9, missing: [], at: AT } },
      { type: 'AnswerValidated', data: { ok: true, reasons: [], at: AT } },
    ]);
    expect(whole('many')[1]?.data).toEqual({
      ok: false,
      reasons: ['s1: a calculation without a number'],
      at: AT,
    });
  });
});

describe('a dispatched subtask', () => {
  const dispatched: SubtaskDispatched = {
    subtaskId: 'a',
    attempt: 2,
    prompt: 'What is 15 × 23?',
    nodes: 3,
    prefer: 'cluster',
    exclude: [{ kind: 'node', id: 'n1' }],
    dueAt: later(5000),
    at: AT,
  };
  const query = {
    queryId: 'q1',
    complexity: 'simple',
    stakes: 'normal',
    subtasks: { a: { taskType: 'math.arithmetic', specialization: 'mathematical' } },
  } as const;

  it('goes to the Super Cluster with all that routing needs', () => {
    const { at: _, ...request } = dispatched;
    expect(react(dispatched, query)).toEqual({
      kind: 'command',
      to: { kind: 'superCluster', id: 'main' },
      command: {
        type: 'RouteSubtask',
        data: {
          ...request,
          queryId: 'q1',
          complexity: 'simple',
          stakes: 'normal',
          taskType: 'math.arithmetic',
          specialization: 'mathematical',
          checkable: true,
        },
      },
    });
    const capital = { ...dispatched, prompt: 'What is the capital of Japan?' };
    expect(react(capital, query)).toMatchObject({ command: { data: { checkable: false } } });
  });

  it('is in the plan', () => {
    expect(() => react({ ...dispatched, subtaskId: 'b' }, query)).toThrow('The subtask b is in no plan.');
  });
});
