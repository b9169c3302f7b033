import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { taskFamily } from '../answers/extraction.ts';
import { GoldTask } from '../events/evolution.ts';
import { parseHeldOut } from '../inference/measure.ts';
import { miniatureTasks, sampleTasks, simulatedTasks } from './tasks.ts';

const items = parseHeldOut(
  readFileSync(join(import.meta.dirname, '../../models/miniature/heldout.json'), 'utf8'),
);
const miniature = miniatureTasks(items);

function countsOf(tasks: readonly GoldTask[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { taskType } of tasks) {
    const family = taskFamily(taskType);
    counts[family] = (counts[family] ?? 0) + 1;
  }
  return counts;
}

describe.each([
  ['miniature', miniature],
  ['simulated', simulatedTasks(7)],
])('the pools of %s tasks', (_name, { training, heldOut }) => {
  it('have no prompt in common, and none twice', () => {
    const prompts = [...training, ...heldOut].map(({ prompt }) => prompt);
    expect(new Set(prompts).size).toBe(prompts.length);
  });

  it('have as many tasks of each of the five families, give or take one', () => {
    const [ours, theirs] = [countsOf(training), countsOf(heldOut)];
    expect(Object.keys(ours).sort()).toEqual(['code', 'creative', 'knowledge', 'logic', 'math']);
    for (const [family, count] of Object.entries(ours)) {
      expect(Math.abs(count - (theirs[family] ?? 0))).toBeLessThanOrEqual(1);
      expect(count).toBeGreaterThan(30);
    }
  });

  it('are gold tasks as events hold them', () => {
    for (const task of [...training, ...heldOut]) expect(GoldTask.parse(task)).toEqual(task);
  });
});

describe('the pools of miniature tasks', () => {
  it('are the same whatever order the prompts stand in', () => {
    const turned = miniatureTasks([...items].reverse());
    const prompts = (tasks: readonly GoldTask[]) => tasks.map(({ prompt }) => prompt).sort();
    expect(prompts(turned.training)).toEqual(prompts(miniature.training));
  });

  it('leave out nonsense and programs, and keep nearly everything else', () => {
    const left = new Set([...miniature.training, ...miniature.heldOut].map(({ prompt }) => prompt));
    const out = items.filter(({ prompt }) => !left.has(prompt));
    const known = out.filter(
      ({ family, kind }) => family !== 'none' && !(family === 'code' && kind !== 'evaluate'),
    );
    expect(out.length).toBeGreaterThan(250);
    expect(known.length).toBeLessThan(0.03 * left.size);
  });
});

describe('a sample of tasks', () => {
  it('is the same for the same parts, differs for others, and takes families in turn', () => {
    const sample = sampleTasks(miniature.training, 10, 7, 'cluster', 1);
    expect(sampleTasks(miniature.training, 10, 7, 'cluster', 1)).toEqual(sample);
    expect(sampleTasks(miniature.training, 10, 7, 'cluster', 2)).not.toEqual(sample);
    expect(Object.values(countsOf(sample))).toEqual([2, 2, 2, 2, 2]);
    expect(new Set(sample).size).toBe(10);
  });

  it('of more tasks than there are is all of them', () => {
    expect(new Set(sampleTasks(miniature.heldOut, 10_000, 1))).toEqual(new Set(miniature.heldOut));
  });
});
