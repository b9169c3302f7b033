import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { correctnessOf, type MatrixRow, updateRow } from '../../src/actors/super-cluster/matrix.ts';

/**
 * Does the performance matrix send the right questions to the dearer of two real models? Recorded verdicts of a weak
 * and a strong model on MMLU; half of each subject teaches the matrix, the other half is routed at a fixed budget.
 */
const FOLDER = process.env.DELLM_RECORDED ?? join(import.meta.dirname, '../../../shared/recorded');
const FILE = join(FOLDER, 'mmlu.jsonl.gz');
const MISSING = existsSync(FILE) ? '' : ` (skipped: no ${FILE}; set DELLM_RECORDED to its folder)`;

const WEAK = 'mistralai/Mixtral-8x7B-Instruct-v0.1';
const STRONG = 'gpt-4-1106-preview';
const BUDGETS = [0.2, 0.5, 0.8];

const Line = z.object({
  taskType: z.string(),
  outputs: z.array(z.object({ model: z.string(), correct: z.boolean() })),
});

interface Question {
  readonly subject: string;
  readonly weak: boolean;
  readonly strong: boolean;
}

function readQuestions(): readonly Question[] {
  const lines = gunzipSync(readFileSync(FILE)).toString('utf8').split('\n');
  return lines.filter(Boolean).map((line) => {
    const { taskType, outputs } = Line.parse(JSON.parse(line));
    const verdict = (model: string) => outputs.find((output) => output.model === model)?.correct ?? false;
    return { subject: taskType, weak: verdict(WEAK), strong: verdict(STRONG) };
  });
}

/** How much more often the strong model is right on a subject, by the posterior means of the two rows. */
function learnGains(questions: readonly Question[]): ReadonlyMap<string, number> {
  const rows = new Map<string, { weak?: MatrixRow; strong?: MatrixRow }>();
  for (const { subject, weak, strong } of questions) {
    const row = rows.get(subject);
    rows.set(subject, {
      weak: updateRow(row?.weak, { correct: weak, latencyMs: 0 }),
      strong: updateRow(row?.strong, { correct: strong, latencyMs: 0 }),
    });
  }
  const mean = (row: MatrixRow | undefined) => correctnessOf(row ?? { alpha: 1, beta: 1 });
  return new Map([...rows].map(([subject, row]) => [subject, mean(row.strong) - mean(row.weak)]));
}

/** Accuracy when the subjects that gain most go to the strong model until the budget of calls is spent. */
function byMatrix(
  questions: readonly Question[],
  gains: ReadonlyMap<string, number>,
  budget: number,
): number {
  const gain = (question: Question) => gains.get(question.subject) ?? 0;
  const ordered = [...questions].sort((a, b) => gain(b) - gain(a));
  const calls = Math.round(budget * ordered.length);
  return share(ordered, (question, index) => (index < calls ? question.strong : question.weak));
}

/** What the same budget gives on average when the calls are drawn at random. */
function atRandom(questions: readonly Question[], budget: number): number {
  const strong = share(questions, (question) => question.strong);
  return budget * strong + (1 - budget) * share(questions, (question) => question.weak);
}

function share(
  questions: readonly Question[],
  right: (question: Question, index: number) => boolean,
): number {
  return questions.filter(right).length / questions.length;
}

describe.skipIf(MISSING !== '')(`routing of recorded answers by the matrix${MISSING}`, () => {
  it('is right more often than random routing at the same cost', () => {
    const questions = readQuestions();
    const halves = [0, 1].map((half) => questions.filter((_, index) => index % 2 === half));
    const [even = [], odd = []] = halves;
    const figures = BUDGETS.map((budget) => {
      const matrix = (byMatrix(odd, learnGains(even), budget) + byMatrix(even, learnGains(odd), budget)) / 2;
      const random = (atRandom(odd, budget) + atRandom(even, budget)) / 2;
      return { budget, matrix, random };
    });
    for (const { budget, matrix, random } of figures) {
      console.log(
        `${100 * budget} % of calls to the strong model: matrix ${percent(matrix)}, random ${percent(random)}`,
      );
      expect(matrix).toBeGreaterThan(random + 0.01);
    }
  });
});

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
