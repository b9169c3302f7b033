import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Ballot } from '../../src/actors/cluster/consensus.ts';
import { reachConsensus } from '../../src/actors/cluster/consensus.ts';
import { castVote } from '../../src/actors/node/voting.ts';
import { compareAnswers } from '../../src/answers/equivalence.ts';
import type { ExtractedAnswer } from '../../src/answers/extraction.ts';
import { extractAnswer } from '../../src/answers/extraction.ts';
import type { ModelAnswer } from '../../src/events/values.ts';

/** A problem of GSM8K, a public set of grade-school maths, with the recorded answers of four language models. */
interface Problem {
  readonly reference: string;
  readonly outputs: readonly { readonly model: string; readonly text: string; readonly correct: boolean }[];
}

interface Prediction {
  readonly confidence: number;
  readonly right: boolean;
}

const TASK_TYPE = 'math.word-problem';
const FOLDER = process.env.DELLM_RECORDED ?? join(import.meta.dirname, '../../../shared/recorded');
const FILE = join(FOLDER, 'gsm8k.jsonl.gz');
const MISSING = existsSync(FILE) ? '' : ` (skipped: no ${FILE}; set DELLM_RECORDED to its folder)`;

/** What a share of right answers can be off by chance: two standard errors at half the problems. */
const NOISE = 2 * Math.sqrt(0.25 / 317);

describe.skipIf(MISSING !== '')(`four models' recorded answers to GSM8K${MISSING}`, () => {
  const problems = MISSING === '' ? readProblems() : [];
  const models = problems[0]?.outputs.map((output) => output.model) ?? [];
  const even = problems.filter((_, at) => at % 2 === 0);
  const odd = problems.filter((_, at) => at % 2 === 1);
  /** Each half is judged with what was learned on the other one. */
  const halves = [
    { learned: accuracies(even), tested: odd },
    { learned: accuracies(odd), tested: even },
  ];
  const singles = accuracies(problems);
  const bestSingle = Math.max(...singles);

  it('are extracted as those who recorded them did', () => {
    const judged = problems.flatMap((problem) =>
      problem.outputs.map((output) => isRight(answerOf(output.text), problem) === output.correct),
    );
    const share = shareOf(judged);
    report('extraction agrees with the recorded verdict', share, `${judged.length} answers`);
    expect(share).toBeGreaterThanOrEqual(0.99);
  });

  it('weighted by measured accuracy are no worse than the best single model, unlike a plurality', () => {
    const consensus = halves.flatMap(({ learned, tested }) =>
      tested.map((problem) => consensusOn(problem, learned).right),
    );
    const plurality = mean(problems.map(pluralityRight));
    const oracle = shareOf(problems.map((problem) => problem.outputs.some((output) => output.correct)));
    models.forEach((model, at) => {
      report(`single model ${model}`, singles[at] ?? 0);
    });
    report('plurality, unweighted', plurality);
    report('consensus, weighted by accuracy learned on the other half', shareOf(consensus));
    report('oracle, one of four is right', oracle);
    for (const { learned, tested } of halves) {
      const best = Math.max(...accuracies(tested));
      const share = shareOf(tested.map((problem) => consensusOn(problem, learned).right));
      expect(share).toBeGreaterThanOrEqual(best - NOISE);
    }
    expect(shareOf(consensus)).toBeGreaterThan(plurality);
    expect(shareOf(consensus)).toBeGreaterThanOrEqual(bestSingle - NOISE);
  });

  it('are the more often right, the more of the models agree', () => {
    const precision = [2, 3, 4].map((least) => {
      const agreed = problems.map(largestGroup).filter((group) => group.size >= least);
      const share = shareOf(agreed.map((group) => group.right));
      const coverage = `${percent(agreed.length / problems.length)} of the problems`;
      report(`right when at least ${least} of 4 agree`, share, coverage);
      return share;
    });
    expect(precision).toEqual(precision.toSorted((a, b) => a - b));
    expect(precision.at(-1)).toBeGreaterThan(0.9);
  });

  it('carry a confidence that is about as high as the share of right answers', () => {
    const predictions = halves.flatMap(({ learned, tested }) =>
      tested.map((problem) => consensusOn(problem, learned)),
    );
    for (const [from, to] of [
      [0, 0.5],
      [0.5, 0.7],
      [0.7, 0.85],
      [0.85, 1],
    ] as const) {
      const bin = predictions.filter(({ confidence }) => confidence >= from && confidence < to);
      report(
        `right at a confidence of ${from}–${to}`,
        shareOf(bin.map(({ right }) => right)),
        `${bin.length} problems, mean confidence ${percent(mean(bin.map(({ confidence }) => confidence)))}`,
      );
    }
    const error = calibrationError(predictions);
    report('expected calibration error of the consensus', error);
    expect(error).toBeLessThan(0.1);
  });

  it('in pairs, as a Node has them, are no worse than the better model of the pair', () => {
    for (let a = 0; a < models.length; a += 1) {
      for (let b = a + 1; b < models.length; b += 1) {
        const votes = halves.flatMap(({ learned, tested }) =>
          tested.map((problem) => ({ problem, vote: voteOn(problem, a, b, learned) })),
        );
        const right = ({ problem, vote }: (typeof votes)[number]) =>
          isRight({ kind: vote.kind, value: vote.answer }, problem);
        const agreed = votes.filter(({ vote }) => vote.outcome === 'agreed');
        const better = Math.max(singles[a] ?? 0, singles[b] ?? 0);
        const share = shareOf(votes.map(right));
        report(
          `vote of ${models[a]} and ${models[b]}`,
          share,
          `better model ${percent(better)}; agreed ${percent(agreed.length / votes.length)}, then right ${percent(shareOf(agreed.map(right)))} at a mean confidence of ${percent(mean(agreed.map(({ vote }) => vote.confidence)))}`,
        );
        expect(share).toBeGreaterThanOrEqual(better - NOISE);
      }
    }
  });
});

