import { UNKNOWN_TASK } from '../../answers/task-types.ts';
import type { TaskType } from '../../events/values.ts';
import { classify } from './classification.ts';

/** Refers to an earlier answer of any kind. */
const RESULT =
  /\b(?:the (?:result|answer|outcome|previous (?:result|answer))|that (?:result|answer|number|city|country)|this (?:result|answer|number|city|country))\b/i;

/** May refer to a number or a name. */
const PRONOUN = /\b(?:it|that|this|the (?:sum|product|difference|total|number|city|country))\b/i;

const OPERAND = `(?:(?:it|that|this|the (?:result|answer|sum|product|difference|total|number)) )?`;
const AMOUNT = String.raw`(-?\d[\d.,]*)`;

/** Longest text that can be a follow-up calculation, in characters. */
const MAX_FOLLOW_UP = 100;

/** Follow-up calculations: their patterns, and the question to ask instead. */
const FOLLOW_UPS: readonly (readonly [RegExp, string])[] = [
  [followUp(`(?:multiply ${OPERAND}(?:by|with)|times) ${AMOUNT}`), '{answer} × $1'],
  [followUp(`divide ${OPERAND}by ${AMOUNT}`), '{answer} ÷ $1'],
  [followUp(`(?:add|plus) ${AMOUNT}(?: to (?:it|that|this|the \\w+))?`), '{answer} + $1'],
  [followUp(`(?:subtract|take away|minus) ${AMOUNT}(?: from (?:it|that|this|the \\w+))?`), '{answer} - $1'],
  [followUp(`double(?: it| that| this| the \\w+)?`), '{answer} × 2'],
  [followUp(`triple(?: it| that| this| the \\w+)?`), '{answer} × 3'],
  [followUp(`halve(?: it| that| this| the \\w+)?`), '{answer} ÷ 2'],
  [followUp(`square(?: it| that| this| the \\w+)?`), '{answer} × {answer}'],
];

/** The request with the placeholder of the earlier answer; null if the request does not refer to it. */
export function continueFrom(prompt: string, before: TaskType, key: string): string | null {
  const bare = prompt.length > MAX_FOLLOW_UP ? '' : prompt.replace(/[.?!\s]+$/, '');
  const placeholder = `{${key}}`;
  for (const [pattern, expression] of isWordy(before) ? [] : FOLLOW_UPS) {
    if (pattern.test(bare)) {
      const asked = bare.replace(pattern, expression).replaceAll('{answer}', () => placeholder);
      return `What is ${asked}?`;
    }
  }
  if (RESULT.test(prompt)) return prompt.replace(RESULT, placeholder);
  // "it" means the answer only if that is short, and only if the rules then recognise the request.
  if (!/^(?:math|knowledge)\./.test(before) || !PRONOUN.test(prompt)) return null;
  const resolved = prompt.replace(PRONOUN, placeholder);
  return classify(resolved) === UNKNOWN_TASK.type ? null : resolved;
}

/** Task types whose answers and requests have many words. */
export function isWordy(taskType: TaskType): boolean {
  return taskType.startsWith('code.') || taskType.startsWith('creative.');
}

function followUp(source: string): RegExp {
  return new RegExp(`^${source}$`, 'i');
}
