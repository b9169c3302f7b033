import { expect, it } from 'vitest';
import { fillTemplate } from './genome.ts';

it.each([
  ['Q: {question} A: {question}', '2 + 2', 'Q: 2 + 2 A: 2 + 2'],
  ['Q: {question}', 'What is {question}?', 'Q: What is {question}?'],
  ['Q: {question}', '$&', 'Q: $&'],
  ['Go.', '2 + 2', 'Go.'],
])('%j filled with %j is %j', (template, prompt, filled) => {
  expect(fillTemplate(template, prompt)).toBe(filled);
});
