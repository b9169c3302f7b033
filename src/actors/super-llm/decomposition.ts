import { specializationOf, taskTypeInfo, UNKNOWN_TASK } from '../../answers/task-types.ts';
import type { RoutingMode, TaskType } from '../../events/values.ts';
import { classify } from './classification.ts';
import { continueFrom } from './follow-ups.ts';
import type { Analysis, Plan, RoutingHint, Subtask } from './planner.ts';
import { cleanRequest, isRequest, listItems, MAX_ITEMS, requestsIn, withoutCourtesy } from './requests.ts';

/** How a question was split. `direct`: not at all. */
export type Strategy = 'direct' | 'list' | 'requests' | 'chain' | 'aspects';

export interface RequestPart {
  /** Complete enough to be asked alone. `{s1}` is replaced by the answer to the first part. */
  readonly prompt: string;
  readonly taskType: TaskType;
  readonly dependsOn: readonly string[];
}

export interface TakenApart {
  readonly strategy: Strategy;
  readonly parts: readonly RequestPart[];
}

interface Aspect {
  readonly pattern: RegExp;
  readonly taskType: TaskType;
  /** The verb for the request. */
  readonly verb: string;
}

/** How many Nodes answer a subtask of a query of each kind. */
const NODES = { simple: 1, medium: 3, highStakes: 5 } as const;

