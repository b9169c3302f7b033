import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { later, Scenario, START } from '../../../test/support/decider.ts';
import { networkView, nodeView } from '../../../test/support/views.ts';
import type { Effect } from '../../actors/actor.ts';
import type { QueryCommand, QueryEvent } from '../../events/query.ts';
import { QUERY_ENDINGS } from '../../events/query.ts';
import type { Contribution, ResourceAnswer } from '../../events/values.ts';
import { deadlines } from '../../projections/deadlines.ts';
import type { Recorded } from '../../projections/projection.ts';
import { MemoryModel } from '../../replay/memory-model.ts';
import { query } from './index.ts';
import type { QueryContext, SubtaskState } from './machine.ts';

type Subject = Scenario<QueryCommand, QueryEvent>;

const VIEW = networkView(['n1', 'n2', 'n3'].map((id) => nodeView(id)));
const RESERVED = 500_000;
const SIMPLE = 'What is 2 + 2?';
const CAPITAL = 'What is the capital of Japan?';
const COMPLEX = 'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.';
const CHAIN = 'What is 15 × 23? Multiply the result by 2.';

function ask(
  question: string,
  change: { reservationId?: string; replyTo?: string | null; stakes?: 'normal' | 'high' } = {},
): QueryCommand {
  const data = {
    queryId: 'q1',
    question,
    stakes: 'normal' as const,
    replyTo: '_INBOX.1',
    dueAt: later(10_000),
    account: 'asker',
    reservationId: 'r1',
    reserved: RESERVED,
    ...change,
  };
  return { type: 'AskQuestion', data };
}

function asked(question: string, change: Parameters<typeof ask>[1] = {}): Subject {
  const scenario = new Scenario<QueryCommand, QueryEvent>(query, 'q1', { reads: VIEW });
  return scenario.when(ask(question, change));
}

function contextOf(scenario: Subject): QueryContext {
  return scenario.context as QueryContext;
}

function subtask(scenario: Subject, key = 's1'): SubtaskState {
  const found = Object.values(contextOf(scenario).subtasks).find((one) => one.key === key);
  return found ?? expect.fail(`there is no subtask ${key}`);
}

function contribution(node: string, answer: string, confidence = 0.9): Contribution {
  const kind = answer === '' ? 'none' : /^\d+$/.test(answer) ? 'number' : 'name';
  return {
    node,
    device: 'laptop',
    owner: `owner-${node}`,
    taskId: `t-${node}`,
    answer,
    kind,
    confidence,
    responseMs: 30,
  };
}

function result(answer: string, confidence = 0.9, nodes = ['n1'], agreement = 1): ResourceAnswer {
  const contributions = nodes.map((node) => contribution(node, answer, confidence));
  const kind = contributions[0]?.kind ?? 'none';
  return { answer, kind, confidence, agreement, contributions };
}

function answer(
  scenario: Subject,
  given: ResourceAnswer,
  { key = 's1', cluster = false, attempt = subtask(scenario, key).attempt } = {},
): QueryCommand {
  const { subtaskId } = subtask(scenario, key);
  const resource = cluster ? { kind: 'cluster' as const, id: 'maths' } : { kind: 'node' as const, id: 'n1' };
  return { type: 'RecordAnswer', data: { subtaskId, attempt, resource, result: given } };
}

function failure(scenario: Subject, nobody: boolean, best: ResourceAnswer | null = null): QueryCommand {
  const { subtaskId, attempt } = subtask(scenario);
  const resource = nobody ? null : { kind: 'cluster' as const, id: 'maths' };
  const reason = nobody ? 'No Node is there to take the task.' : 'The votes stayed apart.';
  return { type: 'RecordFailure', data: { subtaskId, attempt, resource, reason, best } };
}

function passAttempt(scenario: Subject, key = 's1'): QueryCommand {
  const { subtaskId, attempt, dueAt } = subtask(scenario, key);
  return { type: 'PassDeadline', data: { subtaskId, attempt, dueAt } };
}

const PASS: QueryCommand = {
  type: 'PassDeadline',
  data: { subtaskId: null, attempt: 0, dueAt: later(10_000) },
};

