import { describe, expect, it } from 'vitest';
import { taskFamily } from './extraction.ts';
import { responseTargetMs, TASK_TYPES, taskTypeInfo, UNKNOWN_TASK } from './task-types.ts';

describe('the task types', () => {
  it.each([
    ['math', 'mathematical', 'simple'],
    ['knowledge', 'factual', 'simple'],
    ['logic', 'logical', 'medium'],
    ['code', 'coding', 'medium'],
    ['creative', 'creative', 'simple'],
    ['general', 'factual', 'simple'],
  ])('of the family %s are for the specialization %s and %s work', (family, specialization, complexity) => {
    const all = TASK_TYPES.filter(({ type }) => taskFamily(type) === family);
    expect(all.length).toBeGreaterThan(0);
    for (const info of all) expect(info).toMatchObject({ specialization, complexity });
  });

  it('have a name with two parts and an intent in words, both their own', () => {
    for (const { type, intent } of TASK_TYPES) {
      expect(type).toMatch(/^(?:math|knowledge|logic|code|creative|general)\.[a-z]+$/);
      expect(intent).toMatch(/^[a-z]+(?: [a-z]+)*$/);
    }
    expect(new Set(TASK_TYPES.map(({ type }) => type)).size).toBe(TASK_TYPES.length);
    expect(new Set(TASK_TYPES.map(({ intent }) => intent)).size).toBe(TASK_TYPES.length);
  });

  it('are found by name, and an unknown one is general', () => {
    for (const info of TASK_TYPES) expect(taskTypeInfo(info.type)).toBe(info);
    expect(taskTypeInfo('never.heard-of')).toBe(UNKNOWN_TASK);
    expect(UNKNOWN_TASK.type).toBe('general.unknown');
  });

  it('are fast within the times of the founding document', () => {
    expect((['simple', 'medium', 'complex'] as const).map(responseTargetMs)).toEqual([500, 3_000, 8_000]);
  });
});
