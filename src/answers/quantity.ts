import { createRequire } from 'node:module';
import type { Fraction } from 'mathjs';

/** An exact number, with a unit of measure if mathjs knows it. */
export interface Quantity {
  readonly value: Fraction;
  /** As written; null for a bare number. '%' is only a label: 50 % is not the same as 0.5. */
  readonly unit: string | null;
}

/** 'unit-left-unsaid': the numbers are equal and one of them has a unit. */
export type QuantityMatch = 'equal' | 'unit-left-unsaid' | 'different';

export type ArithmeticOperator = '+' | '-' | '*' | '/';

const MAX_DIGITS = 40;
const MAX_POWER_OF_TEN = 30;

const DIGITS = String.raw`(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,2}(?![\w.]))?`;
const NUMBER = String.raw`[-−+]?\s?[$€£¥]?\s?${DIGITS}(?:\s?\/\s?\d+(?![\d.]))?`;
const NUMBER_IN_PROSE = new RegExp(String.raw`(?<![\w.,]|\d\s?)${NUMBER}|(?<![\w.])${DIGITS}`, 'g');
const WHOLE_QUANTITY = new RegExp(String.raw`^(${NUMBER})(?:\s?(\S.*))?$`);
const UNIT = /^[a-zA-Zµ°]{1,20}(?:\^[23])?(?:\/[a-zA-Z]{1,20}(?:\^[23])?)?$/;

// The single-file build loads in 80 ms, the package's 1,500 modules in more than a second. It has no types,
// hence the cast. Only arithmetic on fractions and units is used: no text ever reaches a parser or evaluator.
const mathjs = createRequire(import.meta.url)('mathjs/lib/browser/math.js') as typeof import('mathjs');
const { fraction, unit } = mathjs.create(mathjs.all ?? {}, { number: 'Fraction' });

/**
 * Parses a text that is one number, optionally with currency, thousands separators, a denominator and a unit.
 * Null for other text.
 */
export function readQuantity(text: string): Quantity | null {
  if (text.length > 2 * MAX_DIGITS) return null;
  const [, number, name] = WHOLE_QUANTITY.exec(text.trim()) ?? [];
  if (number === undefined) return null;
  const value = readNumber(tidyNumber(number));
  if (value === null) return null;
  if (name === undefined) return { value, unit: null };
  return isUnit(name) ? { value, unit: name } : null;
}

/**
 * The first or last number in a text, normalised, with its unit if the text ends with it. Null if there is
 * none.
 */
export function findNumber(text: string, which: 'first' | 'last'): string | null {
  const matches = [...text.matchAll(NUMBER_IN_PROSE)];
  const match = which === 'first' ? matches[0] : matches.at(-1);
  if (match === undefined) return null;
  const number = tidyNumber(match[0]);
  if (readNumber(number) === null) return null;
  const rest = text.slice(match.index + match[0].length).trim();
  const name = rest.replace(/[.!]+$/, '');
  return isUnit(name) ? `${number} ${name}` : number;
}

export function matchQuantities(a: Quantity, b: Quantity): QuantityMatch {
  if (a.unit === b.unit) return a.value.equals(b.value) ? 'equal' : 'different';
  if (a.unit === null || b.unit === null) return a.value.equals(b.value) ? 'unit-left-unsaid' : 'different';
  if (a.unit === '%' || b.unit === '%') return 'different';
  const [left, right] = [unit(a.value, a.unit), unit(b.value, b.unit)];
  return left.equalBase(right) && left.equals(right) ? 'equal' : 'different';
}

/** An integer or a finite decimal if possible, else `n/d` in lowest terms. */
export function exactText(value: Fraction): string {
  let rest = value.d;
  let places = 0;
  for (const prime of [2n, 5n]) {
    let count = 0;
    for (; rest % prime === 0n; rest /= prime) count += 1;
    places = Math.max(places, count);
  }
  return rest === 1n ? value.toString(places) : value.toFraction();
}

/** A decimal numeral of at most 40 digits, such as `12` or `0.5`; null for anything else. */
export function readDecimal(text: string): Fraction | null {
  return /^(?:\d+(?:\.\d+)?|\.\d+)$/.test(text) && text.length <= MAX_DIGITS ? fraction(text) : null;
}

/** The exact result; null if it is undefined (a division by zero). */
export function compute(operator: ArithmeticOperator, a: Fraction, b: Fraction): Fraction | null {
  switch (operator) {
    case '+':
      return a.add(b);
    case '-':
      return a.sub(b);
    case '*':
      return a.mul(b);
    case '/':
      return b.equals(0) ? null : a.div(b);
  }
}

/** The exact power; null for zero to a negative power. The caller limits the size of `exponent`, an integer. */
export function raise(base: Fraction, exponent: number): Fraction | null {
  return base.equals(0) && exponent < 0 ? null : base.pow(exponent);
}

function tidyNumber(text: string): string {
  return text.replace(/[\s$€£¥,]|^\+/g, '').replace('−', '-');
}

function readNumber(text: string): Fraction | null {
  const [, sign, digits = '', exponent = '0', denominator = '1'] =
    /^(-?)(\d*\.?\d+)(?:e([-+]?\d+))?(?:\/(\d+))?$/i.exec(text) ?? [];
  if (sign === undefined || digits.length + denominator.length > MAX_DIGITS) return null;
  if (Math.abs(Number(exponent)) > MAX_POWER_OF_TEN || /^0+$/.test(denominator)) return null;
  const power = fraction(10).pow(Number(exponent));
  return fraction(`${sign}${digits}`).mul(power).div(fraction(denominator));
}

function isUnit(name: string): boolean {
  if (name === '%') return true;
  if (!UNIT.test(name)) return false;
  try {
    unit(fraction(1), name);
    return true;
  } catch {
    return false; // mathjs says "not found" by throwing
  }
}
