import type { Equivalence } from '../events/values.ts';
import type { ExtractedAnswer } from './extraction.ts';
import { matchQuantities, readQuantity } from './quantity.ts';
import { copulaSides, plainWords } from './words.ts';

const CODE_TOKEN = /\n[ \t]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`|#[^\n]*|\/\/[^\n]*|\w+|[^\s\w]/g;
const JAVASCRIPT = /=>|\b(?:function|const|let|var)\b/;

/**
 * How two answers compare: the same text ('exact'), the same value ('equivalent': numbers, units, sets,
 * programs that differ only in layout), or the same words ('semantic'). Symmetric. An abstention is different
 * from everything, also from another abstention. Programs that merely behave the same are 'different', because
 * only running them could show it.
 */
export function compareAnswers(a: ExtractedAnswer, b: ExtractedAnswer): Equivalence {
  if (a.kind === 'none' || b.kind === 'none') return 'different';
  if (a.kind === b.kind && a.value === b.value) return a.sentence === b.sentence ? 'exact' : 'semantic';
  if (a.kind !== b.kind) return sameWords(a.value, b.value) ? 'semantic' : 'different';
  switch (a.kind) {
    case 'number':
      return compareNumbers(a.value, b.value);
    case 'truth':
      return polarity(a.value) === polarity(b.value) ? 'equivalent' : 'different';
    case 'list':
      return sameLists(a.value, b.value) ? 'equivalent' : 'different';
    case 'code':
      return codeTokens(a.value) === codeTokens(b.value) ? 'equivalent' : 'different';
    case 'name':
      return sameWords(a.value, b.value) ? 'equivalent' : 'different';
    case 'text':
      return sameWords(a.value, b.value) || turnedAround(a.value, b.value) ? 'semantic' : 'different';
    case 'choice':
      return 'different';
  }
}

function compareNumbers(a: string, b: string): Equivalence {
  const [left, right] = [readQuantity(a), readQuantity(b)];
  if (left === null || right === null) return 'different';
  const match = matchQuantities(left, right);
  return match === 'equal' ? 'equivalent' : match === 'unit-left-unsaid' ? 'semantic' : 'different';
}

function polarity(truth: string): string {
  return truth === 'yes' ? 'true' : truth === 'no' ? 'false' : truth;
}

function sameWords(a: string, b: string): boolean {
  const words = plainWords(a);
  return words !== '' && words === plainWords(b);
}

/** "Paris is the capital" and "The capital is Paris". */
function turnedAround(a: string, b: string): boolean {
  const [left, right] = [copulaSides(a), copulaSides(b)];
  return left !== null && right !== null && sameWords(left[0], right[1]) && sameWords(left[1], right[0]);
}

function sameLists(a: string, b: string): boolean {
  const [left, right] = [readList(a), readList(b)];
  return left.bracket === right.bracket && left.items.join('\n') === right.items.join('\n');
}

/**
 * The items in comparable form. They are sorted if order has no meaning: in braces, and in an enumeration of
 * words.
 */
function readList(text: string): { readonly bracket: string; readonly items: readonly string[] } {
  const bracket = /^[[({]/.exec(text)?.[0] ?? '';
  const items = splitItems(bracket === '' ? text : text.slice(1, -1)).map(comparableItem);
  const ordered =
    bracket === '[' || bracket === '(' || (bracket === '' && items.every((item) => item.startsWith('#')));
  return { bracket, items: ordered ? items : items.toSorted() };
}

/** Splits at commas outside brackets and quotes. */
function splitItems(text: string): readonly string[] {
  const items = [''];
  let depth = 0;
  for (const [part] of text.matchAll(/"[^"]*"|'[^']*'|[\s\S]/g)) {
    if ('[({'.includes(part)) depth += 1;
    if ('])}'.includes(part)) depth -= 1;
    if (part === ',' && depth === 0) items.push('');
    else items.push(`${items.pop() ?? ''}${part}`);
  }
  return items.map((item) => item.trim()).filter((item) => item !== '');
}

function comparableItem(item: string): string {
  const quantity = readQuantity(item);
  if (quantity !== null) return `#${quantity.value.toFraction()} ${quantity.unit ?? ''}`;
  return /^["'[({]/.test(item) ? codeTokens(item) : plainWords(item.replace(/^and /, ''));
}

/** A program without its layout: no comments, one kind of quotes, and for Python the depth of indentation. */
function codeTokens(code: string): string {
  const javascript = JAVASCRIPT.test(code);
  const comment = javascript ? '//' : '#';
  const tokens: string[] = [];
  for (const [token] of code.matchAll(CODE_TOKEN)) {
    if (token.startsWith('//') && !javascript) tokens.push('//', codeTokens(token.slice(2)));
    else if (token.startsWith('#') && javascript) tokens.push('#', codeTokens(token.slice(1)));
    else if (token.startsWith(comment) || (javascript && /^[\n;]/.test(token))) continue;
    else tokens.push(/^'[^"\\]*'$/.test(token) ? `"${token.slice(1, -1)}"` : token);
  }
  return javascript ? tokens.join(' ') : ranked(tokens).join(' ');
}

/** Replaces each indentation by its rank, so that two and four spaces compare equal, and removes blank lines. */
function ranked(tokens: readonly string[]): readonly string[] {
  const lines = tokens.filter(
    (token, at) => !token.startsWith('\n') || !(tokens[at + 1] ?? '\n').startsWith('\n'),
  );
  const width = (token: string): number => token.replaceAll('\t', '    ').length;
  const widths = [...new Set(lines.filter((token) => token.startsWith('\n')).map(width))].toSorted(
    (a, b) => a - b,
  );
  return lines.map((token) => (token.startsWith('\n') ? `\n${widths.indexOf(width(token))}` : token));
}
