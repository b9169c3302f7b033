import type { Fraction } from 'mathjs';
import { compute, exactText, findNumber, raise, readDecimal, readQuantity } from '../answers/quantity.ts';

/** A question that arithmetic alone can answer. */
export interface MathsClaim {
  /** In digits, `+ - * / ^`, parentheses and decimal points only. */
  readonly expression: string;
  /** The exact value: an integer or a finite decimal if possible, else a fraction such as `1/3`. */
  readonly expected: string;
}

export type ArithmeticVerdict = 'correct' | 'incorrect' | 'not-applicable';

/** The state of the parser. `powers` is the product of all exponents so far. */
interface Reader {
  readonly tokens: readonly string[];
  at: number;
  powers: number;
}

const MAX_QUESTION = 200;
const MAX_ANSWER = 32_768;
// Exponents of nested powers multiply, so their product limits the size of the value: 9^9^9^9 is never computed.
const MAX_POWER = 256;

const OPENING =
  /^(?:(?:please|can you|could you|tell me|what is|what's|whats|what are|calculate|compute|evaluate|solve|work out|find|how much (?:is|are|does|do)|what (?:does|do)|give me|the result of|the value of|the answer to|result of)\b[\s:,]*)+/;
const CLOSING = /(?<![\s.?!])[\s.?!]*(?:=\s*(?:\?|what)?|equals?(?: what)?|makes?|gives?|please)?[\s.?!]*$/;
const DATE = /^(?:(?:19|20)\d\d([-/])\d{1,2}\1\d{1,2}|\d{1,2}([-/])\d{1,2}\2(?:19|20)\d\d)$/;
const TERM = String.raw`(-?[\d.]+|\([^()]+\))`;

/** Phrases that change the order of the operands. */
const PHRASES: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`^add ${TERM} (?:and|to) ${TERM}$`), '($1)+($2)'],
  [new RegExp(`^(?:the )?sum of ${TERM} and ${TERM}$`), '($1)+($2)'],
  [new RegExp(`^subtract ${TERM} from ${TERM}$`), '($2)-($1)'],
  [new RegExp(`^take ${TERM} (?:away )?from ${TERM}$`), '($2)-($1)'],
  [new RegExp(`^(?:the )?difference (?:of|between) ${TERM} and ${TERM}$`), '($1)-($2)'],
  [new RegExp(`^multiply ${TERM} (?:by|and|with) ${TERM}$`), '($1)*($2)'],
  [new RegExp(`^(?:the )?product of ${TERM} and ${TERM}$`), '($1)*($2)'],
  [new RegExp(`^divide ${TERM} by ${TERM}$`), '($1)/($2)'],
  [new RegExp(`^(?:the )?quotient of ${TERM} and ${TERM}$`), '($1)/($2)'],
  [new RegExp(`^${TERM}\\s?(?:%|percent) of ${TERM}$`), '($1)/100*($2)'],
];

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:multiplied by|times)\b/g, '*'],
  [/\b(?:divided by|over)\b/g, '/'],
  [/\b(?:plus|added to)\b/g, '+'],
  [/\b(?:minus|take away)\b/g, '-'],
  [/\b(?:to the power of|raised to(?: the power of)?)\b/g, '^'],
  [/\bsquared\b/g, '^2'],
  [/\bcubed\b/g, '^3'],
  [/(?<=[\d)])\s*x\s*(?=[\d(-])/g, '*'],
];

/**
 * Parses a question of pure arithmetic, such as "What is 15 × 23?" or "add 3 and 4". Returns null for any other
 * question, if the value is undefined (a division by zero), or if the question or its exponents are too large.
 */
export function parseArithmetic(question: string): MathsClaim | null {
  if (question.length > MAX_QUESTION) return null;
  const tokens = tokenize(rewrite(question));
  if (tokens === null || !tokens.some((token) => '+-*/^'.includes(token))) return null;
  const reader: Reader = { tokens, at: 0, powers: 1 };
  const value = readSum(reader);
  if (value === null || reader.at < tokens.length) return null;
  return { expression: tokens.join(''), expected: exactText(value) };
}

/**
 * Checks the number in an answer (the last one, if the answer shows its working). An answer without a number is
 * incorrect unless it is empty; the caller must recognise an "I don't know". If the exact value is not a finite
 * decimal, as 1/3, an answer that is rounded to two places or more is correct.
 */
