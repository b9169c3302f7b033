import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelAnswer } from '../../events/values.ts';
import { castVote } from './voting.ts';

/** An answer whose whole text had the given probability; without one, the engine could not measure it. */
function answered(text: string, probability?: number, more: Partial<ModelAnswer> = {}): ModelAnswer {
  return {
    model: 'a-model',
    text,
    logProb: probability === undefined ? 0 : Math.log(probability),
    measured: probability !== undefined,
    completionTokens: 8,
    durationMs: 5,
    finish: 'stop',
    ...more,
  };
}

describe('two models that agree', () => {
  it('answer "Paris" with high confidence when both say "Paris"', () => {
    const vote = castVote([answered('Paris', 0.95), answered('Paris', 0.9)], 'knowledge.capital');
    expect(vote).toMatchObject({ outcome: 'agreed', agreement: 'exact', answer: 'Paris', kind: 'name' });
    expect(vote.confidence).toBeGreaterThan(0.95);
  });

  it('answer "Paris" with high confidence when one says "The capital is Paris" and one "Paris is the capital"', () => {
    const vote = castVote(
      [answered('The capital is Paris', 0.9), answered('Paris is the capital', 0.9)],
      'knowledge.capital',
    );
    expect(vote).toMatchObject({ outcome: 'agreed', agreement: 'semantic', answer: 'Paris' });
    expect(vote.confidence).toBeGreaterThan(0.95);
  });

  it('agree by value on 1,000 and 1e3', () => {
    const vote = castVote([answered('1,000', 0.8), answered('1e3', 0.7)], 'math.arithmetic');
    expect(vote).toMatchObject({ outcome: 'agreed', agreement: 'equivalent', chosen: 0, answer: '1000' });
  });

  it('give the final number without the working', () => {
    const working = '15*3:5400 15*20:0030 0+5=5,0+4=4,3+0=3,0+0=0:345';
    expect(castVote([answered(working, 0.9), answered(working, 0.8)], 'math.arithmetic').answer).toBe('345');
  });

  it('are believed for their agreement alone where no probability was measured', () => {
    const vote = castVote([answered('345'), answered('345')], 'math.arithmetic');
    const alone = castVote([answered('345'), null], 'math.arithmetic');
    expect(vote.confidence).toBeGreaterThan(0.8);
    expect(vote.confidence).toBeLessThan(0.9);
    expect(alone.confidence).toBe(0.5);
  });

  it('are believed less about a yes or no, where being wrong together is easy', () => {
    const number = castVote([answered('7', 0.6), answered('7', 0.6)], 'logic.sequence');
    const truth = castVote([answered('yes', 0.6), answered('yes', 0.6)], 'logic.comparison');
    expect(truth.confidence).toBeLessThan(number.confidence);
  });
});

describe('two models that differ', () => {
  it('are split between "Paris" and "London" when they are equally sure', () => {
    const vote = castVote([answered('Paris', 0.6), answered('London', 0.6)], 'knowledge.capital');
    expect(vote).toMatchObject({ outcome: 'split', agreement: 'different', chosen: 0, answer: 'Paris' });
    expect(vote.confidence).toBeLessThan(0.5);
  });

  it('follow the one that is much surer', () => {
    const vote = castVote([answered('London', 0.2), answered('Paris', 0.97)], 'knowledge.capital');
    expect(vote).toMatchObject({ outcome: 'preferred', chosen: 1, answer: 'Paris' });
    expect(vote.confidence).toBeGreaterThan(0.8);
  });

  it('follow the one with the better record where no probability was measured', () => {
    const vote = castVote([answered('12'), answered('13')], 'math.arithmetic', [0.95, 0.4]);
    expect(vote).toMatchObject({ outcome: 'preferred', chosen: 0, answer: '12' });
  });

  it('are two wordings of an open-ended task, of which the more fluent is given', () => {
    const vote = castVote(
      [answered('The cat sings to the sea.', 0.01), answered('A cat waits for the night.', 0.05)],
      'creative.sentence',
    );
    expect(vote).toMatchObject({ outcome: 'preferred', chosen: 1, answer: 'A cat waits for the night.' });
    expect(vote.confidence).toBeCloseTo(0.05 ** (1 / 8));
  });
});

