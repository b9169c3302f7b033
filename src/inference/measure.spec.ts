import { describe, expect, it } from 'vitest';
import { finalAnswer, type HeldOutItem, isRight, measurePairs, parseHeldOut, taskTypeOf } from './measure.ts';
import { formatMeasurements } from './measure-table.ts';
import { type InferenceEngine, InferenceError } from './port.ts';

const heldOut: HeldOutItem[] = [
  { family: 'maths', kind: 'multiplication', prompt: '15 × 23', answer: '345' },
  { family: 'maths', kind: 'addition', prompt: '1 + 1', answer: '2' },
  { family: 'creative', kind: 'sentence', prompt: 'about a cat', answer: null, topic: 'cat' },
  { family: 'logic', kind: 'parity', prompt: 'is 3 odd', answer: 'yes' },
  { family: 'none', kind: 'greeting', prompt: 'Hello', answer: "I don't know" },
];
const said: Record<string, Record<string, [text: string, probability: number]>> = {
  a: {
    '15 × 23': ['15*3:5400 15*20:0030 0+5=5:345', 0.95],
    '1 + 1': ['1+1=3', 0.2],
    'about a cat': ['The quiet cat sleeps.', 0.3],
    Hello: ["I don't know", 0.8],
  },
  b: {
    '15 × 23': ['345', 0.6],
    '1 + 1': ['1+1=2', 0.4],
    'about a cat': ['A dog. A cat.', 0.1],
    Hello: ['Cuba', 0.3],
  },
};
const engine: InferenceEngine = {
  kind: 'simulated',
  async infer({ model, prompt }) {
    const [text, probability] = said[model]?.[prompt] ?? ['', 1];
    return {
      text,
      promptTokens: 1,
      completionTokens: 1,
      logProb: Math.log(probability),
      measured: true,
      durationMs: 2,
      finish: 'stop',
    };
  },
  close: async () => undefined,
};
const samplingParams = { temperature: 0, topP: 1, topK: 0, contextTokens: 256, maxTokens: 64 };
const pairs = [{ id: 'pair', pair: ['a', 'b'], families: ['maths', 'creative'], samplingParams }] as const;

describe('measuring pairs of models', () => {
  it('counts by family what each model and the vote got right, and what they agree on', async () => {
    const progress: number[] = [];
    const [measured] = await measurePairs({
      engine,
      pairs,
      heldOut,
      onProgress: (done) => progress.push(done),
    });
    expect(progress).toEqual([1, 2, 3, 4]);
    expect(
      measured?.families.map(({ family, models, vote, agreeing }) => ({ family, models, vote, agreeing })),
    ).toEqual([
      {
        family: 'maths',
        models: [
          { right: 1, of: 2 },
          { right: 2, of: 2 },
        ],
        vote: { right: 2, of: 2 },
        agreeing: { right: 1, of: 1 },
      },
      {
        family: 'creative',
        models: [
          { right: 1, of: 1 },
          { right: 0, of: 1 },
        ],
        vote: { right: 1, of: 1 },
        agreeing: { right: 0, of: 0 },
      },
      {
        family: 'none',
        models: [
          { right: 1, of: 1 },
          { right: 0, of: 1 },
        ],
        vote: { right: 1, of: 1 },
        agreeing: { right: 0, of: 0 },
      },
    ]);
    expect(measured?.families[0]?.meanConfidence).toBeCloseTo((0.95 + 0.4) / 2);
    expect(measured?.families[0]?.byKind).toEqual({
      multiplication: { right: 1, of: 1 },
      addition: { right: 1, of: 1 },
    });
    expect(measured?.byConfidence.map(({ from, to, right, of }) => [from, to, right, of])).toEqual([
      [0, 0.25, 0, 0],
      [0.25, 0.5, 2, 2],
      [0.5, 0.9, 0, 0],
      [0.9, 1, 1, 1],
    ]);
    expect(measured?.medianMs).toBe(2);
  });

  it('goes by the vote that it is given', async () => {
    const vote = () => ({ answer: '345', confidence: 1 });
    const [measured] = await measurePairs({ engine, pairs, heldOut, vote });
    expect(measured?.families.map(({ vote: { right } }) => right)).toEqual([1, 0, 0]);
    expect(measured?.byConfidence.at(-1)).toMatchObject({ right: 1, of: 4 });
  });

  it('stops at the first error, with that error', async () => {
    const error = new InferenceError('model-missing', 'There is no model file.');
    const broken = { ...engine, infer: () => Promise.reject(error) };
    await expect(measurePairs({ engine: broken, pairs, heldOut })).rejects.toBe(error);
  });

  it('prints as a table', async () => {
    const text = formatMeasurements(await measurePairs({ engine, pairs, heldOut }));
    expect(text).toContain('pair  family    prompts  A right');
    expect(text).toMatch(/pair +maths +2 +50\.0 % +100\.0 % +100\.0 % +50\.0 % +100\.0 % +0\.68/);
    expect(text).toMatch(/pair, maths: multiplication 100\.0 % of 1, addition 100\.0 % of 1/);
  });
});

describe('what counts as right', () => {
  it('takes the result of working that is written out, and programs whole', () => {
    expect(finalAnswer('math.arithmetic', '15*3:5400 0+5=5:345')).toBe('345');
    expect(finalAnswer('math.arithmetic', ' 345 ')).toBe('345');
    expect(finalAnswer('logic.deduction', 'Anna>Lia>Eve:Eve')).toBe('Eve');
    expect(finalAnswer('code.evaluate', "{'a': 1}")).toBe("{'a': 1}");
    expect(finalAnswer('code.write', 'const f = (x) => x;')).toBe('const f = (x) => x;');
  });

  it('takes an abstention for right where nothing can be known, and only there', () => {
    const none = { family: 'none', kind: 'word', prompt: 'banana', answer: "I don't know" };
    expect([isRight(none, ''), isRight(none, "I don't know"), isRight(none, 'Cuba')]).toEqual([
      true,
      true,
      false,
    ]);
    const capital = { family: 'capitals', kind: 'capital', prompt: 'Japan', answer: 'Tokyo' };
    expect([isRight(capital, 'Tokyo'), isRight(capital, ''), isRight(capital, 'tokyo bay')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('wants one sentence that names the topic of a creative prompt', () => {
    const cat = { family: 'creative', kind: 'sentence', prompt: 'a cat', answer: null, topic: 'cat' };
    expect(isRight(cat, 'Every evening the cat sings.')).toBe(true);
    for (const wrong of ['The dog sings.', 'the cat', 'A cat. A cat.', 'A caterpillar sings.', '']) {
      expect(isRight(cat, wrong), wrong).toBe(false);
    }
  });

  it('knows the task type of each prompt', () => {
    const types = [
      ['maths', 'addition'],
      ['quick', 'comparison'],
      ['capitals', 'country'],
      ['code', 'debug'],
      ['none', 'word'],
      ['logic', 'order'],
    ].map(([family = '', kind = '']) => taskTypeOf({ family, kind }));
    expect(types).toEqual([
      'math.arithmetic',
      'logic.comparison',
      'knowledge.country',
      'code.debug',
      'general.unknown',
      'logic.deduction',
    ]);
  });

  it('says what is wrong with a file of held-out prompts', () => {
    expect(parseHeldOut(JSON.stringify(heldOut))).toEqual(heldOut);
    expect(() => parseHeldOut('[{"family": 1}]')).toThrow(/family/);
  });
});
