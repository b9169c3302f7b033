import { describe, expect, it } from 'vitest';
import { cleanRequest, isRequest, listItems, requestsIn, withoutCourtesy } from './requests.ts';

describe('a request', () => {
  it.each([
    'what is it',
    'Who’s there',
    "Where's it",
    'please calculate it',
    'Take away 3',
    'summarise this',
    'summarize this',
    'Hello, please name one',
    ' ; write it',
    'capital of Peru',
    'the capital city of Peru',
    '3 + 4',
    '-3 × 4',
    '(3 + 4) * 5 = ',
    '12.5 / 4?',
    'Really?!',
    'Really? "',
    '2*3',
    '7 ^ (2)',
    `((${'1+'.repeat(98)}11`,
  ])('is %j', (text) => {
    expect(isRequest(text)).toBe(true);
  });

  it.each([
    'salt and pepper',
    'whatever',
    'namely this',
    'I ask what is it',
    'we write it',
    'my capital of Peru',
    'a capital idea',
    '42',
    '3 apples',
    'x + 4',
    'is3',
    `really?${' '.repeat(30)}no`,
    `((${'1+'.repeat(98)}111`,
    '? yes',
  ])('is not %j', (text) => {
    expect(isRequest(text)).toBe(false);
  });

  it.each([
    [' , ; what is 3 + 4 ,;', 'What is 3 + 4?'],
    ['please calculate 3 + 4', 'Calculate 3 + 4.'],
    ['3 + 4', 'What is 3 + 4?'],
    ['3 + 4 = ?', 'What is 3 + 4?'],
    ['who wrote it.', 'Who wrote it?'],
    ['who wrote it...', 'Who wrote it...'],
    ['name one.', 'Name one.'],
    ['name one:', 'Name one:'],
    ['name "one"', 'Name "one"'],
    ['name one (or two)', 'Name one (or two)'],
    ['élan, say it', 'Élan, say it.'],
    ["what's up", "What's up?"],
    ['what', 'what?'],
    ['x2 or not', 'x2 or not.'],
    ['Who?', 'Who?'],
    ['{s1} is it', '{s1} is it.'],
  ])('%j is asked alone as %j', (text, asked) => {
    expect(cleanRequest(text)).toBe(asked);
  });

  it.each([
    ['Hello! Hi, please name one', 'name one'],
    ['Can you please tell me what it is', 'what it is'],
    ['could you name it', 'name it'],
    ['can you see it', 'can you see it'],
    ['I want to know what it is', 'what it is'],
    ['i would like you to name it', 'name it'],
    ['tell me a joke', 'tell me a joke'],
    ['tell me how far', 'how far'],
    ['First, name it, please.', 'name it'],
    ['Name it thank you!', 'Name it'],
    ['Name it. Thanks', 'Name it.'],
    ['so so so so so', 'so'],
    ['so so so so so so', 'so so'],
    ['please', 'please'],
    ['please ', 'please'],
    ['sofa', 'sofa'],
    ['Name it, thanks a lot', 'Name it, thanks a lot'],
  ])('%j without courtesies is %j', (text, bare) => {
    expect(withoutCourtesy(text)).toBe(bare);
  });
});

describe('a list', () => {
  it.each([
    ['what is it\nwho is he', ['what is it', 'who is he']],
    [' what is it \r\n\n who is he ', ['what is it', 'who is he']],
    ['Tell me:\n1. what is it\n2) who is he', ['what is it', 'who is he']],
    ['- what is it\n * who is he\n• name her', ['what is it', 'who is he', 'name her']],
    ['12. what is it\n13. who is he', ['what is it', 'who is he']],
    ['1. what is it 2. who is he', ['what is it', 'who is he']],
    ['All of: 1) what is it 2) who is he 3. name her', ['what is it', 'who is he', 'name her']],
    ['what is it; who is he;', ['what is it', 'who is he']],
    [' what is it ;; who is he', ['what is it', 'who is he']],
    ['1. what is it', null],
    ['what is it', null],
    ['what is it\nsalt and pepper', null],
    ['what is it; salt', null],
    ['1. what is it 2. salt', null],
    ['a story 1. what is it 2. who is he', null],
    ['what is it\n123. who is he', null],
    [`${'x'.repeat(201)}: 1. what is it 2. who is he`, null],
    [
      '1. what is 1 2. what is 2 3. what is 3 4. what is 4 5. what is 5 6. what is 6 7. what is 7 8. what is 8 9. what is 9',
      [
        'what is 1',
        'what is 2',
        'what is 3',
        'what is 4',
        'what is 5',
        'what is 6',
        'what is 7',
        'what is 8 9. what is 9',
      ],
    ],
  ])('%j has the items %j', (text, items) => {
    expect(listItems(text)).toEqual(items);
  });
});

describe('the requests of a text', () => {
  it.each([
    ['What is 2 + 2? Who is he?', ['What is 2 + 2? ', 'Who is he?']],
    ['What is 2 + 2. Who is he.', ['What is 2 + 2. ', 'Who is he.']],
    ['What is 2 + 2?! Who is he?', ['What is 2 + 2?! ', 'Who is he?']],
    ['What is "2 + 2?" Who is he?', ['What is "2 + 2?" Who is he?']],
    ['Hello! What is 2 + 2? Thanks for that!', ['What is 2 + 2? ']],
    ['I like it. What is 2 + 2?', ['I like it. What is 2 + 2?']],
    ['What is 2 + 2? I like it.', ['What is 2 + 2?  I like it.']],
    ['I like it.', ['I like it.']],
    ['It has 3. What is 2 + 2? Who is he?', ['It has 3. What is 2 + 2? Who is he?']],
    ['It has 3. What is 2 + 2? What is 3 + 3?', ['It has 3. What is 2 + 2? ', 'What is 3 + 3?']],
    ['what is 2 + 2 and who is he', ['what is 2 + 2', ' and who is he']],
    ['what is 2 + 2, who is he', ['what is 2 + 2', ', who is he']],
    ['what is 2 + 2, and then what is 3 + 3', ['what is 2 + 2', ', and then what is 3 + 3']],
    ['what is 2 + 2 and also what is 3 + 3', ['what is 2 + 2', ' and also what is 3 + 3']],
    ['what is 2 + 2, then add 3', ['what is 2 + 2', ', then add 3']],
    ['what is 2 + 2 (and what is 3 + 3)', ['what is 2 + 2 (and what is 3 + 3)']],
    ['what is [2 and what is 3 + 3]', ['what is [2 and what is 3 + 3]']],
    ['what is `2 and what is 3 + 3`', ['what is `2 and what is 3 + 3`']],
    ['salt and what is 3 + 3', ['salt and what is 3 + 3']],
    ['write a story and who is he', ['write a story and who is he']],
    ['write a story, who is he', ['write a story', ', who is he']],
    ['write a short story and what is 3 + 3', ['write a short story', ' and what is 3 + 3']],
    ['write a short story and who is he', ['write a short story and who is he']],
    ['what is 2 + 2, which is nice', ['what is 2 + 2, which is nice']],
    ['what is 2 + 2 and name it', ['what is 2 + 2 and name it']],
  ])('%j is %j', (text, requests) => {
    expect(requestsIn(text)).toEqual(requests);
  });

  it('are split at 64 places at most', () => {
    const requests = requestsIn(Array.from({ length: 80 }, (_, index) => `what is ${index} + 1? `).join(''));
    expect(requests).toHaveLength(65);
    expect(requests.join('')).toContain('what is 79 + 1?');
  });
});