describe('abstentions and failures', () => {
  it('"I don\'t know" twice is no agreement on an answer', () => {
    const vote = castVote(
      [answered("I don't know", 0.99), answered("I don't know", 0.99)],
      'general.unknown',
    );
    expect(vote).toEqual({
      outcome: 'abstained',
      agreement: 'different',
      chosen: null,
      answer: '',
      kind: 'none',
      confidence: 0,
    });
  });

  it('an abstaining model lowers the confidence in the other, a failed one does not', () => {
    const failed = castVote([answered('Paris', 0.95), null], 'knowledge.capital');
    const abstaining = castVote(
      [answered('Paris', 0.95), answered("I don't know", 0.9)],
      'knowledge.capital',
    );
    expect(failed).toMatchObject({ outcome: 'preferred', answer: 'Paris', chosen: 0 });
    expect(abstaining).toMatchObject({ outcome: 'preferred', answer: 'Paris', chosen: 0 });
    expect(abstaining.confidence).toBeCloseTo(failed.confidence * 0.75);
  });

  it('no model at all is an abstention', () => {
    expect(castVote([null, null], 'math.arithmetic').outcome).toBe('abstained');
  });

  it('an answer cut off at the token limit does not count, for its last number may be half a number', () => {
    const cut = answered('15*3:5400 15*20:0030 0+5=5:34', 0.9, { finish: 'length' });
    expect(castVote([cut, null], 'math.arithmetic').outcome).toBe('abstained');
    expect(castVote([cut, answered('345', 0.4)], 'math.arithmetic')).toMatchObject({
      chosen: 1,
      answer: '345',
    });
  });
});

describe('confidence', () => {
  it.each([
    [0.1, 0.12],
    [0.4, 0.25],
    [0.62, 0.42],
    [0.82, 0.53],
    [0.93, 0.67],
    [0.999, 0.98],
  ])('of a text of probability %f is near the measured share of right answers, %f', (probability, share) => {
    const vote = castVote([answered('Paris', probability), null], 'knowledge.capital');
    expect(Math.abs(vote.confidence - share)).toBeLessThan(0.12);
  });

  it('does not take the improbable wording of a long text for a wrong answer', () => {
    const long = answered(`${'so '.repeat(150)}\nA: 26`, 1e-9, { completionTokens: 160 });
    expect(castVote([long, null], 'math.word-problem', [0.56, 0.5]).confidence).toBeCloseTo(0.56);
  });

  const probability = fc.double({ min: 1e-6, max: 1, noNaN: true });
  const text = fc.constantFrom('Paris', 'London', 'The capital is Paris', "I don't know", '');

  it('is a probability, and the order of the models does not change it', () => {
    fc.assert(
      fc.property(text, text, probability, probability, (a, b, p, q) => {
        const [left, right] = [answered(a, p), answered(b, q)];
        const vote = castVote([left, right], 'knowledge.capital');
        const swapped = castVote([right, left], 'knowledge.capital');
        expect(vote.confidence).toBeGreaterThanOrEqual(0);
        expect(vote.confidence).toBeLessThanOrEqual(0.99);
        expect(swapped.confidence).toBeCloseTo(vote.confidence, 12);
        expect(swapped.outcome).toBe(vote.outcome);
      }),
    );
  });

  it('never falls when a model that supports the answer is surer of it', () => {
    fc.assert(
      fc.property(text, text, probability, probability, probability, (a, b, p, q, r) => {
        const [low, high] = [Math.min(p, r), Math.max(p, r)];
        const before = castVote([answered(a, low), answered(b, q)], 'knowledge.capital');
        if (before.chosen !== 0 || before.outcome === 'agreed') return;
        const after = castVote([answered(a, high), answered(b, q)], 'knowledge.capital');
        expect(after.confidence).toBeGreaterThanOrEqual(before.confidence - 1e-12);
      }),
    );
  });

  it('takes figures that make no sense for no figures', () => {
    const odd = answered('Paris', 0.5, { logProb: Number.NaN });
    expect(castVote([odd, null], 'knowledge.capital', [Number.NaN, 2]).confidence).toBe(0.5);
  });
});
