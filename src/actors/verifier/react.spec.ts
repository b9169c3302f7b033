import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../events/query.ts';
import type { Effect } from '../actor.ts';
import { react } from './react.ts';

const JUDGEMENT: Judgement = {
  node: 'n1',
  owner: 'owner',
  taskId: 't1',
  taskType: 'math.arithmetic',
  answerKind: 'number',
  responseMs: 20,
  confidence: 0.99,
  correct: true,
  basis: 'computed',
  accuracy: null,
  uptime: 1,
};

function follows(change: Partial<Judgement>): readonly object[] {
  const effects: readonly Effect[] = react('q1', 'simple', [{ ...JUDGEMENT, ...change }]);
  return effects.map((effect) => (effect.kind === 'command' ? effect.command : effect));
}

describe('what follows from a judgement', () => {
  it('is a record and full pay for a right answer', () => {
    expect(follows({})).toMatchObject([
      { type: 'RecordPerformance', data: { taskId: 't1', correct: true } },
      { type: 'EarnCredits', data: { transferId: 't1', correctness: 1 } },
    ]);
  });

  it('is a record and a penalty for one that computation has shown wrong', () => {
    expect(follows({ correct: false })).toMatchObject([
      { type: 'RecordPerformance', data: { correct: false } },
      { type: 'PenaliseCredits', data: { transferId: 't1' } },
    ]);
  });

  it('is a record alone for a minority, and for an abstention', () => {
    expect(follows({ correct: false, basis: 'consensus' })).toMatchObject([{ type: 'RecordPerformance' }]);
    expect(follows({ correct: false, answerKind: 'none' })).toMatchObject([{ type: 'RecordPerformance' }]);
    expect(follows({ correct: null, basis: null, answerKind: 'none' })).toEqual([]);
  });

  it('is no record without a judgement and its basis', () => {
    expect(follows({ correct: null, answerKind: 'none' })).toEqual([]);
    expect(follows({ basis: null, answerKind: 'none' })).toEqual([]);
  });

  it('pays by the Node’s record if nobody can judge the answer, whatever a Node claims to be sure of', () => {
    const unjudged = { correct: null, basis: null };
    expect(follows(unjudged)).toMatchObject([{ type: 'EarnCredits', data: { correctness: 0.5 } }]);
    expect(follows({ ...unjudged, accuracy: 0.8 })).toMatchObject([{ data: { correctness: 0.8 } }]);
    expect(follows({ ...unjudged, accuracy: 0.8, confidence: 0.3 })).toMatchObject([
      { data: { correctness: 0.3 } },
    ]);
  });
});
