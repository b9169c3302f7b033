import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawing } from '../../test/support/draws.ts';
import { classify } from '../actors/super-llm/classification.ts';
import { specializationOf } from '../answers/task-types.ts';
import { GoldTask } from '../events/evolution.ts';
import { goldTask, judgeGold } from './gold-tasks.ts';

const SPECIALIZATIONS = ['mathematical', 'logical', 'factual', 'coding', 'creative'] as const;

const gold = (specialization: string, seed: number): GoldTask =>
  goldTask(specialization, drawing(seed)) ?? expect.fail(`no gold task for ${specialization}`);
const many = (specialization: string): GoldTask[] =>
  Array.from({ length: 1500 }, (_, seed) => gold(specialization, seed));
const expectedOf = ({ expected }: GoldTask): string => expected.value;

/** Answers by a separate small solver, from the prompt alone. */
function solve({ prompt, taskType }: GoldTask): string {
  const numbers = (prompt.match(/\d+/g) ?? []).map(Number);
  const [a, b] = [numbers[0] ?? Number.NaN, numbers[1] ?? Number.NaN];
  switch (taskType) {
    case 'math.arithmetic':
      if (/×|\*| x |times|multipl|product/i.test(prompt)) return String(a * b);
      if (/\+|plus|add|sum/i.test(prompt)) return String(a + b);
      return String(/subtract|take/i.test(prompt) ? b - a : a - b);
    case 'logic.comparison':
      if (/equal|same/.test(prompt)) return a === b ? 'yes' : 'no';
      return (/less|smaller|</.test(prompt) ? a < b : a > b) ? 'yes' : 'no';
    case 'logic.parity':
      return (a % 2 === 0) === /even/.test(prompt) ? 'yes' : 'no';
    case 'code.evaluate': {
      const items = (/\[([\d,]+)\]/.exec(prompt)?.[1] ?? '').split(',').map(Number);
      if (prompt.includes('len(')) return String(items.length);
      if (prompt.includes('max(')) return String(Math.max(...items));
      if (prompt.includes('min(')) return String(Math.min(...items));
      if (prompt.includes('sum(')) return String(items.reduce((sum, item) => sum + item));
      return JSON.stringify(prompt.includes('sorted(') ? items.sort((x, y) => x - y) : items.reverse());
    }
    default:
      return expect.fail(`${taskType} cannot be solved here`);
  }
}

describe.each(SPECIALIZATIONS)('gold tasks for the %s', (specialization) => {
  it('are recognised by their wording as what they are, and are for that specialization', () => {
    const wrong = many(specialization).filter(({ prompt, taskType }) => classify(prompt) !== taskType);
    expect(wrong.map(({ prompt, taskType }) => `${taskType}: ${prompt}`)).toEqual([]);
    expect(many(specialization).every(({ taskType }) => specializationOf(taskType) === specialization)).toBe(
      true,
    );
  });

  it('are valid, many, and the same for the same draws', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const task = gold(specialization, seed);
        expect(GoldTask.parse(task)).toEqual(task);
        expect(task.prompt).not.toMatch(/[{}]|undefined|NaN/);
        expect(gold(specialization, seed)).toEqual(task);
      }),
    );
    expect(new Set(many(specialization).map(({ prompt }) => prompt)).size).toBeGreaterThan(400);
  });

  it('count an abstention, silence and another task’s answer as wrong', () => {
    const tasks = many(specialization).slice(0, 300);
    for (const [index, task] of tasks.entries()) {
      expect(judgeGold(task, '')).toBe(false);
      expect(judgeGold(task, "I don't know")).toBe(false);
      const other = tasks[(index + 1) % tasks.length] ?? task;
      if (other.taskType !== task.taskType || expectedOf(other) === expectedOf(task)) continue;
      const said =
        specialization === 'creative'
          ? `The quiet ${expectedOf(other)} waits for the sea.`
          : expectedOf(other);
      expect(judgeGold(task, said), `${task.prompt} ${said}`).toBe(false);
    }
  });
});

