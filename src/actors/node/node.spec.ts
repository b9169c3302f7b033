import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, START, sends } from '../../../test/support/decider.ts';
import type { NodeBorn, NodeCommand, NodeEvent, TaskAccepted } from '../../events/node.ts';
import type { ModelAnswer, Vote } from '../../events/values.ts';
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
      promptTemplates: { system: 'Be brief.', user: 'Q: {question}' },
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

const performance: NodeCommand & { type: 'RecordPerformance' } = {
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

const MOVE: NodeCommand = { type: 'MoveNode', data: { from: 'maths', to: 'other', cause: 'split' } };

/** As its Cluster knows it. */
const MEMBER = {
  node: 'n1',
  device: 'laptop',
  owner: 'owner',
  specialization: 'mathematical',
  pair: 'maths-a+maths-b',
};

/** Of `message-1`. */
const SEED = 1_376_388_315;

/** So many tasks as a Node takes at once, from `first` on. */
function all(first: string): readonly string[] {
  const from = Number(first.slice(1));
  return Array.from({ length: NODE_TASKS_IN_FLIGHT + 1 - from }, (_, index) => `t${from + index}`);
}

function judged(taskId: string, correct = true): NodeCommand {
  return { type: 'RecordPerformance', data: { ...performance.data, taskId, correct } };
}

function acceptedOf(scenario: Scenario<NodeCommand, NodeEvent>): TaskAccepted {
  return scenario.events[0]?.data as TaskAccepted;
}

function voteOf(scenario: Scenario<NodeCommand, NodeEvent>): Vote {
  const cast = scenario.events.find((event) => event.type === 'VoteCast');
  if (!cast) throw new Error('no vote was cast');
  return cast.data.vote;
}

function unborn(): Scenario<NodeCommand, NodeEvent> {
  return new Scenario<NodeCommand, NodeEvent>(node, 'n1');
}

function born(): Scenario<NodeCommand, NodeEvent> {
  return unborn().given(BORN);
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
    const scenario = unborn().when({ type: 'BearNode', data });
    expect(scenario.events).toEqual([BORN]);
    const confirmation = sends('genesis/main', 'ConfirmBirth', { what: 'node', id: 'n1' });
    expect(scenario.effects).toEqual([
      sends('cluster/maths', 'AdmitNode', MEMBER),
      confirmation,
      sends('account/owner', 'OpenAccount', { account: 'owner' }),
    ]);
    // Asked again, it says so again: the saga may not have heard it.
    scenario.when({ type: 'BearNode', data });
    expect(scenario.events).toEqual([
      { type: 'LifeAffirmed', data: { node: 'n1', what: 'birth', saga: data.saga, at: START } },
    ]);
    expect(scenario.effects).toEqual([confirmation]);
  });

  it('lives with what it was born with, and has done nothing yet', () => {
    const { genome, species, device, owner, cluster } = BORN.data as NodeBorn;
    const nothing = { open: {}, closed: {}, judged: [], judgements: 0, successes: 0, culled: null };
    const nowhere = { genome: null, species: '', device: '', owner: '', cluster: '', generation: 0 };
    expect(unborn().context).toEqual({ node: 'n1', ...nowhere, ...nothing });
    const child = { ...BORN, data: { ...BORN.data, generation: 3 } } as NodeEvent;
    expect(unborn().given(child).context).toEqual({
      node: 'n1',
      genome,
      species,
      device,
      owner,
      cluster,
      generation: 3,
      ...nothing,
    });
    expect(born().snapshot.value).toEqual({
      alive: { life: 'living', tasks: {}, modelA: 'idle', modelB: 'idle' },
    });
  });

  it('takes part in nothing without a genome', () => {
    const scenario = born().when(assign('t1'));
    const [accepted] = scenario.events;
    const { snapshot } = unborn();
    for (const event of [BORN, accepted] as NodeEvent[]) {
      expect(() => node.react(event, snapshot as never)).toThrow('The Node "n1" is not born yet.');
    }
  });

  it('sends a task to its device, through its prompt template, with a clock', () => {
    const scenario = born().when(assign('t1'));
    const { seed } = acceptedOf(scenario);
    expect(scenario.events).toEqual([
      { type: 'TaskAccepted', data: { ...assign('t1').data, seed, at: START } },
    ]);
    expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
    const { genome } = BORN.data as NodeBorn;
    expect(scenario.effects).toEqual([
      {
        kind: 'work',
        device: 'laptop',
        body: {
          node: 'n1',
          taskId: 't1',
          prompt: 'Q: What is 2 + 2?',
          system: 'Be brief.',
          models: ['maths-a', 'maths-b'],
          params: genome.samplingParams,
          seed,
          dueAt: DUE,
        },
      },
      { kind: 'timer', dueAt: DUE, command: { type: 'PassDeadline', data: { taskId: 't1' } } },
    ]);
  });

  it('draws a seed for each task, from 32 bits and from the message alone', () => {
    const seedFor = (messageId: string) => acceptedOf(born().when(assign('t1'), { messageId })).seed;
    // Another number would be another history for the same experiment.
    expect(seedFor('message-1')).toBe(SEED);
    expect(seedFor('message-1')).toBe(SEED);
    const seeds = Array.from({ length: 100 }, (_, index) => seedFor(`message-${index}`));
    expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32)).toBe(true);
    expect(Math.max(...seeds)).toBeGreaterThan(2 ** 31);
    expect(new Set(seeds).size).toBe(100);
  });

  it('hears both models, votes, and rests', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(submit('t1'), { at: later(30), device: 'laptop' });
    const at = later(30);
    const vote = voteOf(scenario);
    expect(vote.answer).toBe('4');
    expect(scenario.events).toEqual([
      { type: 'ModelAnswered', data: { taskId: 't1', slot: 'A', answer: said('4'), at } },
      { type: 'ModelAnswered', data: { taskId: 't1', slot: 'B', answer: said('4', 'maths-b'), at } },
      {
        type: 'VoteCast',
        data: {
          taskId: 't1',
          queryId: 'q1',
          subtaskId: 's1',
          attempt: 1,
          taskType: 'math.arithmetic',
          origin: { kind: 'cluster', id: 'maths' },
          vote,
          failure: null,
          responseMs: 30,
          at,
        },
      },
    ]);
    const ballot = { subtaskId: 's1', attempt: 1, taskId: 't1', node: 'n1', vote, responseMs: 30 };
    expect(scenario.effects).toEqual([sends('cluster/maths', 'CountVote', ballot)]);
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('hears one model after the other, and each rests when it has been heard', () => {
    const heard = (slot: 'A' | 'B', taskId: string): NodeEvent => ({
      type: 'ModelAnswered',
      data: { taskId, slot, answer: said(`${slot} of ${taskId}`), at: START },
    });
    const scenario = born().when(assign('t1')).when(assign('t2')).given(heard('A', 't1'), heard('B', 't2'));
    expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
    expect(contextOf(scenario).open).toMatchObject({
      t1: { acceptedAt: START, answers: { A: said('A of t1'), B: null } },
      t2: { acceptedAt: START, answers: { A: null, B: said('B of t2') } },
    });
    scenario.given(heard('A', 't2'));
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'thinking' });
    scenario.given(heard('B', 't1'));
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('lets a model rest at the end of the last task that waits for it', () => {
    const failed: NodeEvent = {
      type: 'TaskFailed',
      data: {
        taskId: 't1',
        queryId: 'q1',
        subtaskId: 's1',
        attempt: 1,
        origin: { kind: 'query', id: 'q1' },
        reason: 'too late',
        at: START,
      },
    };
    const answer = said('4');
    for (const [slot, rests] of [
      ['A', { modelA: 'idle', modelB: 'thinking' }],
      ['B', { modelA: 'thinking', modelB: 'idle' }],
    ] as const) {
      const scenario = born().when(assign('t1')).when(assign('t2'));
      scenario.given({ type: 'ModelAnswered', data: { taskId: 't2', slot, answer, at: START } });
      expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
      scenario.given(failed);
      expect(regions(scenario)).toMatchObject(rests);
    }
  });

  it('cannot take the end of a task, or an answer to it, that it does not know', () => {
    const scenario = born().when(assign('t1')).when(submit('t1'));
    for (const event of scenario.events) {
      expect(() => scenario.given(event)).toThrow('is not handled');
    }
  });

  it('answers a query that asked it directly', () => {
    const scenario = born()
      .when(assign('t1', DUE, 'query'))
      .when(submit('t1'), { at: later(7), device: 'laptop' });
    const vote = voteOf(scenario);
    const { answer, kind, confidence } = vote;
    const said = { node: 'n1', device: 'laptop', owner: 'owner', taskId: 't1', answer, kind, confidence };
    expect(scenario.effects).toEqual([
      sends('query/q1', 'RecordAnswer', {
        subtaskId: 's1',
        attempt: 1,
        resource: { kind: 'node', id: 'n1' },
        result: { answer, kind, confidence, agreement: 1, contributions: [{ ...said, responseMs: 7 }] },
      }),
    ]);
  });

  it('never counts negative time, even if its clock goes back', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(submit('t1'), { at: later(-5) });
    expect(scenario.events[2]?.data).toMatchObject({ responseMs: 0 });
  });

  it('votes by the one model that answered, and goes to rest with the other', () => {
    const b = said('4', 'maths-b');
    for (const [slot, answers, failure] of [
      ['B', [null, b], 'model-missing'],
      ['A', [b, null], null],
    ] as const) {
      const scenario = born()
        .when(assign('t1'))
        .when(submit('t1', [...answers]));
      expect(scenario.types).toEqual(['ModelAnswered', 'VoteCast']);
      expect(scenario.events).toMatchObject([{ data: { slot, answer: b } }, { data: { failure } }]);
      expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
    }
  });

  it.each([
    ['with the reason', 'model-missing'],
    ['also where its device gives no reason', null],
  ])('fails a task that neither model answered, %s', (_how, failure) => {
    const scenario = born().when(assign('t1', DUE, 'query'));
    scenario.when({ type: 'SubmitAnswers', data: { taskId: 't1', answers: [null, null], failure } });
    const reason = failure ?? 'Neither model gave an answer.';
    const of = { subtaskId: 's1', attempt: 1 };
    const origin = { kind: 'query', id: 'q1' };
    expect(scenario.events).toEqual([
      { type: 'TaskFailed', data: { taskId: 't1', queryId: 'q1', ...of, origin, reason, at: START } },
    ]);
    const resource = { kind: 'node', id: 'n1' };
    expect(scenario.effects).toEqual([
      sends('query/q1', 'RecordFailure', { ...of, resource, reason, best: null }),
    ]);
  });

  it.each([
    ['it is full', 'The Node has too many tasks.', 'full'],
    ['it was culled', 'The Node was culled.', 'culled'],
    ['its device was silent', 'Its device gave no answer before the deadline.', null],
  ])('tells its Cluster why there will be no vote: %s', (_why, reason, refused) => {
    const scenario = born().when(assign('t1'));
    if (refused === 'culled') scenario.when(CULL);
    if (refused === 'full') for (const task of all('t2')) scenario.when(assign(task));
    if (refused === null) scenario.when({ type: 'PassDeadline', data: { taskId: 't1' } }, { at: DUE });
    else scenario.when(assign('more'));
    const taskId = refused === null ? 't1' : 'more';
    if (refused !== null) {
      expect(scenario.events).toEqual([
        { type: 'TaskRefused', data: { ...assign('more').data, reason: refused, at: START } },
      ]);
    }
    expect(scenario.effects).toEqual([
      sends('cluster/maths', 'LoseVote', { subtaskId: 's1', attempt: 1, taskId, node: 'n1', reason }),
    ]);
  });

  it('keeps several tasks apart: a model thinks as long as one of them needs it', () => {
    const scenario = born().when(assign('t1')).when(assign('t2')).when(submit('t2'));
    expect(regions(scenario)).toMatchObject({ modelA: 'thinking', modelB: 'thinking' });
    expect(Object.keys(contextOf(scenario).open)).toEqual(['t1']);
    scenario.when(submit('t1'));
    expect(regions(scenario)).toMatchObject({ modelA: 'idle', modelB: 'idle' });
  });

  it('handles each assignment and answer only once', () => {
    const scenario = born().when(assign('t1'));
    expect(scenario.when(assign('t1')).types).toEqual([]);
    scenario.when(submit('t1'));
    expect(scenario.when(submit('t1')).types).toEqual([]);
    expect(scenario.when(assign('t1')).types).toEqual([]);
  });

  it('takes no task whose time is over, also when its memory of it is gone', () => {
    const scenario = born().when(assign('t1')).when(submit('t1'));
    expect(scenario.when(assign('late', DUE), { at: DUE }).types).toEqual([]);
    expect(contextOf(scenario).closed).toEqual({ t1: { dueAt: DUE, computeMs: 10 } });
    scenario.when(assign('t2', later(9000)), { at: DUE });
    expect(Object.keys(contextOf(scenario).closed)).toEqual(['t1']);
    scenario.when(assign('t3', later(9000)), { at: later(1001) });
    expect(contextOf(scenario).closed).toEqual({});
    expect(scenario.when(assign('t1'), { at: later(2001) }).types).toEqual([]);
  });

  it('remembers what it refused as long, and nothing longer', () => {
    const scenario = born()
      .when(assign('t1'))
      .when(CULL)
      .when(assign('t2'))
      .when(assign('t3', later(5000)));
    const none = { computeMs: 0 };
    expect(contextOf(scenario).closed).toEqual({
      t2: { dueAt: DUE, ...none },
      t3: { dueAt: later(5000), ...none },
    });
    scenario.when(assign('t4', later(6000)), { at: later(1001) });
    expect(Object.keys(contextOf(scenario).closed)).toEqual(['t3', 't4']);
  });

  it('listens to nobody but its own device, and to that about answers only', () => {
    const scenario = born().when(assign('t1'));
    const refused = () => scenario.when(submit('t1'), { device: 'stranger' });
    expect(refused).toThrow(CommandRefusedError);
    expect(refused).toThrow(
      'The device "stranger" may only submit answers of Nodes that live on it; n1 lives on "laptop".',
    );
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
    for (const task of all('t1')) scenario.when(assign(task));
    expect(scenario.types).toEqual(['TaskAccepted']);
    expect(scenario.when(assign('one-more')).types).toEqual(['TaskRefused']);
    scenario.when(submit('t1'));
    expect(scenario.when(assign('one-more')).types).toEqual([]);
  });

  it('records its performance on a task once', () => {
    const scenario = born().when(performance);
    expect(scenario.events).toEqual([
      { type: 'PerformanceRecorded', data: { ...performance.data, computeMs: null, at: START } },
    ]);
    expect(scenario.effects).toEqual([]);
    expect(scenario.when(performance).types).toEqual([]);
    scenario.when(assign('t2', later(60_000)), { at: later(30_000) });
    expect(scenario.when(performance, { at: later(40_000) }).types).toEqual([]);
  });

  it('does nothing before it is born', () => {
    const scenario = unborn();
    for (const command of [assign('t1'), CULL, MOVE]) {
      expect(() => scenario.when(command)).toThrow(CommandRefusedError);
      expect(() => scenario.when(command)).toThrow('There is no Node "n1".');
    }
    expect(scenario.when(submit('t1')).types).toEqual([]);
    expect(scenario.when(performance).types).toEqual([]);
    expect(scenario.when({ type: 'PassDeadline', data: { taskId: 't1' } }).types).toEqual([]);
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
  const retirement = sends('generation/maths-1', 'ConfirmRetirement', { node: 'n1' });
  const saga = { kind: 'generation', id: 'maths-1' };

  it('comes at once where it has nothing in hand', () => {
    const scenario = born().when(CULL);
    expect(scenario.events).toEqual([
      { type: 'NodeCulled', data: { ...CULL.data, inHand: 0, at: START } },
      { type: 'NodeRetired', data: { node: 'n1', saga, at: START } },
    ]);
    expect(scenario.effects).toEqual([
      sends('cluster/maths', 'DismissNode', { node: 'n1', reason: 'culled' }),
      retirement,
    ]);
  });

  it('comes after the work in hand, and new work is handed back', () => {
    const scenario = born().when(assign('t1')).when(assign('t2')).when(CULL);
    expect(scenario.types).toEqual(['NodeCulled']);
    expect(scenario.events[0]).toMatchObject({ data: { inHand: 2 } });
    expect(regions(scenario)).toMatchObject({ life: 'leaving' });
    scenario.when(assign('t3'));
    expect(scenario.types).toEqual(['TaskRefused']);
    expect(scenario.sent).toEqual(['cluster/maths LoseVote']);
    scenario.when(submit('t1'), { device: 'laptop' });
    expect(scenario.types).toEqual(['ModelAnswered', 'ModelAnswered', 'VoteCast']);
    scenario.when({ type: 'PassDeadline', data: { taskId: 't2' } }, { at: later(1000) });
    expect(scenario.types).toEqual(['TaskFailed', 'NodeRetired']);
    expect(scenario.events[1]).toEqual({ type: 'NodeRetired', data: { node: 'n1', saga, at: later(1000) } });
    expect(scenario.snapshot.value).toBe('retired');
  });

  it('does not stop a judgement from arriving, and is reported again to a saga that missed it', () => {
    const scenario = born().when(assign('t1')).when(submit('t1'), { device: 'laptop' }).when(CULL);
    expect(scenario.when(performance).types).toEqual(['PerformanceRecorded']);
    expect(contextOf(scenario)).toMatchObject({ judgements: 1, successes: 1 });
    scenario.when(CULL);
    expect(scenario.events).toEqual([
      { type: 'LifeAffirmed', data: { node: 'n1', what: 'retirement', saga, at: START } },
    ]);
    expect(scenario.effects).toEqual([retirement]);
    expect(scenario.when(assign('t4')).types).toEqual(['TaskRefused']);
    expect(Object.keys(contextOf(scenario).closed)).toContain('t4');
  });

  it('comes once', () => {
    expect(born().when(assign('t1')).when(CULL).when(CULL).types).toEqual([]);
  });

  it('is not that of a Node that moves: it keeps its work', () => {
    const scenario = born().when(assign('t1')).when(MOVE);
    expect(scenario.events).toEqual([{ type: 'NodeMoved', data: { ...MOVE.data, at: START } }]);
    expect(scenario.effects).toEqual([
      sends('cluster/maths', 'DismissNode', { node: 'n1', reason: 'moved' }),
      sends('cluster/other', 'AdmitNode', MEMBER),
    ]);
    expect(scenario.when(MOVE).types).toEqual([]);
    scenario.when(submit('t1'), { device: 'laptop' });
    expect(scenario.sent).toEqual(['cluster/maths CountVote']);
  });

  it.each([
    ['that was culled', CULL, MOVE],
    [
      'to where it is already',
      assign('t2'),
      { type: 'MoveNode', data: { from: 'maths', to: 'maths', cause: 'merge' } },
    ],
    [
      'from where it is not',
      assign('t2'),
      { type: 'MoveNode', data: { from: 'elsewhere', to: 'other', cause: 'merge' } },
    ],
  ] as const)('comes where it is: a Node does not move %s', (_which, before, move) => {
    expect(born().when(assign('t1')).when(before).when(move).types).toEqual([]);
  });

  it('is not told to a Cluster with what it has done since', () => {
    const scenario = born();
    for (let index = 0; index < 4; index += 1) scenario.when(judged(`t${index}`));
    scenario.when(assign('last')).when(CULL).when(judged('t4'));
    expect([scenario.types, scenario.effects]).toEqual([['PerformanceRecorded'], []]);
  });
});

