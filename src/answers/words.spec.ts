import { expect, it } from 'vitest';
import { copulaSides, plainWords, wordCount } from './words.ts';

it.each([
  ['The Hague', 'hague'],
  ['An  apple, a PEAR!', 'apple pear'],
  ['Brasília', 'brasilia'],
  ['ﬁve', 'five'],
  ['athe bath', 'athe bath'],
  ['banana the', 'banana the'],
  ['another than', 'another than'],
  ['…', ''],
  ['4 + 5', '4 5'],
])('%s in plain words is "%s"', (text, words) => {
  expect(plainWords(text)).toBe(words);
});

it.each([
  ['Paris is the capital', ['Paris', 'the capital']],
  ['They  ARE  many', ['They', 'many']],
  ['It was Paris and is Paris', ['It', 'Paris and is Paris']],
  ['We were here', ['We', 'here']],
  ['It would be Paris', ['It', 'Paris']],
  ["It's  Paris", ['It', 'Paris']],
  ["It'sParis", null],
  ['is Paris', null],
  ['Paris is', null],
  ['Paris isolates', null],
])('%s has the sides %j', (text, sides) => {
  expect(copulaSides(text)).toEqual(sides);
});

it.each([
  ['one', 1],
  [' one  two\n', 2],
])('%j has %i words', (text, count) => {
  expect(wordCount(text)).toBe(count);
});