/** Recognises code. A text that contains code is never split. */
const CODE =
  /```|~~~|^[ \t]*(?:def|class|import|from|function|const|let|var|public|private|#include|package|func|fn)\b[^\n]*[({:;="'<]/m;

/** Recognises an undertaking ("plan a trip including …"): verb, goal, and the list of what it includes. */
const UNDERTAKING =
  /^(?:please )?(?:plan|organi[sz]e|prepare|design|develop|arrange|create|make|draw up) (.{3,300}?),? (?:including|which includes|with|covering|consisting of) (.{3,600}?)[.!?]*$/is;

/** The task types for the parts of an undertaking, by their words. Other parts are looked up like facts. */
const ASPECTS: readonly Aspect[] = [
  {
    pattern: /\b(?:budgets?|costs?|prices?|expenses?|finances?)\b/i,
    taskType: 'math.arithmetic',
    verb: 'Calculate',
  },
  {
    pattern:
      /\b(?:itinerar\w+|schedules?|programmes?|programs?|stor(?:y|ies)|invitations?|slogans?|speech|menus?|ideas?|texts?)\b/i,
    taskType: 'creative.sentence',
    verb: 'Write',
  },
  { pattern: /\b(?:scripts?|code|website|software)\b/i, taskType: 'code.write', verb: 'Write' },
];

/** The subtasks of a question, with the number of Nodes for each and where it should be routed. */
export function plan(question: string, analysis: Analysis): Plan {
  const { strategy, parts } = takeApart(question);
  const subtasks = parts.map(
    (part, index): Subtask => ({
      key: keyOf(index),
      prompt: part.prompt,
      taskType: part.taskType,
      dependsOn: part.dependsOn,
      nodes: nodesFor(analysis, part.taskType, parts.length),
    }),
  );
  return { strategy, subtasks, hints: subtasks.map((subtask) => hintFor(subtask, strategy)) };
}

/**
 * Replaces the placeholders of a prompt (`{s1}`) by earlier answers, all in one pass: braces in an answer stay
 * as they are.
 */
export function fillPrompt(prompt: string, answers: Readonly<Record<string, string>>): string {
  return prompt.replace(/\{(s\d{1,2})\}/g, (placeholder, key: string) =>
    Object.hasOwn(answers, key) ? (answers[key] ?? placeholder) : placeholder,
  );
}

/**
 * Splits a question into at most 8 requests. It is split only where the next part is a complete request ("salt
 * and pepper" stays whole), and never if it contains code. If there are more than 8 requests, the last part
 * contains all remaining ones: nothing is dropped.
 */
export function takeApart(question: string): TakenApart {
  const text = question.trim();
  const polite = withoutCourtesy(text) !== text;
  const direct: TakenApart = { strategy: 'direct', parts: [partOf(polite ? cleanRequest(text) : text)] };
  if (CODE.test(text) || classify(text) === 'code.debug')
    return { strategy: 'direct', parts: [partOf(text)] };
  const aspects = undertaking(text);
  if (aspects) return { strategy: 'aspects', parts: aspects };
  const items = listItems(text);
  if (items) return { strategy: 'list', parts: chain(limit(items)) };

  const requests = requestsIn(text);
  if (requests.length < 2) return direct;
  const parts = chain(limit(requests));
  // Small talk in several sentences is one unknown question, not several.
  if (parts.every((part) => part.taskType === UNKNOWN_TASK.type)) return direct;
  return { strategy: parts.some((part) => part.dependsOn.length > 0) ? 'chain' : 'requests', parts };
}

function nodesFor({ stakes, complexity }: Analysis, taskType: TaskType, parts: number): number {
  if (stakes === 'high') return NODES.highStakes;
  const medium = parts > 1 || complexity !== 'simple' || taskTypeInfo(taskType).complexity === 'medium';
  return medium ? NODES.medium : NODES.simple;
}

/** One answer comes from a Node, several come from a Cluster. A fact for an undertaking also gets a guest. */
function hintFor({ key, taskType, nodes }: Subtask, strategy: Strategy): RoutingHint {
  const specialization = specializationOf(taskType);
  const several: RoutingMode = strategy === 'aspects' && taskType === UNKNOWN_TASK.type ? 'mixed' : 'cluster';
  return { key, prefer: nodes > 1 ? several : 'node', specialization };
}

function undertaking(text: string): readonly RequestPart[] | null {
  const match = UNDERTAKING.exec(text.slice(0, 1000));
  if (!match || text.length > 1000 || classify(text) !== UNKNOWN_TASK.type) return null;
  const [, goal = '', list = ''] = match;
  const wanted = list
    .split(/, and |, | and |; /)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (wanted.length < 2 || wanted.length > MAX_ITEMS || wanted.some(isRequest)) return null;
  if (!wanted.some((one) => ASPECTS.some(({ pattern }) => pattern.test(one)))) return null;
  return wanted.map((one) => {
    const aspect = ASPECTS.find(({ pattern }) => pattern.test(one));
    const noun = /^(?:an?|the|some|its|my) /i.test(one) || /s$/i.test(one) ? one : `the ${one}`;
    const prompt = `${aspect?.verb ?? 'Find'} ${noun} for ${goal.trim()}.`;
    return { prompt, taskType: aspect?.taskType ?? UNKNOWN_TASK.type, dependsOn: [] };
  });
}

/** Makes the prompt of each request, with the earlier answer if the request refers to it. */
function chain(requests: readonly string[]): readonly RequestPart[] {
  const parts: RequestPart[] = [];
  for (const request of requests) {
    const prompt = cleanRequest(request);
    const before = parts.at(-1);
    const key = keyOf(parts.length - 1);
    const resolved = before ? continueFrom(prompt, before.taskType, key) : null;
    parts.push(resolved === null ? partOf(prompt) : { ...partOf(resolved), dependsOn: [key] });
  }
  return parts;
}

function partOf(prompt: string): RequestPart {
  return { prompt, taskType: classify(prompt), dependsOn: [] };
}

/** At most 8 requests. The last one contains all remaining ones. */
function limit(requests: readonly string[]): readonly string[] {
  if (requests.length <= MAX_ITEMS) return requests;
  const rest = requests.slice(MAX_ITEMS - 1).map((one) => one.trim());
  return [...requests.slice(0, MAX_ITEMS - 1), rest.join(' ')];
}

function keyOf(index: number): string {
  return `s${index + 1}`;
}
