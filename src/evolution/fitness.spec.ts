import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  demandOf,
  type FitnessTally,
  fitnessOf,
  type JudgedAnswer,
  judgedOf,
  networkScore,
  scoresAcross,
  scoresWithin,
  tally,
} from './fitness.ts';

const SIMPLE = 'math.arithmetic';
const MEDIUM = 'logic.deduction';

const fold = (answers: readonly JudgedAnswer[]): FitnessTally => answers.reduce(tally, {});
const answer = (change: Partial<JudgedAnswer> = {}): JudgedAnswer => ({
  taskType: SIMPLE,
  correct: true,
  responseMs: 500,
  computeMs: 0,
  ...change,
});
const times = (count: number, change: Partial<JudgedAnswer> = {}): JudgedAnswer[] =>
  Array.from({ length: count }, () => answer(change));

/** Fitness and score of a Node under demand of `weights`, or of its own answers. */
function judge(answers: readonly JudgedAnswer[], weights: Readonly<Record<string, number>> = {}) {
  const { fitness, score } = fitnessOf('n', fold(answers), weights, 1);
  if (fitness === null || score === null) return expect.fail('nothing was judged');
  return { fitness, score };
}

const arbitraryAnswer = fc.record({
  taskType: fc.constantFrom(SIMPLE, MEDIUM, 'knowledge.capital', 'of.nobody'),
  correct: fc.boolean(),
  responseMs: fc.double({ min: 0, max: 200_000, noNaN: true }),
  computeMs: fc.option(fc.double({ min: 0, max: 200_000, noNaN: true })),
});
const arbitraryAnswers = fc.array(arbitraryAnswer, { minLength: 1, maxLength: 40 });
const arbitraryDemand = fc.record({
  [SIMPLE]: fc.nat(100),
  [MEDIUM]: fc.nat(100),
  'knowledge.capital': fc.nat(100),
  'of.nobody': fc.nat(100),
});
const SLACK = 1e-9;

describe('the fitness of a Node', () => {
  it('is the founding document’s formula, by task type: (0.8 × 3600/2) / (2 + 1)', () => {
    const answers = [
      ...times(8, { responseMs: 2000, computeMs: 1000 }),
      ...times(2, { responseMs: 2000, computeMs: 1000, correct: false }),
    ];
    const [type] = fitnessOf('n', fold(answers), {}, 1).byType;
    expect(type?.fitness).toBeCloseTo(480, 9);
    expect(type?.score).toBeCloseTo(0.8 * (500 / 2000), 12);
    expect(type).toMatchObject({ judged: 10, right: 8, latencyS: 2, computeS: 1 });
  });

  it('is 1 for a Node that is always right, on target, at no compute, for any target of the type', () => {
    for (const taskType of [SIMPLE, MEDIUM]) {
      const { fitness, score } = judge(times(5, { taskType, responseMs: 10 }));
      expect(fitness).toBeCloseTo(1, 12);
      expect(score).toBeCloseTo(1, 12);
    }
  });

  it('weighs task types by what the Cluster is asked', () => {
    const answers = [...times(5), ...times(5, { taskType: MEDIUM, correct: false })];
    expect(judge(answers, { [SIMPLE]: 90, [MEDIUM]: 10 })).toMatchObject({ fitness: 0.9, score: 0.9 });
    expect(judge(answers, { [SIMPLE]: 1, [MEDIUM]: 3 }).score).toBeCloseTo(0.25, 12);
    expect(judge(answers, { 'code.write': 5 }).score).toBeCloseTo(0.5, 12);
  });

  it('is null on trial, and stands from the first judged answer that is enough', () => {
    expect(fitnessOf('n', undefined, {}, 1)).toEqual({
      node: 'n',
      judged: 0,
      right: 0,
      fitness: null,
      score: null,
      byType: [],
    });
    expect(fitnessOf('n', fold(times(9)), {}, 10)).toMatchObject({ judged: 9, fitness: null, score: null });
    expect(fitnessOf('n', fold(times(10)), {}, 10).fitness).toBeCloseTo(1, 12);
  });

  it('counts compute: the same answers for more of it are less fit, and just as good', () => {
    const [cheap, dear] = [judge(times(5, { computeMs: 100 })), judge(times(5, { computeMs: 900 }))];
    expect(cheap.fitness).toBeGreaterThan(dear.fitness);
    expect(cheap.score).toBe(dear.score);
  });

  it('takes compute that is not known as the whole response', () => {
    const kept = judge(times(5, { responseMs: 800, computeMs: null }));
    expect(kept).toEqual(judge(times(5, { responseMs: 800, computeMs: 800 })));
    expect(fitnessOf('n', fold(times(5, { computeMs: null })), {}, 1).byType[0]?.computeS).toBe(0);
  });

  it('is 0 for a Node that answers everything wrong at once', () => {
    expect(judge(times(20, { correct: false, responseMs: 0 }))).toEqual({ fitness: 0, score: 0 });
  });

  it('rises with correctness', () => {
    fc.assert(
      fc.property(arbitraryAnswers, arbitraryDemand, fc.nat(), (answers, demand, pick) => {
        const place = pick % answers.length;
        const corrected = answers.map((one, index) => (index === place ? { ...one, correct: true } : one));
        const [before, after] = [judge(answers, demand), judge(corrected, demand)];
        expect(after.fitness).toBeGreaterThanOrEqual(before.fitness - SLACK);
        expect(after.score).toBeGreaterThanOrEqual(before.score - SLACK);
      }),
    );
  });

  it('gains nothing by answering faster than the target', () => {
    fc.assert(
      fc.property(arbitraryAnswers, arbitraryDemand, fc.nat(), (answers, demand, pick) => {
        const place = pick % answers.length;
        const at = (responseMs: number) =>
          judge(
            answers.map((one, index) => (index === place ? { ...one, responseMs, computeMs: 50 } : one)),
            demand,
          );
        expect(at(0)).toEqual(at(500));
      }),
    );
  });

  it('never gains by a slower answer', () => {
    fc.assert(
      fc.property(
        arbitraryAnswers,
        arbitraryDemand,
        fc.nat(),
        fc.nat(60_000),
        (answers, demand, pick, late) => {
          const place = pick % answers.length;
          const slower = answers.map((one, index) =>
            index === place ? { ...one, responseMs: one.responseMs + late } : one,
          );
          const [before, after] = [judge(answers, demand), judge(slower, demand)];
          expect(after.fitness).toBeLessThanOrEqual(before.fitness + SLACK);
          expect(after.score).toBeLessThanOrEqual(before.score + SLACK);
        },
      ),
    );
  });

  it('falls when a task that would be answered rightly is refused, however hard and however quickly', () => {
    const quick = times(9, { responseMs: 500, computeMs: 100 });
    const slow = { responseMs: 100_000, computeMs: 90_000 };
    const [done, refused] = [
      judge([...quick, answer(slow)]),
      judge([...quick, answer({ correct: false, responseMs: 0, computeMs: 0 })]),
    ];
    expect(refused.fitness).toBeLessThan(done.fitness);

    fc.assert(
      fc.property(
        arbitraryAnswers,
        arbitraryDemand,
        fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
        (answers, demand, refuses) => {
          const abstained = answers.map((one, index) =>
            refuses[index] ? { ...one, correct: false, responseMs: 0, computeMs: 0 } : one,
          );
          const [before, after] = [judge(answers, demand), judge(abstained, demand)];
          expect(after.fitness).toBeLessThanOrEqual(before.fitness + SLACK);
          expect(after.score).toBeLessThanOrEqual(before.score + SLACK);
        },
      ),
    );
  });

  it('has a score between 0 and 1 and a fitness that is finite and at least 0', () => {
    fc.assert(
      fc.property(arbitraryAnswers, arbitraryDemand, (answers, demand) => {
        const { fitness, score } = judge(answers, demand);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(fitness).toBeGreaterThanOrEqual(0);
        expect(fitness).toBeLessThanOrEqual(score + SLACK);
      }),
    );
  });

  it('does not depend on the order of the answers', () => {
    const shuffled = arbitraryAnswers.chain((answers) =>
      fc.tuple(fc.constant(answers), fc.shuffledSubarray(answers, { minLength: answers.length })),
    );
    fc.assert(
      fc.property(shuffled, arbitraryDemand, ([answers, others], demand) => {
        const [a, b] = [judge(answers, demand), judge(others, demand)];
        expect(a.fitness).toBeCloseTo(b.fitness, 9);
        expect(a.score).toBeCloseTo(b.score, 9);
      }),
    );
  });
});