const CONFIRM: QueryCommand = { type: 'ConfirmEnding', data: { reservationId: 'r1', account: 'asker' } };

function commandTo(effects: readonly Effect[], type: string): readonly object[] {
  return effects.flatMap((effect) =>
    effect.kind === 'command' && effect.command.type === type ? [effect.command.data] : [],
  );
}

function repliesIn(effects: readonly Effect[]): readonly object[] {
  return effects.flatMap((effect) => (effect.kind === 'reply' ? [effect.body] : []));
}

describe('a query', () => {
  it('is analysed, planned and dispatched in the step that asks it', () => {
    const scenario = asked(SIMPLE);
    expect(scenario.types).toEqual(['QueryAsked', 'QueryAnalysed', 'QueryPlanned', 'SubtaskDispatched']);
    expect(scenario.sent).toEqual(['superCluster/main RouteSubtask']);
    expect(commandTo(scenario.effects, 'RouteSubtask')).toMatchObject([{ nodes: 1, checkable: true }]);
    expect(scenario.effects.filter((effect) => effect.kind === 'timer')).toHaveLength(2);
    expect(scenario.when(ask(SIMPLE)).types).toEqual([]);
  });

  it('ends with a good answer: reply first, then the books, the Nodes, and routing', () => {
    const scenario = asked(SIMPLE);
    scenario.when(answer(scenario, result('4')), { at: later(50) });
    expect(scenario.types).toEqual([
      'SubtaskAnswered',
      'VerdictReached',
      'AnswerSynthesised',
      'AnswerValidated',
      'QueryAnswered',
    ]);
    expect(scenario.effects[0]).toMatchObject({ kind: 'reply', body: { outcome: 'answered', answer: '4' } });
    expect(scenario.sent).toEqual([
      'account/asker SettleCredits',
      'node/n1 RecordPerformance',
      'account/owner-n1 EarnCredits',
      'superCluster/main SettleSubtask',
    ]);
    expect(commandTo(scenario.effects, 'SettleCredits')).toMatchObject([
      { transferId: 'r1', spent: RESERVED },
    ]);
  });

  it('lets a Cluster try again what computation has shown wrong, and penalises the Node', () => {
    const scenario = asked(SIMPLE);
    scenario.when(answer(scenario, result('5')), { at: later(50) });
    expect(scenario.types).toEqual(['SubtaskAnswered', 'VerdictReached', 'SubtaskDispatched']);
    expect(scenario.events.at(-1)?.data).toMatchObject({
      attempt: 2,
      prefer: 'cluster',
      nodes: 3,
      exclude: [{ kind: 'node', id: 'n1' }],
    });
    scenario.when(answer(scenario, result('4', 0.9, ['n2', 'n3', 'n4']), { cluster: true }));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
    expect(commandTo(scenario.effects, 'PenaliseCredits')).toMatchObject([{ node: 'n1' }]);
    expect(commandTo(scenario.effects, 'EarnCredits')).toHaveLength(3);
  });

  it('gives up after three attempts and says "I don\'t know", for nothing', () => {
    const scenario = asked(SIMPLE);
    for (const wrong of ['5', '6', '7']) scenario.when(answer(scenario, result(wrong)));
    expect(scenario.types.at(-1)).toBe('QueryDeclined');
    expect(repliesIn(scenario.effects)).toMatchObject([{ outcome: 'unknown', credits: 0 }]);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r1' }]);
    expect(commandTo(scenario.effects, 'SettleCredits')).toEqual([]);
  });

  it('listens to the attempt that it waits for only', () => {
    const scenario = asked(SIMPLE);
    scenario.when(answer(scenario, result('5')));
    expect(scenario.when(answer(scenario, result('4'), { attempt: 1 })).types).toEqual([]);
    expect(scenario.when(answer(scenario, result('4'), { attempt: 3 })).types).toEqual([]);
  });

  it('waits while nobody is there, without using up attempts, and says at last what was missing', () => {
    const scenario = asked(SIMPLE);
    let now = 0;
    for (let wait = 0; wait < 5; wait += 1) {
      scenario.when(failure(scenario, true), { at: later(now) });
      expect(scenario.events).toMatchObject([{ type: 'SubtaskFailed', data: { next: 'wait' } }]);
      expect(scenario.effects).toMatchObject([{ kind: 'timer', dueAt: subtask(scenario).dueAt }]);
      now += 1000;
      scenario.when(passAttempt(scenario), { at: later(now) });
      expect(scenario.types).toEqual(['SubtaskDispatched']);
    }
    expect(subtask(scenario)).toMatchObject({ tries: 0, attempt: 6, nodes: 1, prefer: 'node' });
    scenario.when(failure(scenario, true), { at: later(9900) });
    expect(scenario.types.at(-1)).toBe('QueryDeclined');
    expect(repliesIn(scenario.effects)).toMatchObject([
      { reason: expect.stringContaining('No Node is there') },
    ]);
  });

  it('waits before its last attempt too', () => {
    const scenario = asked(SIMPLE);
    scenario.when(answer(scenario, result('5'))).when(answer(scenario, result('6')));
    scenario.when(failure(scenario, true));
    expect(scenario.events).toMatchObject([{ type: 'SubtaskFailed', data: { next: 'wait' } }]);
    scenario.when(passAttempt(scenario), { at: later(2000) }).when(answer(scenario, result('4')));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
  });

  it('starts the next attempt when one passes its deadline in silence', () => {
    const scenario = asked(SIMPLE);
    const pass = passAttempt(scenario);
    expect(scenario.when(pass, { at: later(4999) }).types).toEqual([]);
    expect(scenario.when(pass, { at: later(5000) }).types).toEqual(['SubtaskFailed', 'SubtaskDispatched']);
    expect(scenario.when(pass, { at: later(5001) }).types).toEqual([]);
  });

  it('judges an answer without agreement by computation', () => {
    const scenario = asked(SIMPLE);
    const apart = {
      ...result('4', 0.4, ['n1'], 0.34),
      contributions: [contribution('n1', '4'), contribution('n2', '5'), contribution('n3', '6')],
    };
    scenario.when(failure(scenario, false, apart));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
    expect(commandTo(scenario.effects, 'EarnCredits')).toMatchObject([{ node: 'n1' }]);
    expect(commandTo(scenario.effects, 'PenaliseCredits')).toMatchObject([{ node: 'n2' }, { node: 'n3' }]);
  });

  it('judges nobody by an agreement that is none', () => {
    const scenario = asked(CAPITAL);
    const apart = {
      ...result('Tokyo', 0.6, ['n1'], 0.34),
      contributions: [contribution('n1', 'Tokyo'), contribution('n2', 'Kyoto'), contribution('n3', 'Nara')],
    };
    scenario.when(failure(scenario, false, apart));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
    expect(commandTo(scenario.effects, 'RecordPerformance')).toEqual([]);
    expect(repliesIn(scenario.effects)).toMatchObject([{ answer: 'Tokyo', confidence: 0.6 }]);
  });

  it('judges by a majority of at least three', () => {
    const scenario = asked(CAPITAL);
    const most = {
      ...result('Tokyo', 0.9, ['n1'], 2 / 3),
      contributions: [contribution('n1', 'Tokyo'), contribution('n2', 'Tokyo'), contribution('n3', 'Nara')],
    };
    scenario.when(answer(scenario, most, { cluster: true }));
    const judged = commandTo(scenario.effects, 'RecordPerformance');
    expect(judged).toMatchObject([{ correct: true }, { correct: true }, { correct: false }]);
    expect(commandTo(scenario.effects, 'PenaliseCredits')).toEqual([]);
  });

  it('holds another wording against no Node where there is no single right answer', () => {
    const scenario = asked('Write a sentence about a cat.');
    const text = (node: string, words: string): Contribution => ({
      ...contribution(node, words),
      kind: 'text',
    });
    const three = {
      ...result('The cat sleeps.', 0.8, ['n1'], 0.67),
      kind: 'text' as const,
      contributions: [
        text('n1', 'The cat sleeps.'),
        text('n2', 'A cat is a fine animal.'),
        text('n3', 'My cat likes the sun.'),
      ],
    };
    scenario.when(answer(scenario, three, { cluster: true }));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
    expect(commandTo(scenario.effects, 'RecordPerformance')).toEqual([]);
    expect(commandTo(scenario.effects, 'EarnCredits')).toHaveLength(3);
  });

  it('asks three Nodes for medium work and five where stakes are high', () => {
    const medium = asked('Is 17 greater than 12?');
    expect(commandTo(medium.effects, 'RouteSubtask')).toMatchObject([{ nodes: 3, prefer: 'cluster' }]);
    const high = asked(SIMPLE, { stakes: 'high' });
    expect(commandTo(high.effects, 'RouteSubtask')).toMatchObject([
      { nodes: 5, prefer: 'mixed', stakes: 'high' },
    ]);
    const { complexity } = contextOf(high);
    expect(complexity).toBe('medium');
  });

  it("does not take one Node's word when stakes are high", () => {
    const scenario = asked(SIMPLE, { stakes: 'high' });
    for (let attempt = 0; attempt < 3; attempt += 1) scenario.when(answer(scenario, result('4')));
    expect(scenario.types.at(-1)).toBe('QueryDeclined');
  });

  it('works on independent parts side by side and puts them together in their order', () => {
    const scenario = asked(COMPLEX);
    expect(commandTo(scenario.effects, 'RouteSubtask')).toHaveLength(3);
    scenario.when(answer(scenario, result('The cat sleeps.', 0.8), { key: 's3' }));
    scenario.when(answer(scenario, result('Tokyo', 0.9), { key: 's2' }));
    expect(scenario.types).toEqual(['SubtaskAnswered', 'VerdictReached']);
    scenario.when(answer(scenario, result('345'), { key: 's1' }));
    const [{ answer: text } = { answer: '' }] = repliesIn(scenario.effects) as { answer: string }[];
    expect(text.indexOf('345')).toBeGreaterThan(-1);
    expect(text.indexOf('Tokyo')).toBeGreaterThan(text.indexOf('345'));
    expect(text.indexOf('sleeps')).toBeGreaterThan(text.indexOf('Tokyo'));
  });

  it('gives many parts of which each may be trusted, with the confidence of the whole', () => {
    const question =
      'What is the capital of Japan, what is the capital of France, what is the capital of Italy, and what is the capital of Spain?';
    const scenario = asked(question);
    const capitals = ['Tokyo', 'Paris', 'Rome', 'Madrid'];
    for (const [index, capital] of capitals.entries()) {
      scenario.when(answer(scenario, result(capital, 0.6), { key: `s${index + 1}` }));
    }
    expect(repliesIn(scenario.effects)).toMatchObject([
      { outcome: 'answered', confidence: expect.closeTo(0.6 ** 4, 6) },
    ]);
  });

  it('fills an answer into what depends on it', () => {
    const scenario = asked(CHAIN);
    expect(commandTo(scenario.effects, 'RouteSubtask')).toHaveLength(1);
    scenario.when(answer(scenario, result('345')));
    expect(commandTo(scenario.effects, 'RouteSubtask')).toMatchObject([{ prompt: 'What is 345 × 2?' }]);
    scenario.when(answer(scenario, result('690'), { key: 's2' }));
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
  });

  it('gives up what depends on something that nobody knew', () => {
    const scenario = asked(CHAIN);
    for (const wrong of ['5', '6', '7']) scenario.when(answer(scenario, result(wrong)));
    expect(scenario.types).toContain('QueryDeclined');
    expect(subtask(scenario, 's2')).toMatchObject({ status: 'abandoned', attempt: 0 });
  });

  it('charges for the parts that were answered, and gives them at the deadline', () => {
    const scenario = asked(COMPLEX);
    scenario.when(answer(scenario, result('345')));
    scenario.when(PASS, { at: later(10_000) });
    expect(scenario.types.at(-1)).toBe('QueryAnswered');
    const spent = Math.round(RESERVED / 3);
    expect(commandTo(scenario.effects, 'SettleCredits')).toMatchObject([{ spent }]);
  });

  it('expires when nothing has come, and charges nothing', () => {
    const scenario = asked(COMPLEX);
    expect(scenario.when(PASS, { at: later(9999) }).types).toEqual([]);
    scenario.when(PASS, { at: later(10_000) });
    expect(scenario.types).toEqual(['QueryExpired']);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toHaveLength(1);
    expect(commandTo(scenario.effects, 'SettleSubtask')).toHaveLength(3);
    expect(scenario.when(PASS, { at: later(20_000) }).types).toEqual([]);
    expect(scenario.when(answer(scenario, result('345'))).types).toEqual([]);
  });

  it('ends at any of its deadlines that is passed after its own', () => {
    const scenario = asked(SIMPLE);
    scenario.when(passAttempt(scenario), { at: later(12_000) });
    expect(scenario.types).toEqual(['QueryExpired']);
  });

  it('has no deadline to pass before it is asked', () => {
    const scenario = new Scenario<QueryCommand, QueryEvent>(query, 'q1', { reads: VIEW });
    expect(() => scenario.when(PASS)).toThrow('There is no query "q1"');
  });

  it('releases the reservation of a second asking once, before and after its end, and answers both', () => {
    const scenario = asked(SIMPLE);
    const second = ask(SIMPLE, { reservationId: 'r2', replyTo: '_INBOX.2' });
    scenario.when(second);
    expect(scenario.types).toEqual(['QueryAskedAgain']);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r2' }]);
    expect(scenario.when(second).types).toEqual([]);
    scenario.when(answer(scenario, result('4')));
    expect(repliesIn(scenario.effects)).toHaveLength(2);
    scenario.when(ask(SIMPLE, { reservationId: 'r3', replyTo: '_INBOX.3' }));
    expect(repliesIn(scenario.effects)).toMatchObject([{ answer: '4' }]);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r3' }]);
    expect(scenario.when(second).types).toEqual([]);
  });

  it('refuses another question under its id, and gives the credits back', () => {
    const scenario = asked(SIMPLE);
    scenario.when(ask(CHAIN, { reservationId: 'r2', replyTo: '_INBOX.2' }));
    expect(repliesIn(scenario.effects)).toMatchObject([{ queryId: 'q1', error: { code: 'conflict' } }]);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r2' }]);
    scenario.when(answer(scenario, result('4')));
    expect(repliesIn(scenario.effects)).toHaveLength(1);
  });

  it('says again what follows from its ending when an account has not heard of it', () => {
    const confirm = (reservationId: string): QueryCommand => ({
      type: 'ConfirmEnding',
      data: { reservationId, account: 'asker' },
    });
    const scenario = asked(SIMPLE);
    expect(scenario.when(confirm('r1')).types).toEqual([]);
    scenario.when(answer(scenario, result('4')));
    scenario.when(confirm('r1'));
    expect(commandTo(scenario.effects, 'SettleCredits')).toMatchObject([
      { transferId: 'r1', spent: RESERVED },
    ]);
    scenario.when(confirm('r2'));
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r2' }]);
  });

  it('forgoes a question that never arrived, and takes it no more under that reservation', () => {
    const scenario = new Scenario<QueryCommand, QueryEvent>(query, 'q1', { reads: VIEW });
    scenario.when({ type: 'ConfirmEnding', data: { reservationId: 'r1', account: 'asker' } });
    expect(scenario.types).toEqual(['QueryForgone']);
    expect(commandTo(scenario.effects, 'ReleaseCredits')).toMatchObject([{ transferId: 'r1' }]);
    expect(scenario.when(ask(SIMPLE)).types).toEqual([]);
    expect(scenario.when(ask(SIMPLE, { reservationId: 'r2' })).types).toContain('QueryAsked');
  });

  it('has one ending, one settlement and a clock for all that it waits for, whatever happens', () => {
    const step = fc.record({
      what: fc.constantFrom(
        'answer',
        'answer',
        'fail',
        'nobody',
        'attempt',
        'query',
        'again',
        'stale',
        'confirm',
        'wait',
      ),
      key: fc.constantFrom('s1', 's2', 's3'),
      text: fc.constantFrom('345', '4', '690', 'Tokyo', ''),
      confidence: fc.constantFrom(0.2, 0.6, 0.95),
      nodes: fc.constantFrom(1, 3),
      ms: fc.constantFrom(1, 300, 1000, 3000),
      copies: fc.constantFrom(1, 1, 2),
    });
    const questions = fc.constantFrom(SIMPLE, CAPITAL, COMPLEX, CHAIN);
    fc.assert(
      fc.property(questions, fc.array(step, { maxLength: 30 }), (question, steps) => {
        const scenario = asked(question);
        const effects = [...scenario.effects];
        let now = 0;
        const past: QueryCommand[] = [];
        const run = (command: QueryCommand) => {
          past.push(command);
          scenario.when(command, { at: later(now) });
          effects.push(...scenario.effects);
          expectClocks(scenario, effects);
        };
        for (const { what, key, text, confidence, nodes, ms, copies } of steps) {
          if (what === 'wait') now += ms;
          const target = Object.values(contextOf(scenario).subtasks).find((one) => one.key === key);
          if (!target || target.attempt === 0) continue;
          const names = ['n1', 'n2', 'n3'].slice(0, nodes);
          const given = result(text, confidence, names);
          const { subtaskId, attempt, dueAt } = target;
          for (let copy = 0; copy < copies; copy += 1) {
            if (what === 'answer') run(answer(scenario, given, { key, cluster: nodes > 1, attempt }));
            if (what === 'fail') run({ ...failure(scenario, false, copy ? given : null) });
            if (what === 'nobody') run(failure(scenario, true));
            if (what === 'attempt') run({ type: 'PassDeadline', data: { subtaskId, attempt, dueAt } });
            if (what === 'query') run(PASS);
            if (what === 'confirm') run(CONFIRM);
            if (what === 'again') run(ask(question, { reservationId: `r-${past.length % 3}` }));
            const stale = past[past.length >> 1];
            if (what === 'stale' && stale) run(stale);
          }
        }
        now += 20_000;
        run(PASS);
        const endings = scenario.history.filter(({ type }) =>
          (QUERY_ENDINGS as readonly string[]).includes(type),
        );
        expect(endings).toHaveLength(1);
        const books = [...commandTo(effects, 'SettleCredits'), ...commandTo(effects, 'ReleaseCredits')];
        const own = books.filter((entry) => 'transferId' in entry && entry.transferId === 'r1');
        const saidAgain = scenario.history.filter(({ type }) => type === 'EndingConfirmed').length;
        expect(own).toHaveLength(1 + saidAgain);
        expect(new Set(own.map((entry) => JSON.stringify(entry))).size).toBe(1);
        for (const entry of own) {
          if ('spent' in entry)
            expect(entry.spent).toSatisfy((spent: number) => spent >= 0 && spent <= RESERVED);
        }
        const again = scenario.history.filter((event) => event.type === 'QueryAskedAgain');
        expect(books).toHaveLength(own.length + again.length);
        expect(new Set(again.map((event) => event.data.reservationId)).size).toBe(again.length);
        expect(Object.values(contextOf(scenario).subtasks).every(({ tries }) => tries <= 3)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

/** Everything that is waited for has a time in the state, a timer among the effects, and a row in the projection. */
function expectClocks(scenario: Subject, effects: readonly Effect[]): void {
  const { subtasks, dueAt, ending } = contextOf(scenario);
  const model = new MemoryModel([deadlines]);
  for (const [revision, event] of scenario.history.entries()) {
    const place = { stream: 'query-q1', revision, position: revision, correlationId: 'q1' };
    model.apply({ ...event, ...place } as Recorded);
  }
  const row = model.rows(deadlines).get('query/q1');
  if (ending) {
    expect(row).toBeUndefined();
    return;
  }
  expect(dueAt > START).toBe(true);
  const open = Object.values(subtasks).filter(
    ({ status }) => status === 'dispatched' || status === 'postponed',
  );
  expect(open.length).toBeGreaterThan(0);
  expect(Object.keys(row?.waiting ?? {}).sort()).toEqual(
    ['query', ...open.map(({ subtaskId }) => subtaskId)].sort(),
  );
  for (const { subtaskId, attempt, dueAt: due } of open) {
    const data = { subtaskId, attempt, dueAt: due };
    expect(row?.waiting[subtaskId]).toEqual({ dueAt: due, command: { type: 'PassDeadline', data } });
    const timers = effects.filter((effect) => effect.kind === 'timer' && effect.dueAt === due);
    expect(timers).toContainEqual({ kind: 'timer', dueAt: due, command: { type: 'PassDeadline', data } });
  }
}
