import { UNKNOWN_TASK } from '../../answers/task-types.ts';
import { classify } from './classification.ts';
import { continueFrom, isWordy } from './follow-ups.ts';

/** Most requests that a question is split into. */
export const MAX_ITEMS = 8;

/** Most places of a text where a split is considered. The rest stays together. */
const MAX_CUTS = 64;

const QUESTION_WORD =
  /^(?:what|which|who|whose|whom|where|when|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?:'s|’s)?\b/i;

const IMPERATIVE =
  /^(?:please )?(?:calculate|compute|multiply|add|subtract|take away|divide|double|triple|halve|square|cube|times|plus|minus|evaluate|solve|work out|find|name|tell|give|list|write|compose|create|make up|invent|describe|begin|start|generate|draft|explain|summari[sz]e|translate|define|compare|continue|complete|debug|fix|plan|show|determine|check|decide|convert|count|suggest|recommend|implement)\b/i;

/** A calculation or a capital without a verb. */
const BARE_REQUEST = /^(?:[-−(]?\d[\d.,]* ?[-+−–*×·x÷/^] ?\(?\d|(?:the )?capital (?:city )?of )/i;

/** A complete question, not a relative clause ("…, which is nice"). */
const OPEN_QUESTION =
  /^(?:what|who|where|when|why|how)(?:['’]s|(?: (?:is|are|was|were|do|does|did|can|could|would|should|many|much|old|far|long|big|tall|high|wrote|invented|discovered|painted|won))\b)/i;

const CUT = /,? and then |,? and also |,? then |, and |, | and also | and | then /g;

const SENTENCE_END = /(?<![?!])[?!]+["”’)]*\s+|\.\s+(?=\S)/g;

const BULLET = /^[ \t]*(?:\d{1,2}[.)]|[-*•])[ \t]+/;

const COURTESY_BEFORE =
  /^(?:(?:hello|hi|hey|please|ok|okay|so|now|and|then|also|first|finally|next|lastly)\b[,!.]? +|(?:can|could|would|will) you (?:please )?(?=tell|give|write|calculate|compute|find|name|make|explain|describe|add|multiply)|i (?:want|need|would like) (?:you )?to (?:know )?|tell me (?=what|which|how|is\b))/i;

const COURTESY_AFTER = /,? (?:please|thanks|thank you)[.!]*$/i;

const ONLY_COURTESY =
  /^(?:please|thanks|thank you|thx|hello|hi|hey|good (?:morning|evening|day))\b[^?]{0,30}$/i;

const EXPRESSION = /^[-−(]*\d[\d\s.,()+\-−–*×·x÷/^]*[+\-−–*×·x÷/^][\d\s.,()+\-−–*×·x÷/^]*\d\)*(?:\s?=)?$/i;

/** The items of a numbered, bulleted, line-by-line or semicolon list, if each of them is a request. Else null. */
export function listItems(text: string): readonly string[] | null {
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

/**
 * "1. … 2. …" on one line, at the beginning or after a title that ends in a colon. The eighth item contains the
 * rest.
 */
function numbered(text: string): readonly string[] {
  const first = /^(?:[^\n:]{0,200}:\s*)?1[.)]\s+/.exec(text);
  if (!first) return [];
  const items: string[] = [];
  let start = first[0].length;
  for (let number = 2; number <= MAX_ITEMS; number += 1) {
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

/** The requests of a text in order, word for word; the whole text if it is only one. */
export function requestsIn(text: string): readonly string[] {
  return sentences(text).flatMap(clauses);
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
  // Later questions may refer to statements before an earlier question.
  const unclear = found.some((sentence) => classify(sentence) === UNKNOWN_TASK.type);
  return context && unclear ? [text] : found;
}

/** The requests of one sentence. It is split where the next request begins. */
function clauses(sentence: string): readonly string[] {
  const found: string[] = [];
  for (const piece of pieces(sentence, CUT, 'before', startsRequest)) {
    const current = found.at(-1);
    if (current === undefined || !separate(current, piece)) found.push((found.pop() ?? '') + piece);
    else found.push(piece);
  }
  return found;
}

/** Whether `next`, which still begins with its separator, is a separate request. */
function separate(current: string, next: string): boolean {
  if (!isRequest(current)) return false;
  const request = cleanRequest(next);
  const before = classify(current);
  if (continueFrom(request, before, 's1') !== null) return true;
  if (classify(request) !== UNKNOWN_TASK.type) return true;
  // Of unknown requests, only open questions are split off; after code or a story only with a comma.
  return OPEN_QUESTION.test(request) && (next.startsWith(',') || !isWordy(before));
}

/**
 * Splits `text` at each match outside quotes and brackets. The separator stays at the end of one piece or at
 * the beginning of the next.
 */
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
    if (found.length === MAX_CUTS) break;
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

export function isRequest(text: string): boolean {
  const request = text.replace(/^[\s,;]+/, '').replace(COURTESY_BEFORE, '');
  return /\?\W*$/.test(request.slice(-20)) || startsRequest(request) || isExpression(request);
}

function isExpression(text: string): boolean {
  return text.length <= 200 && EXPRESSION.test(text.replace(/[?.!\s]+$/, ''));
}

/** A request as it would be asked alone: no separators, no courtesy, a capital letter and a closing mark. */
export function cleanRequest(request: string): string {
  const text = withoutCourtesy(withoutEnd(request.replace(/^[\s,;]+/, ''), /[\s,;]/));
  if (isExpression(text)) return `What is ${withoutEnd(text, /[?.!=\s]/)}?`;
  const bare = QUESTION_WORD.test(text) ? text.replace(/(?<=[^.])\.$/, '') : text;
  const marked = /[.?!:…"”’)\]]$/.test(bare) ? bare : `${bare}${QUESTION_WORD.test(text) ? '?' : '.'}`;
  return /^\p{Ll}[\p{L}'’]*[ ,]/u.test(marked) ? marked.charAt(0).toUpperCase() + marked.slice(1) : marked;
}

export function withoutCourtesy(text: string): string {
  let rest = text;
  for (let round = 0; round < 4; round += 1) {
    const shorter = rest.replace(COURTESY_BEFORE, '');
    if (shorter === rest || shorter.trim() === '') break;
    rest = shorter;
  }
  return rest.replace(COURTESY_AFTER, '').trim();
}

/**
 * Removes trailing characters one by one. A regular expression would take quadratic time for long runs inside
 * the text.
 */
function withoutEnd(text: string, drop: RegExp): string {
  let end = text.length;
  while (end > 0 && drop.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
