import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse } from './analysis.ts';

describe('the analysis of a question', () => {
  it.each([
    ['What is 15 × 23?', 'simple', ['math.arithmetic']],
    ['What is the capital of Japan?', 'simple', ['knowledge.capital']],
    ['Hello', 'simple', ['general.unknown']],
    ['banana', 'simple', ['general.unknown']],
    ['', 'simple', ['general.unknown']],
    ['Debug this Python function: def f(x): return x +', 'medium', ['code.debug']],
    ['Is 7 even?', 'medium', ['logic.parity']],
    ['If A then B. A. Is B true?', 'medium', ['logic.deduction']],
    [
      'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.',
      'complex',
      ['math.arithmetic', 'knowledge.capital', 'creative.sentence'],
    ],
    ['What is 1 + 1 and what is 2 + 2?', 'complex', ['math.arithmetic']],
    [
      'Plan a 2-week trip to Japan including budget, itinerary, and booking links',
      'complex',
      ['math.arithmetic', 'creative.sentence', 'general.unknown'],
    ],
  ] as const)('of %j is %s', (question, complexity, taskTypes) => {
    expect(analyse(question)).toMatchObject({ complexity, taskTypes, stakes: 'normal' });
  });

  it.each([
    ['What is the maximum dose of ibuprofen for a child?', 'medical'],
    ['Can my landlord evict me? Is that legal?', 'legal'],
    ['Should I invest my life savings in stocks?', 'financial'],
  ])('takes %j for high stakes, and at least medium', (question, kind) => {
    const { stakes, complexity, reasons } = analyse(question);
    expect(stakes).toBe('high');
    expect(complexity).not.toBe('simple');
    expect(reasons.join()).toContain(kind);
  });

  it.each([
    [
      'medical',
      'doses dosage overdosed medications medicine prescribed diagnosis symptom surgery poison poisonous allergic pregnant suicidal insulin paracetamol aspirin antibiotics',
    ],
    [
      'legal',
      'lawsuits lawsuit legally illegal attorney lawyer custody deported plead liable liability sue sued evicted subpoena statute',
    ],
    [
      'financial',
      'investing invest investments mortgages retirement pension bankrupt bankruptcy loans loan stocks cryptocurrencies',
    ],
  ])('knows %s words: %s', (kind, words) => {
    const found = (text: string) => analyse(text).reasons.filter((reason) => reason.endsWith(' harm'));
    for (const word of words.split(' ')) {
      expect([word, ...found(`About ${word} here`)]).toEqual([word, `a wrong answer could do ${kind} harm`]);
      expect(found(`About un${word} here`)).toEqual([]);
    }
  });

  it.each([
    'chest pain',
    'side effects',
    'side effect',
    'criminal charges',
    'criminal charge',
    'life savings',
    'tax returns',
    'taxes returns',
    'insurance claim',
  ])('takes %j for a risk', (words) => {
    expect(analyse(`About ${words.toUpperCase()} here`).stakes).toBe('high');
    expect(analyse(`About ${words}ly here`).stakes).toBe('normal');
  });

  it('says what the user wants, and why it was judged so', () => {
    expect(analyse('What is 15 × 23, and write a sentence about a cat.')).toMatchObject({
      intent: 'calculate, then write a text',
      reasons: [
        '2 requests in one question, taken apart as requests',
        'reads like math.arithmetic',
        'reads like creative.sentence',
      ],
    });
    expect(analyse('Can I sue?').reasons).toEqual([
      'one request, nothing to take apart',
      'no rule knows this kind of question',
      'a wrong answer could do legal harm',
    ]);
  });

  it('has something to say to any text, and always the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
        const analysis = analyse(text);
        expect(analysis.taskTypes.length).toBeGreaterThan(0);
        expect(analysis.reasons.length).toBeGreaterThan(0);
        expect(analyse(text)).toEqual(analysis);
      }),
    );
  });
});
