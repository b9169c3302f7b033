import { describe, expect, it } from 'vitest';
import type { AnswerKind } from '../events/values.ts';
import { dependentWeight, logistic, logit, pooled, posteriors, reported, tempered } from './pooling.ts';

describe('an estimate', () => {
  it.each([
    [0.6, 0.6],
    [0, 0.02],
    [1, 0.98],
    [Number.NaN, 0.5],
    [Number.POSITIVE_INFINITY, 0.5],
  ])('of %f is tempered to %f', (estimate, expected) => {
    expect(tempered(estimate)).toBe(expected);
  });

  it('has log-odds, and comes back from them', () => {
    expect(logit(0.5)).toBe(0);
    expect(logit(0.8)).toBeCloseTo(Math.log(4), 12);
    expect(logistic(Math.log(4))).toBeCloseTo(0.8, 12);
  });

  it('is pooled with another by the mean of their log-odds', () => {
    // Odds of 4 and 1, the geometric mean of which is 2.
    expect(pooled(0.8, 0.5)).toBeCloseTo(2 / 3, 12);
    expect(pooled(0.8, 0.2)).toBeCloseTo(0.5, 12);
  });
});

describe('the posteriors', () => {
  const opinion = (answer: number, probability: number, weight?: number) =>
    weight === undefined ? { answer, probability } : { answer, probability, weight };

  it.each<[AnswerKind, number]>([
    ['truth', 1.5],
    ['choice', 3],
    ['number', 5],
    ['name', 5],
    ['list', 5],
    ['code', 5],
    ['text', 5],
    ['none', 5],
  ])('of a %s spread errors over %f wrong answers', (kind, wrong) => {
    expect(posteriors([opinion(0, 0.8)], 1, kind)[0]).toBeCloseTo(0.8, 12);
    // Two of odds 4: 16·m², against m answers that nobody gave.
    const both = posteriors([opinion(0, 0.8), opinion(0, 0.8)], 1, kind)[0];
    expect(both).toBeCloseTo((16 * wrong * wrong) / (16 * wrong * wrong + wrong), 12);
  });

  it('divide what is certain among the answers and those that nobody gave', () => {
    // Odds 4 and 1 by 3 wrong answers: weights 12 and 3, and two unseen answers of weight 1.
    const [first, second] = posteriors([opinion(0, 0.8), opinion(1, 0.5)], 2, 'choice');
    expect([first, second]).toEqual([expect.closeTo(12 / 17, 12), expect.closeTo(3 / 17, 12)]);
  });

  it('leave nothing for unseen answers where all have been given', () => {
    const three = [opinion(0, 0.5), opinion(1, 0.5), opinion(2, 0.5)];
    const shares = posteriors(three, 3, 'truth');
    for (const share of shares) expect(share).toBeCloseTo(1 / 3, 12);
  });

  it('count a dependent vote by its weight', () => {
    // (3·4)^½ · (3·4)^½ = 12, as one vote alone.
    const halves = [opinion(0, 0.8, 0.5), opinion(0, 0.8, 0.5)];
    expect(posteriors(halves, 1, 'choice')[0]).toBeCloseTo(0.8, 12);
  });

  it('stay finite for a thousand sure voters', () => {
    const many = Array.from({ length: 1000 }, () => opinion(0, 0.98));
    expect(posteriors(many, 1, 'number')).toEqual([1]);
    const few = posteriors([opinion(0, 0.02)], 1, 'truth');
    expect(few[0]).toBeCloseTo(0.02, 12);
  });
});

describe('what is reported', () => {
  it('counts voters with the same models less: two as hardly more than one', () => {
    expect(dependentWeight(1)).toBe(1);
    expect(dependentWeight(2)).toBeCloseTo(1 / 1.9, 12);
    expect(dependentWeight(3)).toBeCloseTo(1 / 2.8, 12);
  });

  it('is lower by half of the share that abstained, and at most 0.99', () => {
    expect(reported(0.8, 0, 4)).toBe(0.8);
    expect(reported(0.8, 1, 4)).toBeCloseTo(0.7, 12);
    expect(reported(1, 0, 4)).toBe(0.99);
  });
});
