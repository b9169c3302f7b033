import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, START } from '../../../test/support/decider.ts';
import type { NodeCommand, NodeEvent } from '../../events/node.ts';
import type { ModelAnswer } from '../../events/values.ts';
import { CommandRefusedError } from '../actor.ts';
import { NODE_TASKS_IN_FLIGHT } from './decide.ts';
import { node } from './index.ts';
import type { NodeContext } from './machine.ts';

const BORN: NodeEvent = {
  type: 'NodeBorn',
  data: {
    node: 'n1',
    genome: {
      modelA: 'maths-a',
      modelB: 'maths-b',
      specialization: 'mathematical',
      promptTemplates: { system: '', user: 'Q: {question}' },
      samplingParams: { temperature: 0, topP: 1, topK: 0, contextTokens: 512, maxTokens: 64 },
    },
    species: 'math-specialists',
    device: 'laptop',
    owner: 'owner',
    cluster: 'maths',
    generation: 0,
    parents: [],
    cause: 'genesis',
    mutations: [],
    saga: { kind: 'genesis', id: 'main' },
    at: START,
  },
};

const DUE = later(1000);

function assign(taskId: string, dueAt = DUE, origin: 'cluster' | 'query' = 'cluster'): NodeCommand {
  return {
    type: 'AssignTask',
    data: {
      taskId,
      queryId: 'q1',
      subtaskId: 's1',
      attempt: 1,
      prompt: 'What is 2 + 2?',
      taskType: 'math.arithmetic',
      origin: { kind: origin, id: origin === 'query' ? 'q1' : 'maths' },
      dueAt,
    },
  };
}

function said(text: string, model = 'maths-a'): ModelAnswer {
  return { model, text, logProb: 0, measured: false, completionTokens: 1, durationMs: 5, finish: 'stop' };
}

function submit(
  taskId: string,
  answers: [ModelAnswer | null, ModelAnswer | null] = [said('4'), said('4', 'maths-b')],
): NodeCommand {
  return { type: 'SubmitAnswers', data: { taskId, answers, failure: answers[0] ? null : 'model-missing' } };
}

const performance: NodeCommand = {
  type: 'RecordPerformance',
  data: {
    taskId: 't1',
    queryId: 'q1',
    taskType: 'math.arithmetic',
    correct: true,
    basis: 'computed',
    answerKind: 'number',
    responseMs: 12,
  },
};

function born(): Scenario<NodeCommand, NodeEvent> {
  return new Scenario<NodeCommand, NodeEvent>(node, 'n1').given(BORN);
}

function regions(scenario: Scenario<NodeCommand, NodeEvent>): unknown {
  return (scenario.snapshot.value as { alive: object }).alive;
}

function contextOf(scenario: Scenario<NodeCommand, NodeEvent>): NodeContext {
  return scenario.context as NodeContext;
}