export function checkArithmetic(question: string, answer: string): ArithmeticVerdict {
  const claim = parseArithmetic(question);
  if (claim === null || answer.trim() === '') return 'not-applicable';
  const given = answer.length > MAX_ANSWER ? null : findNumber(answer, 'last');
  const quantity = given === null ? null : readQuantity(given);
  const expected = readQuantity(claim.expected);
  // A value that is too long to be read as a number is compared by its digits.
  if (expected === null) return answer.replace(/[,\s]/g, '') === claim.expected ? 'correct' : 'incorrect';
  if (given === null || quantity === null) return 'incorrect';
  if (quantity.value.equals(expected.value)) return 'correct';
  const places = /\.(\d+)$/.exec(given)?.[1]?.length ?? 0;
  const rounded = claim.expected.includes('/') && places >= 2;
  return rounded && quantity.value.equals(expected.value.round(places)) ? 'correct' : 'incorrect';
}

function rewrite(question: string): string {
  let text = question.toLowerCase().replace(/\s+/g, ' ').trim().replace(OPENING, '').replace(CLOSING, '');
  text = text
    .replace(/\d{1,3}(?:,\d{3})+(?![\d,])/g, (number) => number.replaceAll(',', ''))
    .replace(/[×·⋅✕]/g, '*')
    .replace(/÷/g, '/')
    .replace(/[−–]/g, '-')
    .replaceAll('**', '^');
  for (const [phrase, order] of PHRASES) {
    if (phrase.test(text)) return text.replace(phrase, order);
  }
  // A date is not a subtraction or division, and 0x1F is one numeral.
  if (DATE.test(text) || /\b0x/.test(text)) return '';
  for (const [word, operator] of WORDS) text = text.replace(word, operator);
  return text;
}

/** Splits the text into tokens. Null if it contains anything but numerals, operators and parentheses. */
function tokenize(text: string): readonly string[] | null {
  const tokens: string[] = [];
  for (const [token] of text.matchAll(/\d+(?:\.\d+)?|\.\d+|[-+*/^()]|\S/g)) {
    const numeral = /^[\d.]+$/.test(token);
    if (numeral ? readDecimal(token) === null || /^0\d/.test(token) : !'+-*/^()'.includes(token)) return null;
    tokens.push(token);
  }
  return tokens;
}

function readSum(reader: Reader): Fraction | null {
  let value = readProduct(reader);
  for (let operator = peek(reader); operator === '+' || operator === '-'; operator = peek(reader)) {
    reader.at += 1;
    const right = readProduct(reader);
    if (value === null || right === null) return null;
    value = compute(operator, value, right);
  }
  return value;
}

function readProduct(reader: Reader): Fraction | null {
  let value = readSigned(reader);
  for (let operator = peek(reader); operator === '*' || operator === '/'; operator = peek(reader)) {
    reader.at += 1;
    const right = readSigned(reader);
    if (value === null || right === null) return null;
    value = compute(operator, value, right);
  }
  return value;
}

/** A sign binds less tightly than a power: -2^2 is -4. */
function readSigned(reader: Reader): Fraction | null {
  if (peek(reader) !== '-') return readPower(reader);
  reader.at += 1;
  return readSigned(reader)?.neg() ?? null;
}

function readPower(reader: Reader): Fraction | null {
  const base = readOperand(reader);
  if (peek(reader) !== '^') return base;
  reader.at += 1;
  const sign = peek(reader) === '-' ? -1 : 1;
  if (sign === -1) reader.at += 1;
  const numeral = peek(reader) ?? '';
  reader.at += 1;
  // An exponent must be a written integer, and powers must not be stacked, because calculators read 2^3^4 differently.
  if (base === null || !/^\d{1,3}$/.test(numeral) || peek(reader) === '^') return null;
  reader.powers *= Math.max(1, Number(numeral));
  return reader.powers > MAX_POWER ? null : raise(base, sign * Number(numeral));
}

function readOperand(reader: Reader): Fraction | null {
  const token = peek(reader);
  reader.at += 1;
  if (token === undefined) return null;
  if (token !== '(') return readDecimal(token);
  const value = readSum(reader);
  if (peek(reader) !== ')') return null;
  reader.at += 1;
  return value;
}

function peek(reader: Reader): string | undefined {
  return reader.tokens[reader.at];
}