function readProblems(): readonly Problem[] {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').trim().split('\n');
  return lines.map((line): Problem => JSON.parse(line));
}

function answerOf(text: string): ExtractedAnswer {
  return extractAnswer(text, TASK_TYPE);
}

function isRight(answer: ExtractedAnswer, problem: Problem): boolean {
  return compareAnswers(answer, answerOf(problem.reference)) !== 'different';
}

/** The share of right answers of each model. */
function accuracies(problems: readonly Problem[]): readonly number[] {
  const models = problems[0]?.outputs ?? [];
  return models.map((_, at) => shareOf(problems.map((problem) => problem.outputs[at]?.correct === true)));
}

function consensusOn(problem: Problem, learned: readonly number[]): Prediction {
  const ballots = problem.outputs.map((output, at): Ballot => {
    const { kind, value } = answerOf(output.text);
    const trust = learned[at] ?? 0.5;
    return { node: output.model, answer: value, kind, confidence: trust, trust };
  });
  const { answer, confidence } = reachConsensus(ballots, TASK_TYPE, { tiebreaksLeft: 0 });
  return { confidence, right: isRight(answerOf(answer), problem) };
}

function voteOn(
  problem: Problem,
  a: number,
  b: number,
  learned: readonly number[],
): ReturnType<typeof castVote> {
  const answers = [modelAnswer(problem, a), modelAnswer(problem, b)] as const;
  return castVote(answers, TASK_TYPE, [learned[a] ?? 0.5, learned[b] ?? 0.5]);
}

function modelAnswer(problem: Problem, at: number): ModelAnswer | null {
  const output = problem.outputs[at];
  if (output === undefined) return null;
  const { model, text } = output;
  return { model, text, logProb: 0, measured: false, completionTokens: 1, durationMs: 0, finish: 'stop' };
}

/** The answers of a problem, equal ones together. */
function groupsOf(problem: Problem): readonly { readonly size: number; readonly right: boolean }[] {
  const groups: ExtractedAnswer[][] = [];
  for (const output of problem.outputs) {
    const answer = answerOf(output.text);
    if (answer.kind === 'none') continue;
    const home = groups.find(
      ([first]) => first !== undefined && compareAnswers(first, answer) !== 'different',
    );
    if (home === undefined) groups.push([answer]);
    else home.push(answer);
  }
  return groups.map((group) => ({
    size: group.length,
    right: group[0] !== undefined && isRight(group[0], problem),
  }));
}

function largestGroup(problem: Problem): { readonly size: number; readonly right: boolean } {
  return groupsOf(problem).toSorted((a, b) => b.size - a.size)[0] ?? { size: 0, right: false };
}

/** The chance that a plurality is right, where a tie is drawn. */
function pluralityRight(problem: Problem): number {
  const groups = groupsOf(problem);
  const size = Math.max(0, ...groups.map((group) => group.size));
  return mean(groups.filter((group) => group.size === size).map((group) => (group.right ? 1 : 0)));
}

/** Mean distance of confidence and share of right answers over ten bins, weighted by their size. */
function calibrationError(predictions: readonly Prediction[]): number {
  const bins = Array.from({ length: 10 }, (_, at) =>
    predictions.filter(({ confidence }) => Math.floor(confidence * 10) === at),
  );
  return bins.reduce((sum, bin) => {
    const distance = mean(bin.map(({ confidence, right }) => confidence - (right ? 1 : 0)));
    return sum + (Math.abs(distance) * bin.length) / predictions.length;
  }, 0);
}

function shareOf(flags: readonly boolean[]): number {
  return mean(flags.map((flag) => (flag ? 1 : 0)));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function report(what: string, share: number, more = ''): void {
  console.info(`${percent(share).padStart(8)}  ${what}${more === '' ? '' : ` (${more})`}`);
}
