/**
 * Text that came from elsewhere – models, devices, other people's questions – as a terminal or a log may show it. Escape
 * sequences could rewrite what stands there, and characters that turn the direction of writing could disguise it.
 */

const REPLACEMENT = '\ufffd';

/** Controls but newline and tab, and what turns the direction of writing. */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;
const LINE_BREAKS = /[\r\n\t\u2028\u2029]+/g;
/** What JSON leaves as it is. */
const UNESCAPED = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** With its lines and tabs; other controls are replaced. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNPRINTABLE, REPLACEMENT);
}

/** In one line. */
export function printableLine(text: string): string {
  return printable(text.replace(LINE_BREAKS, ' '));
}

/** JSON of the same value, in which no character does anything to a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
