import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyse } from './analysis.ts';
import { fillPrompt, plan, takeApart } from './decomposition.ts';

const prompts = (question: string) => takeApart(question).parts.map((part) => part.prompt);
const types = (question: string) => takeApart(question).parts.map((part) => part.taskType);
const planFor = (question: string) => plan(question, analyse(question));

describe('the three flows', () => {
  it('send a calculation straight to one Node', () => {
    expect(planFor('What is 15 × 23?')).toEqual({
      strategy: 'direct',
      subtasks: [
        { key: 's1', prompt: 'What is 15 × 23?', taskType: 'math.arithmetic', dependsOn: [], nodes: 1 },
      ],
      hints: [{ key: 's1', prefer: 'node', specialization: 'mathematical' }],
    });
  });

  it('send code to be debugged whole to a coding Cluster of three', () => {
    const question =
      'Debug this Python function:\n\ndef add(a, b):\n    return a - b and then what is 3 + 4?\n';
    expect(planFor(question)).toEqual({
      strategy: 'direct',
      subtasks: [{ key: 's1', prompt: question.trim(), taskType: 'code.debug', dependsOn: [], nodes: 3 }],
      hints: [{ key: 's1', prefer: 'cluster', specialization: 'coding' }],
    });
  });

  it('take three requests apart for three Clusters', () => {
    const question = 'What is 15 × 23, what is the capital of Japan, and write a sentence about a cat.';
    const { subtasks, hints } = planFor(question);
    expect(
      subtasks.map(({ key, prompt, taskType, dependsOn, nodes }) => [
        key,
        prompt,
        taskType,
        dependsOn,
        nodes,
      ]),
    ).toEqual([
      ['s1', 'What is 15 × 23?', 'math.arithmetic', [], 3],
      ['s2', 'What is the capital of Japan?', 'knowledge.capital', [], 3],
      ['s3', 'Write a sentence about a cat.', 'creative.sentence', [], 3],
    ]);
    expect(hints).toEqual([
      { key: 's1', prefer: 'cluster', specialization: 'mathematical' },
      { key: 's2', prefer: 'cluster', specialization: 'factual' },
      { key: 's3', prefer: 'cluster', specialization: 'creative' },
    ]);
  });

  it('take an undertaking apart into its aspects', () => {
    const { strategy, subtasks, hints } = planFor(
      'Plan a 2-week trip to Japan including budget, itinerary, and booking links',
    );
    expect(strategy).toBe('aspects');
    expect(subtasks.map(({ prompt, taskType }) => [prompt, taskType])).toEqual([
      ['Calculate the budget for a 2-week trip to Japan.', 'math.arithmetic'],
      ['Write the itinerary for a 2-week trip to Japan.', 'creative.sentence'],
      ['Find booking links for a 2-week trip to Japan.', 'general.unknown'],
    ]);
    expect(hints.map((hint) => hint.prefer)).toEqual(['cluster', 'cluster', 'mixed']);
  });

  it('ask five Nodes when the stakes are high, also when only the client says so', () => {
    const [risky] = planFor('What is the maximum dose of ibuprofen?').subtasks;
    expect(risky?.nodes).toBe(5);
    const question = 'What is 15 × 23?';
    const { subtasks, hints } = plan(question, { ...analyse(question), stakes: 'high' });
    expect(subtasks[0]?.nodes).toBe(5);
    expect(hints[0]?.prefer).toBe('cluster');
  });
});

