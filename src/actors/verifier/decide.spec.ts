import { describe, expect, it } from 'vitest';
import { later } from '../../../test/support/decider.ts';
import { networkView, nodeView } from '../../../test/support/views.ts';
import type { VerdictReached } from '../../events/query.ts';
import type { Contribution, ResourceAnswer } from '../../events/values.ts';
import { decide, type JudgeAnswer } from './decide.ts';

const trust = (valid: number, total: number) => ({ recent: '', valid, total, streak: 0 });

const VIEW = networkView([
  nodeView('n1', { trust: trust(15, 20), uptime: 0.5 }),
  nodeView('n2', { trust: trust(15, 19) }),
]);

function contribution(node: string, answer: string, more: Partial<Contribution> = {}): Contribution {
  const [device, owner, taskId] = ['laptop', `owner-${node}`, `t-${node}`];
  return { node, device, owner, taskId, answer, kind: 'name', confidence: 0.7, responseMs: 30, ...more };
}

/** Answers of as many Nodes as asked for; `agreement` of them support it. */
function given(answer: string, more: Partial<ResourceAnswer> = {}, nodes = 1): ResourceAnswer {
  const contributions = ['n1', 'n2', 'n3'].slice(0, nodes).map((node) => contribution(node, answer));
  return { answer, kind: 'name', confidence: 0.9, agreement: 1, contributions, ...more };
}

const SUM = { prompt: 'What is 2 + 2?', taskType: 'math.arithmetic' };
const CAPITAL = { prompt: 'What is the capital of Japan?', taskType: 'knowledge.capital' };
const COMPARISON = { prompt: 'Is Anna taller than Bob?', taskType: 'logic.comparison' };
const SENTENCE = { prompt: 'Write a sentence about a cat.', taskType: 'creative.sentence' };
const HIGH = { stakes: 'high' } as const;
const LAST = { mayRecompute: false };

function verdictOn(result: ResourceAnswer, change: Partial<JudgeAnswer> = {}): VerdictReached {
  const command: JudgeAnswer = {
    subtaskId: 'a',
    attempt: 2,
    ...CAPITAL,
    stakes: 'normal',
    dispatchedAt: later(0),
    resource: { kind: 'node', id: 'n1' },
    result,
    mayRecompute: true,
    ...change,
  };
  const about = { at: later(50), device: null, reads: VIEW, id: () => 'id', draw: () => 0 };
  const [event, ...others] = decide(command, about);
  expect(others).toEqual([]);
  return event?.type === 'VerdictReached' ? event.data : expect.fail('there is no verdict');
}