describe('what a gold task expects', () => {
  it.each(['mathematical', 'logical', 'coding'])('is what solving the %s prompt gives', (specialization) => {
    const wrong = many(specialization).filter((task) => solve(task) !== expectedOf(task));
    expect(wrong.map((task) => `${task.prompt} ${expectedOf(task)}`)).toEqual([]);
  });

  it('is the capital that the miniature models were taught, asked both ways', () => {
    const corpus = readFileSync(
      join(import.meta.dirname, '../../models/training/corpus/capitals.py'),
      'utf8',
    );
    const taught = new Map([...corpus.matchAll(/"([^"{}]+)": "([^"{}]+)"/g)].map(([, c, k]) => [c, k]));
    expect(taught.size).toBeGreaterThan(60);
    for (const task of many('factual')) {
      const holds = [...taught].some(([country, city]) => {
        const [asked, answer] = task.taskType === 'knowledge.capital' ? [country, city] : [city, country];
        return answer === expectedOf(task) && task.prompt.toLowerCase().includes(String(asked).toLowerCase());
      });
      expect(holds, `${task.prompt} ${expectedOf(task)}`).toBe(true);
    }
  });

  it('is as often yes as no', () => {
    const yes = many('logical').filter((task) => expectedOf(task) === 'yes').length / 1500;
    expect(yes).toBeGreaterThan(0.35);
    expect(yes).toBeLessThan(0.65);
  });

  it('is nothing for a specialization that nobody made a generator for', () => {
    expect(goldTask('medical', drawing(1))).toBeNull();
    expect(goldTask('toString', drawing(1))).toBeNull();
  });
});

describe('judging', () => {
  it('takes a right answer in any wording that the Nodes use', () => {
    const capital: GoldTask = {
      prompt: 'What is the capital of Japan?',
      taskType: 'knowledge.capital',
      expected: { kind: 'answer', value: 'Tokyo' },
    };
    for (const answer of ['Tokyo', 'tokyo', 'The capital of Japan is Tokyo.']) {
      expect(judgeGold(capital, answer)).toBe(true);
    }
    expect(judgeGold(capital, 'Kyoto')).toBe(false);
    const product: GoldTask = {
      prompt: 'What is 15 × 23?',
      taskType: 'math.arithmetic',
      expected: { kind: 'answer', value: '345' },
    };
    for (const answer of ['345', '15 × 23 = 345', 'The answer is 345.']) {
      expect(judgeGold(product, answer)).toBe(true);
    }
    expect(judgeGold(product, '346')).toBe(false);
    const list: GoldTask = {
      prompt: 'What does sorted([2,1]) return?',
      taskType: 'code.evaluate',
      expected: { kind: 'answer', value: '[1,2]' },
    };
    expect([judgeGold(list, '[1, 2]'), judgeGold(list, '[2, 1]'), judgeGold(list, '1 2')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('takes a sentence that names the topic as a word, and neither the word alone nor the request again', () => {
    const task: GoldTask = {
      prompt: 'Write a sentence about a cat.',
      taskType: 'creative.sentence',
      expected: { kind: 'mentions', value: 'cat' },
    };
    expect(judgeGold(task, 'The golden CAT sings to the sea.')).toBe(true);
    expect(judgeGold(task, 'Nobody knew the cat’s name.')).toBe(true);
    expect(judgeGold(task, 'They concatenate distant lights.')).toBe(false);
    expect(judgeGold(task, 'cat')).toBe(false);
    expect(judgeGold(task, 'Write a sentence about a cat')).toBe(false);
  });

  it('agrees with the held-out answers of the miniature models’ own test', () => {
    const held: readonly { family: string; kind: string; prompt: string; answer: string }[] = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../models/miniature/heldout.json'), 'utf8'),
    );
    const types: Readonly<Record<string, string>> = {
      addition: 'math.arithmetic',
      multiplication: 'math.arithmetic',
      capital: 'knowledge.capital',
      parity: 'logic.parity',
      evaluate: 'code.evaluate',
    };
    const tasks = held.flatMap(({ kind, prompt, answer }): GoldTask[] => {
      const taskType = types[kind];
      return taskType ? [{ prompt, taskType, expected: { kind: 'answer', value: answer } }] : [];
    });
    expect(tasks.length).toBeGreaterThan(300);
    for (const task of tasks) expect(judgeGold(task, expectedOf(task)), task.prompt).toBe(true);
  });
});