describe('a Node', () => {
  it('is born once, joins its Cluster and tells genesis', () => {
    const { at: _at, ...data } = BORN.data as Extract<NodeEvent, { type: 'NodeBorn' }>['data'];
    const scenario = new Scenario<NodeCommand, NodeEvent>(node, 'n1').when({ type: 'BearNode', data });
    expect(scenario.types).toEqual(['NodeBorn']);
    expect(scenario.sent).toEqual([
      'cluster/maths AdmitNode',
      'genesis/main ConfirmBirth',
      'account/owner OpenAccount',
    ]);
    // Asked again, it says so again: the saga may not have heard it.
    expect(scenario.when({ type: 'BearNode', data }).types).toEqual(['LifeAffirmed']);
    expect(scenario.sent).toEqual(['genesis/main ConfirmBirth']);
  });

  it('sends a task to its device, through its prompt template, with a clock', () => {
    const scenario = born().when(assign('t1'));
    expect(scenario.types).toEqual(['TaskAccepted']);
    expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
    const [work, timer] = scenario.effects;
    expect(work).toMatchObject({
      kind: 'work',
      device: 'laptop',
      body: { node: 'n1', taskId: 't1', prompt: 'Q: What is 2 + 2?', models: ['maths-a', 'maths-b'] },
    });
    expect(timer).toMatchObject({ kind: 'timer', dueAt: DUE });
  });

  it('hears both models, votes, and rests', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(submit('t1'), { at: later(30), device: 'laptop' });
    expect(scenario.types).toEqual(['ModelAnswered', 'ModelAnswered', 'VoteCast']);
    expect(scenario.events.at(-1)?.data).toMatchObject({ responseMs: 30, vote: { answer: '4' } });
    expect(scenario.sent).toEqual(['cluster/maths CountVote']);
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('answers a query that asked it directly', () => {
    const scenario = born()
      .when(assign('t1', DUE, 'query'))
      .when(submit('t1'), { device: 'laptop' });
    expect(scenario.sent).toEqual(['query/q1 RecordAnswer']);
  });

  it('votes by the one model that answered, and goes to rest with the other', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(submit('t1', [null, said('4', 'maths-b')]));
    expect(scenario.types).toEqual(['ModelAnswered', 'VoteCast']);
    expect(scenario.events[1]?.data).toMatchObject({ failure: expect.any(String) });
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('fails a task that neither model answered, with the reason', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(submit('t1', [null, null]));
    expect(scenario.events).toMatchObject([{ type: 'TaskFailed', data: { reason: 'model-missing' } }]);
    expect(scenario.sent).toEqual(['cluster/maths LoseVote']);
  });

  it('keeps several tasks apart: a model thinks as long as one of them needs it', () => {
    const scenario = born().when(assign('t1')).when(assign('t2')).when(submit('t2'));
    expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
    expect(Object.keys(contextOf(scenario).open)).toEqual(['t1']);
    scenario.when(submit('t1'));
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('does nothing twice: neither an assignment nor answers', () => {
    const scenario = born().when(assign('t1'));
    expect(scenario.when(assign('t1')).types).toEqual([]);
    scenario.when(submit('t1'));
    expect(scenario.when(submit('t1')).types).toEqual([]);
    expect(scenario.when(assign('t1')).types).toEqual([]);
  });

  it('takes no task whose time is over, also when its memory of it is gone', () => {
    const scenario = born().when(assign('t1')).when(submit('t1'));
    expect(scenario.when(assign('late', DUE), { at: DUE }).types).toEqual([]);
    scenario.when(assign('t2', later(9000)), { at: later(2000) });
    expect(contextOf(scenario).closed).toEqual({});
    expect(scenario.when(assign('t1'), { at: later(2001) }).types).toEqual([]);
  });

  it('listens to nobody but its own device, and to that about answers only', () => {
    const scenario = born().when(assign('t1'));
    expect(() => scenario.when(submit('t1'), { device: 'stranger' })).toThrow(CommandRefusedError);
    expect(() => scenario.when(performance, { device: 'laptop' })).toThrow(CommandRefusedError);
    expect(() => scenario.when(assign('t9'), { device: 'laptop' })).toThrow(CommandRefusedError);
  });

  it('gives a task up at its deadline, not before, and ignores what comes later', () => {
    const scenario = born().when(assign('t1'));
    const pass: NodeCommand = { type: 'PassDeadline', data: { taskId: 't1' } };
    expect(scenario.when(pass, { at: later(999) }).types).toEqual([]);
    expect(scenario.when(pass, { at: DUE }).types).toEqual(['TaskFailed']);
    expect(scenario.when(pass, { at: later(1001) }).types).toEqual([]);
    expect(scenario.when(submit('t1'), { at: later(1002) }).types).toEqual([]);
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('refuses a task when it has too many, and says so', () => {
    const scenario = born();
    for (let task = 0; task < NODE_TASKS_IN_FLIGHT; task += 1) scenario.when(assign(`t${task}`));
    scenario.when(assign('one-more'));
    expect(scenario.types).toEqual(['TaskRefused']);
    expect(scenario.sent).toEqual(['cluster/maths LoseVote']);
    scenario.when(submit('t0'));
    expect(scenario.when(assign('one-more')).types).toEqual([]);
  });

  it('records its performance on a task once', () => {
    const scenario = born().when(performance);
    expect(scenario.types).toEqual(['PerformanceRecorded']);
    expect(scenario.when(performance).types).toEqual([]);
    scenario.when(assign('t2', later(60_000)), { at: later(30_000) });
    expect(scenario.when(performance, { at: later(40_000) }).types).toEqual([]);
  });

  it('does nothing before it is born', () => {
    const unborn = new Scenario<NodeCommand, NodeEvent>(node, 'n1');
    expect(() => unborn.when(assign('t1'))).toThrow('There is no Node "n1"');
    expect(unborn.when(submit('t1')).types).toEqual([]);
    expect(unborn.when(performance).types).toEqual([]);
    expect(unborn.when({ type: 'PassDeadline', data: { taskId: 't1' } }).types).toEqual([]);
  });

  it('refuses an answer that is too long to travel on with the others of its Cluster', () => {
    const scenario = born().when(assign('t1'));
    expect(() => scenario.when(submit('t1', [said('x'.repeat(33 * 1024)), null]))).toThrow();
    expect(() => scenario.when(submit('t1', [said('\u0001'.repeat(8 * 1024)), null]))).toThrow();
  });

  it('ends every task it accepts exactly once, in whatever order things come', () => {
    const tasks = fc.constantFrom('t1', 't2', 't3');
    const step = fc.oneof(
      fc.record({ what: fc.constant('assign' as const), task: tasks, in: fc.constantFrom(0, 500, 1500) }),
      fc.record({ what: fc.constant('submit' as const), task: tasks, mask: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ what: fc.constant('pass' as const), task: tasks }),
      fc.record({ what: fc.constant('wait' as const), task: tasks, ms: fc.constantFrom(1, 400, 1000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scenario = born();
        const due = new Map([
          ['t1', later(700)],
          ['t2', later(1400)],
          ['t3', later(2100)],
        ]);
        let now = 0;
        for (const one of steps) {
          const at = later(now);
          if (one.what === 'assign') scenario.when(assign(one.task, due.get(one.task)), { at });
          if (one.what === 'pass')
            scenario.when({ type: 'PassDeadline', data: { taskId: one.task } }, { at });
          if (one.what === 'wait') now += one.ms;
          if (one.what === 'submit') {
            const a = one.mask & 1 ? said('4') : null;
            const b = one.mask & 2 ? said('5', 'maths-b') : null;
            scenario.when(submit(one.task, [a, b]), { at, device: 'laptop' });
          }
        }
        for (const taskId of due.keys()) {
          scenario.when({ type: 'PassDeadline', data: { taskId } }, { at: later(now + 5000) });
          const of = (...types: string[]) =>
            scenario.history.filter(
              ({ type, data }) => types.includes(type) && 'taskId' in data && data.taskId === taskId,
            ).length;
          expect(of('TaskAccepted')).toBeLessThanOrEqual(1);
          expect(of('VoteCast', 'TaskFailed')).toBe(of('TaskAccepted'));
        }
        expect(contextOf(scenario).open).toEqual({});
        expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
      }),
      { numRuns: 100 },
    );
  });
});

describe('the end of a Node', () => {
  const CULL: NodeCommand = {
    type: 'CullNode',
    data: {
      cluster: 'maths',
      generation: 1,
      rule: 'the bottom 20 % are culled',
      rank: 10,
      of: 10,
      fitness: 12,
      saga: { kind: 'generation', id: 'maths-1' },
    },
  };

  function alive(): Scenario<NodeCommand, NodeEvent> {
    return new Scenario<NodeCommand, NodeEvent>(node, 'n1').given(BORN);
  }

  it('comes at once where it has nothing in hand', () => {
    const scenario = alive().when(CULL);
    expect(scenario.types).toEqual(['NodeCulled', 'NodeRetired']);
    expect(scenario.sent).toEqual(['cluster/maths DismissNode', 'generation/maths-1 ConfirmRetirement']);
  });

  it('comes after the work in hand, and new work is handed back', () => {
    const scenario = alive().when(assign('t1')).when(assign('t2')).when(CULL);
    expect(scenario.types).toEqual(['NodeCulled']);
    expect(scenario.events[0]).toMatchObject({ data: { inHand: 2 } });
    scenario.when(assign('t3'));
    expect(scenario.types).toEqual(['TaskRefused']);
    expect(scenario.sent).toEqual(['cluster/maths LoseVote']);
    scenario.when(submit('t1'), { device: 'laptop' });
    expect(scenario.types).toEqual(['ModelAnswered', 'ModelAnswered', 'VoteCast']);
    scenario.when({ type: 'PassDeadline', data: { taskId: 't2' } }, { at: later(1000) });
    expect(scenario.types).toEqual(['TaskFailed', 'NodeRetired']);
    expect(scenario.snapshot.value).toBe('retired');
  });

  it('does not keep a judgement from arriving, and is told again to a saga that has not heard of it', () => {
    const scenario = alive().when(assign('t1')).when(submit('t1'), { device: 'laptop' }).when(CULL);
    expect(scenario.when(performance).types).toEqual(['PerformanceRecorded']);
    expect(scenario.when(CULL).types).toEqual(['LifeAffirmed']);
    expect(scenario.sent).toEqual(['generation/maths-1 ConfirmRetirement']);
    expect(scenario.when(assign('t4')).types).toEqual(['TaskRefused']);
  });

  it('comes once', () => {
    expect(alive().when(assign('t1')).when(CULL).when(CULL).types).toEqual([]);
  });

  it('is not that of a Node that moves: it keeps its work', () => {
    const move: NodeCommand = { type: 'MoveNode', data: { from: 'maths', to: 'other', cause: 'split' } };
    const scenario = alive().when(assign('t1')).when(move);
    expect(scenario.sent).toEqual(['cluster/maths DismissNode', 'cluster/other AdmitNode']);
    expect(scenario.when(move).types).toEqual([]);
    scenario.when(submit('t1'), { device: 'laptop' });
    expect(scenario.sent).toEqual(['cluster/maths CountVote']);
  });

  it('tells its Cluster of every fifth success', () => {
    const scenario = alive();
    const sent: string[] = [];
    for (let index = 0; index < 10; index += 1) {
      const data = { ...performance.data, taskId: `t${index}` };
      scenario.when({ type: 'RecordPerformance', data } as NodeCommand);
      sent.push(...scenario.sent);
    }
    expect(sent).toEqual(['cluster/maths ReportPerformance', 'cluster/maths ReportPerformance']);
    expect(scenario.effects).toMatchObject([{ command: { data: { node: 'n1', successes: 10 } } }]);
  });

  it('leaves what its models took on record, as long as the Node knows it', () => {
    const scenario = alive().when(assign('t1')).when(submit('t1'), { device: 'laptop' }).when(performance);
    expect(scenario.events[0]).toMatchObject({ type: 'PerformanceRecorded', data: { computeMs: 10 } });
    const unknown = alive().when(performance);
    expect(unknown.events[0]).toMatchObject({ data: { computeMs: null } });
  });
});