describe('the verdict on an answer', () => {
  it.each<
    [string, Partial<JudgeAnswer>, ResourceAnswer, [VerdictReached['outcome'], number, boolean | null]]
  >([
    // computation
    ['is confirmed by computation', SUM, given('4', { confidence: 0.1 }), ['accepted', 0.99, true]],
    ['is confirmed, and surer than that', SUM, given('4', { confidence: 0.995 }), ['accepted', 0.995, true]],
    ['is refuted by computation', SUM, given('5'), ['recompute', 0, false]],
    ['is refuted at last', { ...SUM, ...LAST }, given('5'), ['abandoned', 0, false]],
    // a majority
    [
      'is confirmed for a minority',
      SUM,
      given('4', { confidence: 0.2, agreement: 0.3 }, 3),
      ['accepted', 0.99, true],
    ],
    [
      'is confirmed for a minority at high stakes',
      { ...SUM, ...HIGH },
      given('4', { agreement: 0.3 }, 3),
      ['recompute', 0.99, true],
    ],
    [
      'is confirmed for an unsure majority at high stakes',
      { ...SUM, ...HIGH },
      given('4', { confidence: 0.2 }, 3),
      ['accepted', 0.99, true],
    ],
    ['has a majority', {}, given('Tokyo', { agreement: 0.6 }, 3), ['accepted', 0.9, true]],
    ['has half of the votes', {}, given('Tokyo', { agreement: 0.5 }, 3), ['accepted', 0.9, null]],
    [
      'has too few votes and confidence',
      LAST,
      given('Tokyo', { agreement: 0.5, confidence: 0.4 }, 3),
      ['abandoned', 0.4, null],
    ],
    ['is of two Nodes', {}, given('Tokyo', {}, 2), ['accepted', 0.9, null]],
    ['is of one Node at high stakes', HIGH, given('Tokyo'), ['recompute', 0.9, null]],
    ['is one of many right ones', SENTENCE, given('The cat sleeps.', {}, 3), ['accepted', 0.9, null]],
    // confidence
    ['is just sure enough', {}, given('Tokyo', { confidence: 0.5 }), ['accepted', 0.5, null]],
    ['is not sure enough', {}, given('Tokyo', { confidence: 0.49 }), ['recompute', 0.49, null]],
    ['is sure enough at last', LAST, given('Tokyo', { confidence: 0.3 }), ['accepted', 0.3, null]],
    ['is too unsure at last', LAST, given('Tokyo', { confidence: 0.29 }), ['abandoned', 0.29, null]],
    ['is agreed and too unsure', LAST, given('Tokyo', { confidence: 0.29 }, 3), ['abandoned', 0.29, false]],
    ['is sure enough for high stakes', HIGH, given('Tokyo', { confidence: 0.8 }, 3), ['accepted', 0.8, true]],
    [
      'is too unsure for high stakes',
      HIGH,
      given('Tokyo', { confidence: 0.79 }, 3),
      ['recompute', 0.79, false],
    ],
    // form, and no answer
    [
      'is confirmed and has the wrong form',
      { ...SUM, taskType: COMPARISON.taskType },
      given('4'),
      ['recompute', 0.99, true],
    ],
    ['has the wrong form', { ...COMPARISON, ...LAST }, given('7'), ['abandoned', 0.9, null]],
    ['is an abstention', {}, given("I don't know", { kind: 'none' }), ['recompute', 0, false]],
    ['is an abstention at last', LAST, given("I don't know", { kind: 'none' }), ['abandoned', 0, false]],
    ['is the abstention of many', {}, given("I don't know", { kind: 'none' }, 3), ['recompute', 0, false]],
    ['is right but no answer', SUM, given('4', { kind: 'none' }), ['recompute', 0, false]],
  ])('that %s', (_what, change, result, expected) => {
    const { outcome, confidence, correct } = verdictOn(result, change);
    expect([outcome, confidence, correct]).toEqual(expected);
  });

  it('says what was judged, from when to when, and by which rows', () => {
    expect(verdictOn(given('Tokyo'))).toMatchObject({
      subtaskId: 'a',
      attempt: 2,
      resource: { kind: 'node', id: 'n1' },
      taskType: 'knowledge.capital',
      level: 'node',
      responseMs: 50,
      readPosition: 7,
      at: later(50),
    });
    expect(verdictOn(given('Tokyo'), { resource: { kind: 'cluster', id: 'c1' } }).level).toBe('cluster');
    expect(verdictOn(given('Tokyo'), { dispatchedAt: later(60) }).responseMs).toBe(0);
  });

  it('contains all checks; an abstention is judged by one', () => {
    expect(verdictOn(given('Tokyo')).checks.map(({ check }) => check)).toEqual([
      'redundancy',
      'arithmetic',
      'quality-gate',
      'format',
    ]);
    expect(verdictOn(given("I don't know", { kind: 'none' })).checks).toEqual([
      { check: 'quality-gate', verdict: 'fail', reason: 'The answer is "I don\'t know".' },
    ]);
  });
});

describe('the judgement on each Node', () => {
  const judged = (contributions: readonly Contribution[], change: Partial<JudgeAnswer> = {}) =>
    verdictOn(
      { ...given(change.taskType === SUM.taskType ? '4' : 'Tokyo'), contributions: [...contributions] },
      change,
    ).judgements.map(({ node, correct, basis }) => [node, correct, basis]);

  it('has what its record and its pay depend on', () => {
    const [known, fresh, unknown] = verdictOn(given('Tokyo', {}, 3)).judgements;
    expect(known).toEqual({
      node: 'n1',
      owner: 'owner-n1',
      taskId: 't-n1',
      taskType: 'knowledge.capital',
      answerKind: 'name',
      responseMs: 30,
      confidence: 0.7,
      correct: true,
      basis: 'consensus',
      accuracy: 0.75,
      uptime: 0.5,
    });
    expect([fresh?.accuracy, unknown?.accuracy, unknown?.uptime]).toEqual([null, null, 0]);
  });

  it('is by computation where that is possible', () => {
    const ballots = [
      contribution('n1', '4'),
      contribution('n2', '5'),
      contribution('n3', '4', { kind: 'none' }),
    ];
    expect(judged(ballots, SUM)).toEqual([
      ['n1', true, 'computed'],
      ['n2', false, 'computed'],
      ['n3', false, 'computed'],
    ]);
  });

  it('is by an accepted majority elsewhere', () => {
    const ballots = [
      contribution('n1', 'The capital is Tokyo.'),
      contribution('n2', 'Nara'),
      contribution('n3', 'Tokyo', { kind: 'none' }),
    ];
    expect(judged(ballots)).toEqual([
      ['n1', true, 'consensus'],
      ['n2', false, 'consensus'],
      ['n3', false, 'consensus'],
    ]);
    const nobody = ['n1', 'n2', 'n3'].map((node) => [node, null, null]);
    expect(judged(ballots, { taskType: 'logic.comparison' })).toEqual(nobody);
    expect(judged(ballots.slice(0, 2))).toEqual(nobody.slice(0, 2));
  });
});
