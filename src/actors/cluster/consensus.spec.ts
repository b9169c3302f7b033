import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ballot } from './consensus.ts';
import { reachConsensus } from './consensus.ts';

function ballot(node: string, answer: string, trust: number, more: Partial<Ballot> = {}): Ballot {
  return { node, answer, kind: 'name', confidence: trust, trust, ...more };
}

const noTiebreak = { tiebreaksLeft: 0 };
const oneTiebreak = { tiebreaksLeft: 1 };

describe('reachConsensus', () => {
  it('follows the majority of equal Nodes', () => {
    const consensus = reachConsensus(
      [ballot('a', 'London', 0.7), ballot('b', 'Paris', 0.7), ballot('c', 'Paris', 0.7)],
      'knowledge.capital',
      oneTiebreak,
    );
    expect(consensus).toMatchObject({
      outcome: 'reached',
      answer: 'Paris',
      support: ['b', 'c'],
      dissent: ['a'],
      agreement: 2 / 3,
    });
  });

  it('follows one expert against two weak Nodes', () => {
    const consensus = reachConsensus(
      [ballot('expert', 'Canberra', 0.95), ballot('b', 'Sydney', 0.6), ballot('c', 'Sydney', 0.6)],
      'knowledge.capital',
      noTiebreak,
    );
    expect(consensus).toMatchObject({ answer: 'Canberra', support: ['expert'], dissent: ['b', 'c'] });
  });

  it('takes Nodes with the same models for little more than one of them', () => {
    const clones = ['a', 'b', 'c'].map((node) => ballot(node, 'Lyon', 0.7, { pair: 'x+y' }));
    const alone = reachConsensus(clones.slice(0, 1), 'knowledge.capital', noTiebreak);
    const together = reachConsensus(clones, 'knowledge.capital', noTiebreak);
    expect(together.confidence - alone.confidence).toBeLessThan(0.05);
    const two = [ballot('d', 'Paris', 0.7, { pair: 'p+q' }), ballot('e', 'Paris', 0.7, { pair: 'r+s' })];
    expect(reachConsensus([...clones, ...two], 'knowledge.capital', noTiebreak).answer).toBe('Paris');
  });

  it('counts answers of equal value as one', () => {
    const consensus = reachConsensus(
      [
        ballot('a', '1/2', 0.6, { kind: 'number' }),
        ballot('b', '0.5', 0.7, { kind: 'number' }),
        ballot('c', '2', 0.7, { kind: 'number' }),
      ],
      'math.arithmetic',
      oneTiebreak,
    );
    expect(consensus).toMatchObject({ outcome: 'reached', answer: '0.5', support: ['b', 'a'] });
  });

  it('never lets an answer without a unit join two with different units', () => {
    const consensus = reachConsensus(
      [
        ballot('a', '5 km', 0.7, { kind: 'number' }),
        ballot('b', '5', 0.6, { kind: 'number' }),
        ballot('c', '5 m', 0.5, { kind: 'number' }),
      ],
      'math.arithmetic',
      noTiebreak,
    );
    expect(consensus).toMatchObject({ answer: '5 km', support: ['a', 'b'], dissent: ['c'] });
  });

  it('asks for a tiebreak on "Paris" against "London", and says so when none is left', () => {
    const ballots = [ballot('a', 'Paris', 0.7), ballot('b', 'London', 0.7)];
    const open = reachConsensus(ballots, 'knowledge.capital', oneTiebreak);
    const last = reachConsensus(ballots, 'knowledge.capital', noTiebreak);
    expect(open.outcome).toBe('tiebreak');
    expect(last).toMatchObject({ outcome: 'unresolved', answer: open.answer, confidence: open.confidence });
    expect(last.answer).not.toBe('');
    expect(last.confidence).toBeLessThan(0.5);
  });

  it('is settled by the tiebreak Node', () => {
    const ballots = [ballot('a', 'Paris', 0.7), ballot('b', 'London', 0.7), ballot('c', 'Paris', 0.7)];
    expect(reachConsensus(ballots, 'knowledge.capital', noTiebreak)).toMatchObject({
      outcome: 'reached',
      answer: 'Paris',
    });
  });

  it('holds to the threshold that it is given', () => {
    const ballots = [ballot('a', 'Paris', 0.8)];
    expect(reachConsensus(ballots, 'knowledge.capital', { tiebreaksLeft: 1 }).outcome).toBe('reached');
    expect(reachConsensus(ballots, 'knowledge.capital', { tiebreaksLeft: 1, threshold: 0.9 }).outcome).toBe(
      'tiebreak',
    );
  });

  it('is less confident when a Node abstains, and gives the abstention no weight', () => {
    const two = [ballot('a', 'Paris', 0.8), ballot('b', 'Paris', 0.8)];
    const abstention = ballot('c', '', 0.95, { kind: 'none', confidence: 0 });
    const without = reachConsensus(two, 'knowledge.capital', noTiebreak);
    const withIt = reachConsensus([...two, abstention], 'knowledge.capital', noTiebreak);
    expect(withIt).toMatchObject({ answer: 'Paris', support: ['a', 'b'], dissent: [], agreement: 2 / 3 });
    expect(withIt.confidence).toBeLessThan(without.confidence);
  });

  it('answers nothing when every Node abstains or none voted', () => {
    const abstention = ballot('a', '', 0.9, { kind: 'none', confidence: 0 });
    for (const ballots of [[abstention, abstention], []]) {
      expect(reachConsensus(ballots, 'knowledge.capital', oneTiebreak)).toMatchObject({
        outcome: 'tiebreak',
        answer: '',
        confidence: 0,
        agreement: 0,
      });
      expect(reachConsensus(ballots, 'knowledge.capital', noTiebreak).outcome).toBe('unresolved');
    }
  });

  it('takes other wordings of an open-ended task for no dissent', () => {
    const sentence = (node: string, answer: string, confidence: number) =>
      ballot(node, answer, 0.6, { kind: 'text', confidence });
    const consensus = reachConsensus(
      [sentence('a', 'The cat sings.', 0.5), sentence('b', 'A cat waits.', 0.8)],
      'creative.sentence',
      oneTiebreak,
    );
    expect(consensus).toMatchObject({
      outcome: 'reached',
      answer: 'A cat waits.',
      support: ['b'],
      dissent: [],
    });
  });

  it('does not let a Node of bad record win by claiming to be sure', () => {
    const consensus = reachConsensus(
      [ballot('liar', 'Sydney', 0.2, { confidence: 0.99 }), ballot('honest', 'Canberra', 0.7)],
      'knowledge.capital',
      noTiebreak,
    );
    expect(consensus.answer).toBe('Canberra');
  });
});