describe('a question with several requests', () => {
  it.each([
    ['1. What is 2+2? 2. What is the capital of France? 3) Who wrote Hamlet?', 'list'],
    [
      'Answer these questions: 1. What is 2+2? 2. What is the capital of France? 3. Who wrote Hamlet?',
      'list',
    ],
    ['Answer these:\n- What is 2+2?\n- What is the capital of France?\n* Who wrote Hamlet?', 'list'],
    ['1) What is 2+2\n2) What is the capital of France\n3) Who wrote Hamlet', 'list'],
    ['what is 2+2\n\nwhat is the capital of France\r\nwho wrote Hamlet', 'list'],
    ['What is 2+2; what is the capital of France; who wrote Hamlet?', 'list'],
    ['What is 2+2? What is the capital of France? Who wrote Hamlet?', 'requests'],
    ['What is 2+2, what is the capital of France and who wrote Hamlet?', 'requests'],
    ['what is 2+2 and what is the capital of France and then who wrote Hamlet', 'requests'],
    [
      'Hello! Please tell me what is 2+2, and also what is the capital of France. Who wrote Hamlet? Thanks!',
      'requests',
    ],
  ])('is taken apart: %j', (question, strategy) => {
    expect(takeApart(question).strategy).toBe(strategy);
    expect(prompts(question)).toEqual([
      'What is 2+2?',
      'What is the capital of France?',
      'Who wrote Hamlet?',
    ]);
    expect(types(question)).toEqual(['math.arithmetic', 'knowledge.capital', 'general.unknown']);
  });

  it('keeps statements with the question that they belong to', () => {
    expect(prompts('All cats are animals. Tom is a cat. Is Tom an animal? What is 2+2?')).toEqual([
      'All cats are animals. Tom is a cat. Is Tom an animal?',
      'What is 2+2?',
    ]);
  });

  it('turns bare expressions into questions', () => {
    expect(prompts('What is 2 + 3 and 4 + 5?')).toEqual(['What is 2 + 3?', 'What is 4 + 5?']);
    expect(prompts('what is 12 + 7, capital of Peru?')).toEqual(['What is 12 + 7?', 'Capital of Peru?']);
  });

  it('has at most eight parts, the last of which keeps the rest', () => {
    const numbers = Array.from({ length: 12 }, (_, index) => index + 1);
    for (const question of [
      numbers.map((number) => `What is ${number} + 1?`).join(' '),
      numbers.map((number) => `What is ${number} + 1?`).join('\n'),
      numbers.map((number) => `${number}. What is ${number} + 1?`).join(' '),
    ]) {
      const asked = prompts(question);
      expect(asked).toHaveLength(8);
      expect(asked[6]).toBe('What is 7 + 1?');
      expect(asked[7]).toContain('8 + 1');
      expect(asked[7]).toContain('12 + 1');
    }
  });
});

describe('a chain', () => {
  it.each([
    ['What is 15 × 23 and then multiply the result by 2?', ['What is 15 × 23?', 'What is {s1} × 2?']],
    ['What is 15 × 23? Multiply the result by 2.', ['What is 15 × 23?', 'What is {s1} × 2?']],
    ['What is 15 × 23, then subtract 5 from it.', ['What is 15 × 23?', 'What is {s1} - 5?']],
    ['Add 15 and 23 and then divide by 2', ['Add 15 and 23.', 'What is {s1} ÷ 2?']],
    ['Double 4 and then square it', ['Double 4.', 'What is {s1} × {s1}?']],
    [
      'Multiply 3 by 4 and add 5, then halve it',
      ['Multiply 3 by 4.', 'What is {s1} + 5?', 'What is {s2} ÷ 2?'],
    ],
    ['What is 15 × 23, and is it even?', ['What is 15 × 23?', 'Is {s1} even?']],
    ['What is 15 × 23? Is the result greater than 300?', ['What is 15 × 23?', 'Is {s1} greater than 300?']],
    [
      'What is the capital of Japan, and which country has it as its capital?',
      ['What is the capital of Japan?', 'Which country has {s1} as its capital?'],
    ],
  ])('uses the earlier answer: %j', (question, expected) => {
    const { strategy, parts } = takeApart(question);
    expect(strategy).toBe('chain');
    expect(parts.map((part) => part.prompt)).toEqual(expected);
    expect(parts.map((part) => part.dependsOn)).toEqual(
      expected.map((_, index) => (index === 0 ? [] : [`s${index}`])),
    );
  });

  it('does not take every "it" for the earlier answer', () => {
    const { strategy, parts } = takeApart('What is the capital of Japan? Is it raining there?');
    expect(strategy).toBe('requests');
    expect(parts[1]).toMatchObject({ prompt: 'Is it raining there?', dependsOn: [] });
  });

  it('is filled with answers, all at once', () => {
    expect(fillPrompt('What is {s1} × 2?', { s1: '345' })).toBe('What is 345 × 2?');
    expect(fillPrompt('{s1}, {s2} and {s3}', { s1: '{s2}', s2: '$&' })).toBe('{s2}, $& and {s3}');
    expect(fillPrompt('{s1} {constructor}', {})).toBe('{s1} {constructor}');
  });
});