describe('demand', () => {
  it('counts the judged answers of all Nodes by type', () => {
    const nodes = [fold(times(3)), undefined, fold([...times(2), ...times(4, { taskType: MEDIUM })])];
    expect(demandOf(nodes)).toEqual({ [SIMPLE]: 5, [MEDIUM]: 4 });
    expect(nodes.map((one) => judgedOf(one ?? {}))).toEqual([3, 0, 6]);
  });
});

describe('the scores of Nodes', () => {
  const node = (id: string, cluster: string, answers: readonly JudgedAnswer[]) => ({
    id,
    cluster,
    fitness: fold(answers),
  });
  const generalist = node('a', 'one', [...times(2), ...times(2, { taskType: MEDIUM, correct: false })]);
  const specialist = node('b', 'one', times(4));
  const stranger = node('c', 'other', times(1, { correct: false }));

  it('weigh what the whole Cluster is asked, and leave out who is on trial', () => {
    expect(scoresWithin([generalist, specialist], 1)).toMatchObject({ scores: [0.75, 1], judged: 8 });
    expect(scoresWithin([generalist, specialist], 5)).toMatchObject({ scores: [], judged: 0 });
    expect(scoresWithin([], 1)).toMatchObject({ scores: [], judged: 0 });
  });

  it('are of the Nodes as they are, not as they were', () => {
    const better = { ...specialist, fitness: fold(times(8)) };
    expect(scoresWithin([generalist, specialist], 1).judged).toBe(8);
    expect(scoresWithin([generalist, better], 1).judged).toBe(12);
    expect(scoresWithin([generalist], 1)).toMatchObject({ scores: [0.5], judged: 4 });
  });

  it('are taken Cluster by Cluster', () => {
    expect(scoresAcross([generalist, stranger, specialist], 1)).toEqual({ scores: [0.75, 1, 0], judged: 9 });
  });
});

describe('the network’s score', () => {
  it('is the mean of its Nodes’, and none where nothing is measured', () => {
    expect(networkScore([0.5, 1])).toBe(0.75);
    expect(networkScore([])).toBeNull();
  });
});
