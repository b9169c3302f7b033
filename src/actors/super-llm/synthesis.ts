import { fillPrompt } from './decomposition.ts';
import type { Part, Synthesis, Validation } from './planner.ts';

/** Most characters of a question that are repeated before its answer. */
const MAX_ECHO = 300;

/**
 * Combines the parts' answers in the order of the question. A single answer is returned alone. Of several, each
 * follows its question, and unknown parts are listed as such.
 *
 * The confidence is the product over the answered parts: the probability that all of them are right, if they
 * are independent. Missing parts are reported as missing, so they do not lower it.
 */
export function synthesise(_question: string, parts: readonly Part[]): Synthesis {
  const answered = parts.filter((part) => part.answer !== null);
  const missing = parts.filter((part) => part.answer === null).map((part) => part.key);
  if (answered.length === 0) return { answer: null, confidence: 0, missing };
  const confidence = answered.reduce((product, part) => product * part.confidence, 1);
  const asked = questionsOf(parts);
  const answer =
    parts.length === 1
      ? (parts[0]?.answer ?? null)
      : parts.map((part, index) => sentenceFor(part, asked[index] ?? part.prompt)).join('\n');
  return { answer, confidence, missing };
}

/** The last check: whether the answer is complete, contains its parts, and is not more confident than they are. */
export function validate(_question: string, synthesis: Synthesis, parts: readonly Part[]): Validation {
  const { answer, confidence, missing } = synthesis;
  const reasons: string[] = [];
  const unknown = parts.filter((part) => part.answer === null).map((part) => part.key);
  if (unknown.join() !== missing.join()) reasons.push('the list of what is missing is not what nobody knew');
  if (answer === null) {
    if (unknown.length < parts.length) reasons.push('there are answers, but they were not put together');
    return { ok: reasons.length === 0, reasons };
  }
  if (answer.trim() === '') reasons.push('the answer is empty');
  for (const part of parts) {
    if (part.answer !== null && !answer.includes(part.answer))
      reasons.push(`${part.key} is not in the answer`);
    const problem = part.answer === null ? null : formProblem(part.taskType, part.answer);
    if (problem) reasons.push(`${part.key}: ${problem}`);
  }
  const surest = Math.min(1, ...parts.filter((part) => part.answer !== null).map((part) => part.confidence));
  if (!(confidence >= 0 && confidence <= surest)) reasons.push('the whole is surer than its weakest part');
  return { ok: reasons.length === 0, reasons };
}

function sentenceFor({ answer }: Part, asked: string): string {
  const question = asked.length > MAX_ECHO ? `${asked.slice(0, MAX_ECHO)}…` : asked;
  if (answer === null) return `I don't know: ${question}`;
  return `${question}${answer.includes('\n') ? '\n' : ' '}${answer}`;
}

/** The questions as they were asked, with earlier answers filled in. */
function questionsOf(parts: readonly Part[]): readonly string[] {
  const answers = Object.fromEntries(
    parts.flatMap(({ key, answer }) => (answer === null ? [] : [[key, answer]])),
  );
  return parts.map((part) => fillPrompt(part.prompt, answers));
}

/** What is wrong with the form of an answer of this type; null if nothing is. */
function formProblem(taskType: string, answer: string): string | null {
  if (taskType === 'math.arithmetic' && !/\p{N}/u.test(answer)) return 'a calculation without a number';
  if (taskType.startsWith('knowledge.') && !/\p{L}/u.test(answer)) return 'a place without a name';
  return answer.trim() === '' ? 'an empty answer' : null;
}
