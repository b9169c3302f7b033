import type { Analysis, Plan, ResourcePreference, RoutingHint, Subtask, TaskType } from './planner.ts';
import { classify, specializationOf, taskTypeInfo, UNKNOWN_TASK } from './task-types.ts';

/** How a question was taken apart; `direct` is not at all. */
export type Strategy = 'direct' | 'list' | 'requests' | 'chain' | 'aspects';

export interface RequestPart {
  /** Clean to be asked by itself; `{s1}` stands for the answer to the first part. */
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
  /** The verb that asks for it. */
  readonly verb: string;
}

const MAX_SUBTASKS = 8;

/** How many Nodes answer a subtask of a query of that kind. */
const NODES = { simple: 1, medium: 3, highStakes: 5 } as const;

/** At most so many places where a sentence might be cut are looked at: what follows stays together. */
const MAX_CUTS = 64;

const QUESTION_WORD =
  /^(?:what|which|who|whose|whom|where|when|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?:'s|’s)?\b/i;

const IMPERATIVE =
  /^(?:please )?(?:calculate|compute|multiply|add|subtract|take away|divide|double|triple|halve|square|cube|times|plus|minus|evaluate|solve|work out|find|name|tell|give|list|write|compose|create|make up|invent|describe|begin|start|generate|draft|explain|summari[sz]e|translate|define|compare|continue|complete|debug|fix|plan|show|determine|check|decide|convert|count|suggest|recommend|implement)\b/i;

/** A calculation or a capital without any verb. */
const BARE_REQUEST = /^(?:[-−(]?\d[\d.,]* ?[-+−–*×·x÷/^] ?\(?\d|(?:the )?capital (?:city )?of )/i;

/** A question that stands by itself, and no relative clause ("…, which is nice"). */
const OPEN_QUESTION =
  /^(?:what|who|where|when|why|how)(?:['’]s|(?: (?:is|are|was|were|do|does|did|can|could|would|should|many|much|old|far|long|big|tall|high|wrote|invented|discovered|painted|won))\b)/i;

const CUT = /,? and then |,? and also |,? then |, and |, | and also | and | then /g;

const SENTENCE_END = /[?!]+["”’)]*\s+|\.\s+(?=\S)/g;

const CODE =
  /```|~~~|^[ \t]*(?:def|class|import|from|function|const|let|var|public|private|#include|package|func|fn)\b[^\n]*[({:;="'<]/m;

const BULLET = /^[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]+/;

const COURTESY_BEFORE =
  /^(?:(?:hello|hi|hey|please|ok|okay|so|now|and|then|also|first|finally|next|lastly)\b[,!.]? +|(?:can|could|would|will) you (?:please )?(?=tell|give|write|calculate|compute|find|name|make|explain|describe|add|multiply)|i (?:want|need|would like) (?:you )?to (?:know )?|tell me (?=what|which|how|is\b))/i;

const COURTESY_AFTER = /,? (?:please|thanks|thank you)[.!]*$/i;

const ONLY_COURTESY =
  /^(?:please|thanks|thank you|thx|hello|hi|hey|good (?:morning|evening|day))\b[^?]{0,30}$/i;

const EXPRESSION = /^[-−(]*\d[\d\s.,()+\-−–*×·x÷/^]*[+\-−–*×·x÷/^][\d\s.,()+\-−–*×·x÷/^]*\d\)*(?:\s?=)?$/i;

/** What points back at an earlier answer, whatever that is. */
const RESULT =
  /\b(?:the (?:result|answer|outcome|previous (?:result|answer))|that (?:result|answer|number|city|country)|this (?:result|answer|number|city|country))\b/i;

/** What may point back at a number or a name. */
const PRONOUN = /\b(?:it|that|this|the (?:sum|product|difference|total|number|city|country))\b/i;

const OPERAND = `(?:(?:it|that|this|the (?:result|answer|sum|product|difference|total|number)) )?`;
const AMOUNT = String.raw`(-?\d[\d.,]*)`;

/** Calculations that go on with the earlier answer: how they read, and what is asked instead. */
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

/** The whole of an undertaking ("plan a trip including …"): verb, goal, and the list of what it includes. */
const UNDERTAKING =
  /^(?:please )?(?:plan|organi[sz]e|prepare|design|develop|arrange|create|make|draw up) (.{3,300}?),? (?:including|which includes|with|covering|consisting of) (.{3,600}?)[.!?]*$/is;

/** What the parts of an undertaking are, by their words. Others are looked up like any fact. */
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

/** The subtasks of a question, with how many Nodes shall answer each and where they should be looked for. */
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

/** Puts earlier answers into a prompt's placeholders (`{s1}`), all at once: an answer's own braces stay text. */
export function fillPrompt(prompt: string, answers: Readonly<Record<string, string>>): string {
  return prompt.replace(/\{(s\d{1,2})\}/g, (placeholder, key: string) =>
    Object.hasOwn(answers, key) ? (answers[key] ?? placeholder) : placeholder,
  );
}

/**
 * Takes a question apart into at most 8 requests. It is cut only where what follows is a request by itself, so
 * "salt and pepper" stays whole, and never when it holds code. Of more than 8 requests the last part keeps the rest:
 * nothing is dropped.
 */
export function takeApart(question: string): TakenApart {
  const text = question.trim();
  const polite = withoutCourtesy(text) !== text;
  const direct: TakenApart = { strategy: 'direct', parts: [partOf(polite ? clean(text) : text)] };
  if (CODE.test(text) || classify(text) === 'code.debug')
    return { strategy: 'direct', parts: [partOf(text)] };
  const aspects = undertaking(text);
  if (aspects) return { strategy: 'aspects', parts: aspects };
  const items = listItems(text);
  if (items) return { strategy: 'list', parts: chain(limit(items)) };

  const requests = sentences(text).flatMap(clauses);
  if (requests.length < 2) return direct;
  const parts = chain(limit(requests));
  // Small talk in several sentences is one question that nobody knows, not several.
  if (parts.every((part) => part.taskType === UNKNOWN_TASK.type)) return direct;
  return { strategy: parts.some((part) => part.dependsOn.length > 0) ? 'chain' : 'requests', parts };
}

function nodesFor({ stakes, complexity }: Analysis, taskType: TaskType, parts: number): number {
  if (stakes === 'high') return NODES.highStakes;
  const medium = parts > 1 || complexity !== 'simple' || taskTypeInfo(taskType).complexity === 'medium';
  return medium ? NODES.medium : NODES.simple;
}

/** One answer comes from a Node, several from a Cluster; what an undertaking looks up gets a guest from outside too. */
function hintFor({ key, taskType, nodes }: Subtask, strategy: Strategy): RoutingHint {
  const specialization = specializationOf(taskType);
  const several: ResourcePreference =
    strategy === 'aspects' && taskType === UNKNOWN_TASK.type ? 'mixed' : 'cluster';
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
  if (wanted.length < 2 || wanted.length > MAX_SUBTASKS || wanted.some(isRequest)) return null;
  if (!wanted.some((one) => ASPECTS.some(({ pattern }) => pattern.test(one)))) return null;
  return wanted.map((one) => {
    const aspect = ASPECTS.find(({ pattern }) => pattern.test(one));
    const noun = /^(?:an?|the|some|its|my) /i.test(one) || /s$/i.test(one) ? one : `the ${one}`;
    const prompt = `${aspect?.verb ?? 'Find'} ${noun} for ${goal.trim()}.`;
    return { prompt, taskType: aspect?.taskType ?? UNKNOWN_TASK.type, dependsOn: [] };
  });
}

/** The items of a numbered, bulleted, line-by-line or semicolon list, if each of them is a request. */
function listItems(text: string): readonly string[] | null {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const withoutTitle = lines[0]?.endsWith(':') ? lines.slice(1) : lines;
  const candidates = [
    withoutTitle.map((line) => line.replace(BULLET, '')),
    numbered(text),
    text
      .split(';')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  ];
  return candidates.find((items) => items.length > 1 && items.every(isRequest)) ?? null;
}

/** "1. … 2. …" in one line, after nothing or after a title that ends in a colon; the eighth keeps the rest. */
function numbered(text: string): readonly string[] {
  const first = /^(?:[^\n:]{0,200}:\s*)?1[.)]\s+/.exec(text);
  if (!first) return [];
  const items: string[] = [];
  let start = first[0].length;
  for (let number = 2; number <= MAX_SUBTASKS; number += 1) {
    const places = [` ${number}. `, ` ${number}) `]
      .map((mark) => text.indexOf(mark, start))
      .filter((place) => place >= 0);
    if (places.length === 0) break;
    const end = Math.min(...places);
    items.push(text.slice(start, end).trim());
    start = end + ` ${number}. `.length;
  }
  return [...items, text.slice(start).trim()];
}

/** Sentences that are requests, each with the statements before it ("All cats are animals. Is …?"). */
function sentences(text: string): readonly string[] {
  const found: string[] = [];
  let given = '';
  let context = false;
  for (const sentence of pieces(text, SENTENCE_END, 'after')) {
    if (ONLY_COURTESY.test(sentence.trim())) continue;
    if (isRequest(sentence)) {
      context ||= given !== '';
      found.push(given + sentence);
      given = '';
    } else {
      given += sentence;
    }
  }
  if (found.length === 0) return [text];
  found.push((found.pop() ?? '') + (given === '' ? '' : ` ${given}`));
  // Later questions may be about statements that stand before an earlier one.
  const unclear = found.some((sentence) => classify(sentence) === UNKNOWN_TASK.type);
  return context && unclear ? [text] : found;
}

/** The requests of one sentence: cut where the next one begins. */
function clauses(sentence: string): readonly string[] {
  const cuts = pieces(sentence, CUT, 'before', (rest) => startsRequest(rest)).slice();
  const rest = cuts.splice(MAX_CUTS).join('');
  const found: string[] = [];
  for (const piece of [...cuts, ...(rest === '' ? [] : [rest])]) {
    const current = found.at(-1);
    if (current === undefined || !separate(current, piece)) found.push((found.pop() ?? '') + piece);
    else found.push(piece);
  }
  return found;
}

/** Whether `next`, which still has its separator in front, asks for something of its own. */
function separate(current: string, next: string): boolean {
  if (!isRequest(current)) return false;
  const request = clean(next);
  const before = classify(current);
  if (dependent(request, before, 's1') !== null) return true;
  if (classify(request) !== UNKNOWN_TASK.type) return true;
  // Of unknown requests only open questions are cut off, and from code or a story only behind a comma.
  return OPEN_QUESTION.test(request) && (next.startsWith(',') || !isWordy(before));
}

/** Cuts `text` at each match outside quotes and brackets: the separator stays at the end of the one or the start of the next. */
function pieces(
  text: string,
  separator: RegExp,
  side: 'before' | 'after',
  accept: (rest: string) => boolean = () => true,
): readonly string[] {
  const masked = text.replace(/"[^"]*"|`[^`]*`|\([^()]*\)|\[[^\][]*\]/g, (quoted) =>
    '_'.repeat(quoted.length),
  );
  const found: string[] = [];
  let start = 0;
  for (const match of masked.matchAll(separator)) {
    const end = match.index + match[0].length;
    if (!accept(text.slice(end, end + 80))) continue;
    const cut = side === 'before' ? match.index : end;
    if (cut > start) found.push(text.slice(start, cut));
    start = cut;
  }
  return [...found, text.slice(start)];
}

function startsRequest(text: string): boolean {
  return QUESTION_WORD.test(text) || IMPERATIVE.test(text) || BARE_REQUEST.test(text);
}

function isRequest(text: string): boolean {
  const request = text.replace(/^[\s,;]+/, '').replace(COURTESY_BEFORE, '');
  return /\?\W*$/.test(request.slice(-20)) || startsRequest(request) || isExpression(request);
}

function isExpression(text: string): boolean {
  return text.length <= 200 && EXPRESSION.test(text.replace(/[?.!\s]+$/, ''));
}

/** Gives each request its prompt, and the earlier answer where it goes on with one. */
function chain(requests: readonly string[]): readonly RequestPart[] {
  const parts: RequestPart[] = [];
  for (const request of requests) {
    const prompt = clean(request);
    const before = parts.at(-1);
    const key = keyOf(parts.length - 1);
    const resolved = before ? dependent(prompt, before.taskType, key) : null;
    parts.push(resolved === null ? partOf(prompt) : { ...partOf(resolved), dependsOn: [key] });
  }
  return parts;
}

/** The request with the earlier answer's placeholder in it, or null when it does not go on with that. */
function dependent(prompt: string, before: TaskType, key: string): string | null {
  const bare = prompt.replace(/[.?!\s]+$/, '');
  const placeholder = `{${key}}`;
  for (const [pattern, expression] of isWordy(before) ? [] : FOLLOW_UPS) {
    if (pattern.test(bare)) {
      const asked = bare.replace(pattern, expression).replaceAll('{answer}', () => placeholder);
      return `What is ${asked}?`;
    }
  }
  if (RESULT.test(prompt)) return prompt.replace(RESULT, placeholder);
  // "it" may mean the answer only when that is short, and only if the request then makes sense to the rules.
  if (!/^(?:math|knowledge)\./.test(before) || !PRONOUN.test(prompt)) return null;
  const resolved = prompt.replace(PRONOUN, placeholder);
  return classify(resolved) === UNKNOWN_TASK.type ? null : resolved;
}

/** Types whose answers, and requests, run on over many words. */
function isWordy(taskType: TaskType): boolean {
  return taskType.startsWith('code.') || taskType.startsWith('creative.');
}

function partOf(prompt: string): RequestPart {
  return { prompt, taskType: classify(prompt), dependsOn: [] };
}

/** One request as it would be asked by itself: no separators, no courtesy, a capital letter and a closing mark. */
function clean(request: string): string {
  const text = withoutCourtesy(request.replace(/^[\s,;]+|[\s,;]+$/g, ''));
  if (isExpression(text)) return `What is ${text.replace(/[?.!=\s]+$/, '')}?`;
  const bare = QUESTION_WORD.test(text) ? text.replace(/(?<=[^.])\.$/, '') : text;
  const marked = /[.?!:…"”’)\]]$/.test(bare) ? bare : `${bare}${QUESTION_WORD.test(text) ? '?' : '.'}`;
  return /^\p{Ll}[\p{L}'’]*[ ,]/u.test(marked) ? marked.charAt(0).toUpperCase() + marked.slice(1) : marked;
}

function withoutCourtesy(text: string): string {
  let rest = text;
  for (let round = 0; round < 4; round += 1) {
    const shorter = rest.replace(COURTESY_BEFORE, '');
    if (shorter === rest || shorter.trim() === '') break;
    rest = shorter;
  }
  return rest.replace(COURTESY_AFTER, '').trim();
}

/** At most 8: the last one keeps what is left. */
function limit(requests: readonly string[]): readonly string[] {
  if (requests.length <= MAX_SUBTASKS) return requests;
  const rest = requests.slice(MAX_SUBTASKS - 1).map((one) => one.trim());
  return [...requests.slice(0, MAX_SUBTASKS - 1), rest.join(' ')];
}

function keyOf(index: number): string {
  return `s${index + 1}`;
}

function followUp(source: string): RegExp {
  return new RegExp(`^${source}$`, 'i');
}