describe('one request', () => {
  it.each([
    'salt and pepper',
    'What is 3 and 4 added',
    'What is true and not false?',
    'Describe a cat and a dog in one sentence.',
    'Write a story about a girl who is lost and what she found',
    'Write a sentence about a cat and make it funny',
    'Write a Python function that reads a file and find the longest line',
    'What is the capital of France, which is in Europe?',
    'Tom is taller than Anna. Anna is taller than Ben. Who is tallest?',
    'All cats are animals. Tom is a cat. Is Tom an animal? Is Tom a cat?',
    'If A then B. A. Is B true?',
    'Given 3 apples and 4 pears, how many fruits are there?',
    'Tell me who wrote Hamlet and when he lived',
    'What does "1 + 1, what is 2 + 2" mean?',
    "What's up? How are you?",
    'Organize a birthday party with music and cake',
    'What comes next: 2, 4, 6, 8?',
    '```\nwhat is 1 + 1\nwhat is 2 + 2\n```',
    'const a = 1;\nwhat is 2 + 2; what is 3 + 3;',
    'Hello',
    'banana',
    '',
  ])('stays whole: %j', (question) => {
    expect(takeApart(question)).toMatchObject({
      strategy: 'direct',
      parts: [{ prompt: question, dependsOn: [] }],
    });
  });

  it('is asked without its courtesies', () => {
    expect(prompts('Hello! Can you please tell me what is 15 × 23? Thanks!')).toEqual(['What is 15 × 23?']);
    expect(prompts('please calculate 15 × 23')).toEqual(['Calculate 15 × 23.']);
    expect(prompts('please')).toEqual(['please']);
  });
});

describe('any question', () => {
  const fragments = fc.constantFrom(
    ...[
      'What is 15 × 23',
      'capital of Japan',
      'write a sentence about a cat',
      ' and ',
      ', and then ',
      '; ',
      '? ',
      '. ',
    ],
    ...[
      '\n',
      '1. ',
      '2) ',
      '- ',
      '"',
      '(',
      '[',
      '{s1}',
      'multiply it by 2',
      'the result',
      'plan a trip including ',
      '🦊',
      '\u0000',
    ],
  );
  const question = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.array(fragments, { maxLength: 60 }).map((list) => list.join('')),
  );

  it('becomes a graph of one to eight subtasks without a cycle, the same every time', () => {
    fc.assert(
      fc.property(question, (text) => {
        const made = planFor(text);
        expect(planFor(text)).toEqual(made);
        const keys = made.subtasks.map((subtask) => subtask.key);
        expect(keys).toEqual(keys.map((_, index) => `s${index + 1}`));
        expect(keys.length).toBeGreaterThanOrEqual(1);
        expect(keys.length).toBeLessThanOrEqual(8);
        expect(made.hints.map((hint) => hint.key)).toEqual(keys);
        for (const [index, subtask] of made.subtasks.entries()) {
          for (const key of subtask.dependsOn) expect(keys.slice(0, index)).toContain(key);
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ...[
      'a',
      ' ',
      '\n',
      '(',
      '"',
      '`',
      ', and what is 1',
      'and then ',
      '1. ',
      '? ',
      '; what is 1',
      'what is 1? ',
      '. A',
    ],
    ...[
      'plan a x including a, ',
      '- what\n',
      'def f(',
      'please ',
      '1+',
      'what is it and ',
      '\ud800',
      'é',
      '.',
      '?',
      '1. a 2. a ',
    ],
  ])('of 128 KiB is planned in bounded time: %j', (unit) => {
    const run = unit.repeat(Math.floor((128 * 1024) / unit.length));
    for (const text of [run, `What is 1 + 1? What is 2 ${run} b`]) {
      const start = performance.now();
      expect(planFor(text).subtasks.length).toBeGreaterThan(0);
      expect(performance.now() - start).toBeLessThan(5_000);
    }
  });
});
