import type { AnswerKind } from '../events/values.ts';
import { findNumber, readQuantity } from './quantity.ts';
import { copulaSides, plainWords, wordCount } from './words.ts';

export interface ExtractedAnswer {
  readonly kind: AnswerKind;
  /**
   * The answer without its wording, as a user reads it: `1000` for "1,000", `Paris` for "The capital is Paris".
   * Empty for 'none'.
   */
  readonly value: string;
  /**
   * The sentence that a name or truth value was found in, in plain words. Absent if the text was only the
   * answer.
   */
  readonly sentence?: string;
}

const NONE: ExtractedAnswer = { kind: 'none', value: '' };
const WORDLIKE = /[\p{L}\p{N}]/u;
const MAX_CLOSED_TEXT = 32_768;
const MAX_NAME_WORDS = 5;

const ABSTENTION =
  /^(?:(?:i'm |i am )?sorry[,.!]?\s+(?:but )?|unfortunately,?\s+|hm+[,.]?\s+)?(?:i (?:do not|don't|really don't) (?:know|have)|i (?:cannot|can't|could not|couldn't) (?:answer|tell|say|know|determine|help)|i(?:'m| am) (?:not (?:sure|certain|able)|unsure|unable)|(?:do not|don't) know|not sure|no idea|idk)(?!\w)/i;
const UNKNOWN = /^(?:unknown|n\/a|it is unknown)$/i;
const UNDECIDABLE =
  /^(?:unknown|undetermined|it is unknown|(?:it |this )?(?:cannot|can't|can not) be (?:determined|known|decided))\b/i;
const MARKER =
  /(?:####|(?:^|\n)[ \t]*A(?:nswer)?[ \t]*:|\b(?:final |correct )?answer(?: is\b:?|:| =)|\\boxed\{)[ \t]*/gi;
const TRUTH = /^(yes|no|true|false)(?=$|\s*[,.;:!])/i;
const TRUTH_SAID = /\b(?:is|are|statement is|it's|so|therefore|hence)[,:]? (not )?(true|false|yes|no)[.!]?$/i;
/** A conclusion directly after its working, without a space: `Eva>Bob>Zoe:Zoe`, `not true=false`, `0=0,1<3:yes`. */
const WORKED = /\S[:=]([^\s:=][^:=\n]{0,60})$/;
const CHOICE = /^(?:\(([A-Ja-j])\)|([A-J])(?=$|[.):](?:\s|$)))/;
const BRACKETED = /^(?:\[[^\n]*\]|\{[^\n]*\}|\([^\n]*,[^\n]*\))$/;
const FENCE = /```[\w+#-]*[ \t]*\n([\s\S]*?)(?:\n```|$)/;
const RETURNS = /\b(?:returns?|evaluates to|gives|prints?|outputs?|is)\s+(\S.*)$/;
const DESCRIPTION = /\b(?:capital|city|country|answer|name|number|word|one)\b|'s\b|^(?:it|that|this)$/i;
const OF_COUNTRY = /\bcapital(?: city)? of ((?:the )?[^\s,.;]+(?: (?!is\b|was\b)[^\s,.;]+){0,4})/i;
const HAS_CAPITAL = /^(.{1,60}?) has .+ capital\b/i;

/** The part before the dot: `math` for `math.arithmetic`. */
export function taskFamily(taskType: string): string {
  return taskType.split('.', 1)[0] ?? taskType;
}

/** Tasks without a single right answer: two different answers are two wordings, not a disagreement. */
export function isOpenEnded(taskType: string): boolean {
  return taskFamily(taskType) === 'creative';
}

/**
 * Finds the answer in a model's text. `taskType` is `family.kind`, for example `math.arithmetic`. Never throws
 * and never computes: everything that it returns is in the text.
 */
export function extractAnswer(text: string, taskType: string): ExtractedAnswer {
  const whole = text.trim().replaceAll('’', "'");
  const family = taskFamily(taskType);
  if (whole === '' || ABSTENTION.test(whole)) return NONE;
  if (isOpenEnded(taskType) || whole.length > MAX_CLOSED_TEXT) return { kind: 'text', value: whole };
  if (family === 'code' && taskType !== 'code.evaluate') return { kind: 'code', value: programIn(whole) };

  const stated = statedAnswer(whole);
  const answer = stated ?? whole;
  const concluded = family === 'logic' ? WORKED.exec(answer)?.[1] : undefined;
  const bare = undress(concluded ?? answer, taskType);
  if (ABSTENTION.test(bare) || (family !== 'logic' && UNKNOWN.test(bare))) return NONE;
  if (family !== 'code' && !WORDLIKE.test(bare)) return NONE;
  const plain = plainAnswer(bare, taskType);
  if (plain !== null) return plain;

  switch (family) {
    case 'math':
      return numberIn(answer, stated !== null) ?? { kind: 'text', value: bare };
    case 'code': {
      const returned = RETURNS.exec(bare)?.[1];
      const value = returned === undefined ? bare : undress(returned, taskType);
      return plainAnswer(value, taskType) ?? { kind: 'code', value };
    }
    case 'logic':
      return truthIn(bare) ?? nextIn(answer, taskType) ?? nameIn(bare, taskType) ?? textOf(bare);
    case 'knowledge':
      return nameIn(bare, taskType) ?? textOf(bare);
    default:
      return wordCount(bare) <= MAX_NAME_WORDS && copulaSides(bare) === null
        ? { kind: 'name', value: bare }
        : textOf(answer);
  }
}

/** The text after the last explicit marker, such as `####`, `A:` or "the answer is"; null if there is none. */
function statedAnswer(text: string): string | null {
  const marker = [...text.matchAll(MARKER)].at(-1);
  if (marker === undefined) return null;
  const rest = text.slice(marker.index + marker[0].length).trim();
  const stated = marker[0].startsWith('\\') ? rest.split('}', 1)[0] : rest;
  return stated === undefined || stated === '' ? null : stated;
}

/**
 * Removes quotes, emphasis and the full stop around a bare answer. Strings that an expression returns keep
 * their quotes.
 */
function undress(text: string, taskType: string): string {
  const wrapped = taskType === 'code.evaluate' ? /^(\*\*|`)([\s\S]+)\1$/ : /^(\*\*|`|"|')([\s\S]+)\1$/;
  const stopped = text.trim().replace(/(?<=[^.])[.!]$/, '');
  return (wrapped.exec(stopped)?.[2] ?? stopped).replace(/(?<=[^.])[.!]$/, '').trim();
}

/** Answers that their shape alone identifies. */
function plainAnswer(text: string, taskType: string): ExtractedAnswer | null {
  const number = readQuantity(text) === null ? null : findNumber(text, 'first');
  if (number !== null) return { kind: 'number', value: number };
  if (BRACKETED.test(text)) return { kind: 'list', value: text.replace(/\s+/g, ' ') };
  if (taskFamily(taskType) === 'code') return null;
  if (taskFamily(taskType) === 'logic' && UNDECIDABLE.test(text)) return { kind: 'truth', value: 'unknown' };
  const truth = TRUTH.exec(text)?.[1];
  if (truth !== undefined) return { kind: 'truth', value: truth.toLowerCase() };
  const choice = CHOICE.exec(text);
  if (choice !== null) return { kind: 'choice', value: (choice[1] ?? choice[2] ?? '').toUpperCase() };
  return taskFamily(taskType) !== 'math' && isEnumeration(text) ? { kind: 'list', value: text } : null;
}

/** Three or more short items between commas. */
function isEnumeration(text: string): boolean {
  const items = text.split(',');
  return items.length >= 3 && items.every((item) => item.trim() !== '' && wordCount(item) <= 3);
}

/** The number after the marker, else after the last `:` or `=` of the working, else the last number. */
function numberIn(text: string, stated: boolean): ExtractedAnswer | null {
  const tail = text.slice(Math.max(text.lastIndexOf(':'), text.lastIndexOf('=')) + 1);
  if (tail.trim() === '') return NONE; // the working ends before its result
  const number = findNumber(stated ? text : tail, 'first') ?? findNumber(text, 'last');
  return number === null ? null : { kind: 'number', value: number };
}

function nextIn(text: string, taskType: string): ExtractedAnswer | null {
  const number = taskType === 'logic.sequence' ? findNumber(text, 'last') : null;
  return number === null ? null : { kind: 'number', value: number };
}

function truthIn(text: string): ExtractedAnswer | null {
  const [, not, word] = TRUTH_SAID.exec(text) ?? [];
  if (word === undefined) return null;
  const said = word.toLowerCase();
  const value = not === undefined ? said : said === 'true' || said === 'yes' ? 'false' : 'true';
  return { kind: 'truth', value, sentence: plainWords(text) };
}

/** The name in a bare answer, or in the first or last sentence. Null if no part of it is clearly the answer. */
function nameIn(text: string, taskType: string): ExtractedAnswer | null {
  const sentences = text.split(/(?<=[.!?])\s+/);
  for (const sentence of [sentences[0], sentences.at(-1)]) {
    if (sentence === undefined) continue;
    const name = shortName(answeringPart(undress(sentence, taskType), taskType));
    if (name !== null) {
      const bare = plainWords(name) === plainWords(text);
      return { kind: 'name', value: name, ...(bare ? {} : { sentence: plainWords(text) }) };
    }
  }
  return null;
}

/**
 * The part of a sentence that is not the description of the question: `Tokyo` in "the capital of Japan is
 * Tokyo".
 */
function answeringPart(sentence: string, taskType: string): string {
  if (taskType === 'knowledge.country') {
    const country = OF_COUNTRY.exec(sentence)?.[1] ?? HAS_CAPITAL.exec(sentence)?.[1];
    if (country !== undefined) return country;
  }
  const sides = copulaSides(sentence);
  if (sides === null) return sentence;
  const [left, right] = sides;
  const surplus = descriptiveness(left) - descriptiveness(right);
  return surplus === 0 ? sentence : surplus > 0 ? right : left;
}

function descriptiveness(part: string): number {
  return (DESCRIPTION.test(part) ? 2 : 0) + (/^(?:the|an?|its|their)\b/i.test(part) ? 1 : 0);
}

function shortName(text: string): string | null {
  const name = (text.split(/[,;(]/, 1)[0] ?? '').replace(/^["'*]+|["'*.!]+$/g, '').trim();
  return !WORDLIKE.test(name) || wordCount(name) > MAX_NAME_WORDS || copulaSides(name) !== null ? null : name;
}

function programIn(text: string): string {
  const fenced = FENCE.exec(text)?.[1] ?? text;
  return fenced
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

function textOf(value: string): ExtractedAnswer {
  return { kind: 'text', value };
}
