import { describe, expect, it } from 'vitest';
import {
  type ArithmeticOperator,
  compute,
  exactText,
  findNumber,
  matchQuantities,
  raise,
  readDecimal,
  readQuantity,
} from './quantity.ts';

/** The value of a text that is one quantity, and its unit. */
function read(text: string): readonly [string, string | null] | null {
  const quantity = readQuantity(text);
  return quantity && [exactText(quantity.value), quantity.unit];
}

function value(text: string) {
  return readQuantity(text)?.value ?? expect.fail(`"${text}" is no quantity`);
}

describe('a text that is one quantity', () => {
  it.each([
    ['12', '12', null],
    [' 12 ', '12', null],
    ['-1,234.5', '-1234.5', null],
    ['−7', '-7', null],
    ['+7', '7', null],
    ['- 7', '-7', null],
    ['.5', '0.5', null],
    ['$ 26', '26', null],
    ['€26', '26', null],
    ['1 / 3', '1/3', null],
    ['1.5e3', '1500', null],
    ['25E-2', '0.25', null],
    ['1e+2', '100', null],
    ['1e30', `1${'0'.repeat(30)}`, null],
    ['50 %', '50', '%'],
    ['50%', '50', '%'],
    ['5 km', '5', 'km'],
    ['3 m^2', '3', 'm^2'],
    ['9 km/h', '9', 'km/h'],
    ['9 m/min^2', '9', 'm/min^2'],
    ['9'.repeat(39), '9'.repeat(39), null],
  ])('%s is %s %s', (text, number, unit) => {
    expect(read(text)).toEqual([number, unit]);
  });

  it.each([
    '',
    'km',
    '5 apples',
    '5 km and more',
    '5 km^9',
    '1/0',
    '1/00',
    '1e31',
    '1e-31',
    '9'.repeat(41),
    `${'9'.repeat(39)}/99`,
    `1${' '.repeat(90)}km`,
  ])('%s is none', (text) => {
    expect(read(text)).toBeNull();
  });
});

describe('a number in a text', () => {
  it.each([
    ['It is 5, not 6', '5', '6'],
    ['from 1,000 to 2,000.50', '1000', '2000.50'],
    ['10-3', '10', '3'],
    ['5 km', '5 km', '5 km'],
    ['It takes 5 km!', '5 km', '5 km'],
    ['He pays $26.', '26', '26'],
    ['It takes 5 km...', '5 km', '5 km'],
    ['5 apples. km', '5', '5'],
    ['x1 and 2', '2', '2'],
    ['no number', null, null],
    ['1/0', null, null],
    ['1 then 1/0', '1', null],
  ])('in "%s" is first %s and last %s', (text, first, last) => {
    expect([findNumber(text, 'first'), findNumber(text, 'last')]).toEqual([first, last]);
  });
});

describe('two quantities', () => {
  it.each([
    ['5', '5.0', 'equal'],
    ['5', '6', 'different'],
    ['5 km', '5 km', 'equal'],
    ['5 km', '6 km', 'different'],
    ['5 km', '5000 m', 'equal'],
    ['5 km', '5001 m', 'different'],
    ['1 l', '1 kg', 'different'],
    ['5 km', '5', 'unit-left-unsaid'],
    ['5 km', '6', 'different'],
    ['50 %', '50', 'unit-left-unsaid'],
    ['50 %', '50 km', 'different'],
    ['50 %', '50%', 'equal'],
  ])('%s and %s are %s', (a, b, match) => {
    const [left, right] = [readQuantity(a), readQuantity(b)];
    if (!left || !right) expect.fail('not quantities');
    expect(matchQuantities(left, right)).toBe(match);
    expect(matchQuantities(right, left)).toBe(match);
  });
});

describe('exact arithmetic', () => {
  it.each<[ArithmeticOperator, string, string, string | null]>([
    ['+', '1/3', '1/6', '0.5'],
    ['-', '1', '4', '-3'],
    ['*', '2', '3/7', '6/7'],
    ['/', '1', '8', '0.125'],
    ['/', '1', '0', null],
  ])('%s of %s and %s is %s', (operator, a, b, expected) => {
    const result = compute(operator, value(a), value(b));
    expect(result && exactText(result)).toBe(expected);
  });

  it.each([
    ['2', 10, '1024'],
    ['2', -2, '0.25'],
    ['0', 0, '1'],
    ['0', 2, '0'],
    ['0', -1, null],
  ])('%s to the power of %i is %s', (base, exponent, expected) => {
    const result = raise(value(base), exponent);
    expect(result && exactText(result)).toBe(expected);
  });

  it.each([
    ['7', '7'],
    ['1/4', '0.25'],
    ['3/40', '0.075'],
    ['1/250', '0.004'],
    ['1/1048576', '0.00000095367431640625'],
    ['1/6', '1/6'],
    ['-2/14', '-1/7'],
  ])('writes %s as %s', (text, written) => {
    expect(exactText(value(text))).toBe(written);
  });

  it.each([
    ['12', '12'],
    ['0.5', '0.5'],
    ['.25', '0.25'],
    ['1.25', '1.25'],
    ['9'.repeat(40), '9'.repeat(40)],
  ])('reads the decimal %s', (text, same) => {
    const read = readDecimal(text);
    expect(read && exactText(read)).toBe(same);
  });

  it.each(['', '5.', '-5', '1e3', 'x5', '5x', '1.2.3', '9'.repeat(41)])(
    'reads no decimal in "%s"',
    (text) => {
      expect(readDecimal(text)).toBeNull();
    },
  );
});
