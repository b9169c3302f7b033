/**
 * Makes foreign text (of models, devices, other people's questions) safe for a terminal or a log. Escape sequences
 * could overwrite the screen, and characters that change the writing direction could disguise a text.
 */

const REPLACEMENT = '\ufffd';

/** Control characters except newline and tab, and characters that change the writing direction. */
const UNPRINTABLE = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;
const LINE_BREAKS = /[\r\n\t\u2028\u2029]+/g;
/** Characters of this kind that JSON does not escape. */
const UNESCAPED = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** Keeps lines and tabs; replaces other control characters. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNPRINTABLE, REPLACEMENT);
}

/** The same in one line. */
export function printableLine(text: string): string {
  return printable(text.replace(LINE_BREAKS, ' '));
}

/** JSON of the value, with every character escaped that could affect a terminal. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    UNESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