describe('the weights', () => {
  const probability = fc.double({ min: 0.02, max: 0.98, noNaN: true });

  it('never answer worse than the best single Node would', () => {
    const choices = ['A', 'B', 'C', 'D'];
    fc.assert(
      fc.property(fc.array(probability, { minLength: 1, maxLength: 4 }), (trusts) => {
        // The right choice is A; every way in which these Nodes can vote, with its probability.
        let right = 0;
        for (let pattern = 0; pattern < choices.length ** trusts.length; pattern += 1) {
          let chance = 1;
          const ballots = trusts.map((trust, at) => {
            const choice = choices[Math.floor(pattern / choices.length ** at) % choices.length] ?? 'A';
            chance *= choice === 'A' ? trust : (1 - trust) / 3;
            return ballot(`node-${at}`, choice, trust, { kind: 'choice' });
          });
          if (reachConsensus(ballots, 'knowledge.law', noTiebreak).answer === 'A') right += chance;
        }
        expect(right).toBeGreaterThanOrEqual(Math.max(...trusts) - 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  const ballots = fc.array(
    fc.record({
      answer: fc.constantFrom('Paris', 'paris', 'London', 'Rome'),
      trust: probability,
      confidence: probability,
      kind: fc.constantFrom('name' as const, 'none' as const),
    }),
    { maxLength: 8 },
  );
  const named = ballots.map((list) => list.map((each, at) => ({ ...each, node: `node-${at}` })));

  it('do not depend on the order in which ballots arrive', () => {
    fc.assert(
      fc.property(
        named.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        ([list, shuffled]) => {
          const { confidence, ...rest } = reachConsensus(list, 'knowledge.capital', oneTiebreak);
          const { confidence: again, ...others } = reachConsensus(shuffled, 'knowledge.capital', oneTiebreak);
          expect(others).toEqual(rest);
          expect(again).toBeCloseTo(confidence, 12);
        },
      ),
    );
  });

  it('name every Node that answered exactly once, and report a probability', () => {
    fc.assert(
      fc.property(named, (list) => {
        const consensus = reachConsensus(list, 'knowledge.capital', oneTiebreak);
        const answered = list.filter((each) => each.kind !== 'none').map((each) => each.node);
        expect([...consensus.support, ...consensus.dissent].toSorted()).toEqual(answered.toSorted());
        expect(consensus.confidence).toBeGreaterThanOrEqual(0);
        expect(consensus.confidence).toBeLessThanOrEqual(0.99);
      }),
    );
  });

  it('give one Node alone the probability that its record and its own estimate pool to', () => {
    const alone = reachConsensus([ballot('a', 'Paris', 0.8)], 'knowledge.capital', noTiebreak);
    expect(alone.confidence).toBeCloseTo(0.8);
  });
});