describe('what a Node has done', () => {
  it('is reported to its Cluster at every fifth judgement', () => {
    const scenario = born();
    const sent = Array.from({ length: 10 }, (_, index) => {
      scenario.when(judged(`t${index}`, index !== 7));
      return scenario.effects;
    });
    expect(sent.flat()).toEqual([
      sends('cluster/maths', 'ReportPerformance', { node: 'n1', successes: 5 }),
      sends('cluster/maths', 'ReportPerformance', { node: 'n1', successes: 9 }),
    ]);
    expect(sent.flatMap((effects, index) => effects.map(() => index))).toEqual([4, 9]);
  });

  it('is on record with what its models took, as long as the Node knows it', () => {
    const one = said('4');
    for (const [answers, computeMs] of [
      [[one, { ...one, durationMs: 7 }], 12],
      [[null, one], 5],
      [[one, null], 5],
      [[null, null], 0],
    ] as const) {
      const scenario = born()
        .when(assign('t1'))
        .when(submit('t1', [...answers]));
      expect(scenario.when(performance).events).toMatchObject([{ data: { computeMs } }]);
    }
    expect(born().when(performance).events).toMatchObject([{ data: { computeMs: null } }]);
    // The task of another attempt under the same id is not over yet.
    expect(born().when(assign('t1')).when(performance).events).toMatchObject([{ data: { computeMs: null } }]);
  });

  it('is known to it for the judgements that may still be on their way', () => {
    const scenario = born();
    for (let index = 0; index < 520; index += 1) scenario.when(judged(`t${index}`));
    expect(contextOf(scenario).judged.length).toBeLessThanOrEqual(512);
    expect(scenario.when(judged('t264')).types).toEqual([]);
    expect(contextOf(scenario)).toMatchObject({ judgements: 520, successes: 520 });
  });
});
