import { compareAnswers } from '../answers/equivalence.ts';
import { extractAnswer } from '../answers/extraction.ts';
import type { Specialization } from '../answers/task-types.ts';
import type { GoldTask } from '../events/evolution.ts';

/** A number in [0, 1) for a purpose. The same purpose gives the same number. */
type Draw = (purpose: string) => number;

type Generator = (draw: Draw) => GoldTask;

/**
 * Worded as users word it, so that a device cannot distinguish a gold task from other tasks. `{e}` is the
 * expression.
 */
const EXPRESSION_FRAMES = [
  'What is {e}?',
  "What's {e}?",
  'Calculate {e}.',
  'Compute {e}.',
  'How much is {e}?',
  'Work out {e}.',
  'Solve {e}.',
  '{e} = ?',
  '{e}',
  'What is the result of {e}?',
  'Can you calculate {e}?',
];

interface Operation {
  readonly signs: readonly string[];
  readonly sentences: readonly string[];
  readonly of: (a: number, b: number) => number;
}

const OPERATIONS: readonly Operation[] = [
  {
    signs: ['×', '*', 'x', 'times', 'multiplied by'],
    sentences: ['Multiply {a} by {b}.', 'What is the product of {a} and {b}?'],
    of: (a, b) => a * b,
  },
  {
    signs: ['+', 'plus'],
    sentences: ['Add {a} and {b}.', 'What is the sum of {a} and {b}?'],
    of: (a, b) => a + b,
  },
  {
    signs: ['-', 'minus'],
    sentences: ['Subtract {b} from {a}.', 'Take {b} away from {a}.'],
    of: (a, b) => a - b,
  },
];

/** Share of the sums that are asked in a sentence instead of with a sign. */
const SENTENCE_SHARE = 0.15;

const COMPARISONS: readonly { words: readonly string[]; holds: (a: number, b: number) => boolean }[] = [
  { words: ['greater than', 'bigger than', 'larger than', 'more than', '>'], holds: (a, b) => a > b },
  { words: ['less than', 'smaller than', '<'], holds: (a, b) => a < b },
  { words: ['equal to', 'the same as'], holds: (a, b) => a === b },
];

const PARITY_WORDINGS = ['Is {n} {w}?', 'Is {n} an {w} number?', 'Is the number {n} {w}?'];

const EVALUATE_WORDINGS = [
  'What does {e} return?',
  'Python: {e}',
  'Evaluate {e}.',
  'What is the value of {e}?',
  'What does the expression {e} return?',
  'What is the output of print({e})?',
  'In Python, what is {e}?',
];

/** Python expressions over a list of digits, with code that computes their values. */
const LIST_EXPRESSIONS: readonly {
  readonly text: (list: string) => string;
  readonly value: (items: readonly number[]) => number | readonly number[];
}[] = [
  { text: (list) => `len(${list})`, value: (items) => items.length },
  { text: (list) => `max(${list})`, value: (items) => Math.max(...items) },
  { text: (list) => `min(${list})`, value: (items) => Math.min(...items) },
  { text: (list) => `sum(${list})`, value: (items) => items.reduce((sum, item) => sum + item, 0) },
  { text: (list) => `sorted(${list})`, value: (items) => items.toSorted((a, b) => a - b) },
  { text: (list) => `${list}[::-1]`, value: (items) => items.toReversed() },
];

const MAX_ITEMS = 5;

const CAPITALS: Readonly<Record<string, string>> = {
  France: 'Paris',
  Germany: 'Berlin',
  Italy: 'Rome',
  Spain: 'Madrid',
  Portugal: 'Lisbon',
  Austria: 'Vienna',
  Belgium: 'Brussels',
  Denmark: 'Copenhagen',
  Sweden: 'Stockholm',
  Norway: 'Oslo',
  Finland: 'Helsinki',
  Iceland: 'Reykjavik',
  Ireland: 'Dublin',
  Poland: 'Warsaw',
  Czechia: 'Prague',
  Slovakia: 'Bratislava',
  Hungary: 'Budapest',
  Romania: 'Bucharest',
  Bulgaria: 'Sofia',
  Greece: 'Athens',
  Turkey: 'Ankara',
  Ukraine: 'Kyiv',
  Russia: 'Moscow',
  Serbia: 'Belgrade',
  Croatia: 'Zagreb',
  Slovenia: 'Ljubljana',
  Albania: 'Tirana',
  Estonia: 'Tallinn',
  Latvia: 'Riga',
  Lithuania: 'Vilnius',
  Switzerland: 'Bern',
  'the Netherlands': 'Amsterdam',
  'the United Kingdom': 'London',
  'the United States': 'Washington',
  Egypt: 'Cairo',
  Morocco: 'Rabat',
  Kenya: 'Nairobi',
  Nigeria: 'Abuja',
  Ghana: 'Accra',
  Ethiopia: 'Addis Ababa',
  Senegal: 'Dakar',
  China: 'Beijing',
  Japan: 'Tokyo',
  India: 'New Delhi',
  Thailand: 'Bangkok',
  Vietnam: 'Hanoi',
  Indonesia: 'Jakarta',
  Malaysia: 'Kuala Lumpur',
  'South Korea': 'Seoul',
  Mongolia: 'Ulaanbaatar',
  Nepal: 'Kathmandu',
  Pakistan: 'Islamabad',
  Iran: 'Tehran',
  Iraq: 'Baghdad',
  Australia: 'Canberra',
  'New Zealand': 'Wellington',
  Canada: 'Ottawa',
  Mexico: 'Mexico City',
  Brazil: 'Brasilia',
  Argentina: 'Buenos Aires',
  Chile: 'Santiago',
  Peru: 'Lima',
  Colombia: 'Bogota',
  Cuba: 'Havana',
};

const CAPITAL_WORDINGS = [
  'What is the capital of {c}?',
  "What's the capital of {c}?",
  'Capital of {c}?',
  'Name the capital of {c}.',
  'Which city is the capital of {c}?',
  'Tell me the capital of {c}.',
  'What is the capital city of {c}?',
  'Do you know the capital of {c}?',
  'Can you name the capital of {c}?',
  'I need the capital of {c}.',
  "What is {c}'s capital?",
];

const COUNTRY_WORDINGS = [
  '{k} is the capital of which country?',
  'Which country has {k} as its capital?',
  'What country has the capital {k}?',
  'Of which country is {k} the capital?',
  'Name the country whose capital is {k}.',
];

const TOPICS = (
  'cat dog dragon robot river mountain star forest castle ship king wizard garden storm moon bird wolf fox ghost ' +
  'knight city desert island train piano book clock bridge candle mirror tree house door window horse lion tiger ' +
  'bear mouse rabbit owl eagle whale turtle spider bee flower rose cloud rainbow lake ocean village tower boat ' +
  'rocket planet pirate queen child teacher farmer painter singer soldier detective shadow violin lantern key map ' +
  'letter crown sword shield ring umbrella kite balloon snowman apple machine computer telescope unicorn giant witch ' +
  'penguin elephant monkey kitten camel goat sheep swan raven'
).split(' ');

const SENTENCE_WORDINGS = [
  'Write a sentence about {t}.',
  'Write one sentence about {t}.',
  'Write a short sentence about {t}.',
  'Tell me something about {t}.',
  'Make up a line about {t}.',
  'Write a line about {t}.',
  'Begin a story about {t}.',
  'Tell me a story about {t}.',
  'Describe {t} in one sentence.',
  'Give me a sentence about {t}.',
  'Invent a sentence about {t}.',
  'Write a poem about {t}.',
  'Can you write a sentence about {t}?',
];

/** Least number of words in a sentence: the topic alone is not a sentence. */
const FEWEST_WORDS = 3;

/** Share of the prompts without the mark at the end, and share of those in lower case: people often write so. */
const UNMARKED_SHARE = 0.3;
const LOWERED_SHARE = 0.2;

const GENERATORS: Readonly<Record<Specialization, Generator>> = {
  mathematical: arithmetic,
  logical: (draw) => (draw('kind') < 0.5 ? comparison(draw) : parity(draw)),
  factual: (draw) => (draw('kind') < 0.7 ? capital(draw) : country(draw)),
  coding: evaluation,
  creative: sentence,
};

/**
 * A task with a known answer, of a kind that this specialization is asked. Null for a specialization without a
 * generator. All tasks are within what the miniature models were trained on. `draw` is called once for each
 * purpose.
 */
export function goldTask(specialization: string, draw: Draw): GoldTask | null {
  return isSpecialization(specialization) ? GENERATORS[specialization](draw) : null;
}

/**
 * Whether a Node's answer to a gold task is right. An abstention never is. If there is no single right answer,
 * a text is right if it has several words, contains the expected word, and does not only repeat the request.
 */
export function judgeGold({ prompt, taskType, expected }: GoldTask, answer: string): boolean {
  const said = extractAnswer(answer, taskType);
  if (said.kind === 'none') return false;
  if (expected.kind === 'answer') {
    const right = extractAnswer(expected.value, taskType);
    // By their words, `[4]` and `4` are the same, but an expression has only one of them as its value.
    if ((said.kind === 'list') !== (right.kind === 'list')) return false;
    return compareAnswers(said, right) !== 'different';
  }
  const words = wordsOf(answer);
  const repeated = words.join(' ').includes(wordsOf(prompt).join(' '));
  const named = ` ${words.join(' ')} `.includes(` ${wordsOf(expected.value).join(' ')} `);
  return named && !repeated && words.length >= FEWEST_WORDS;
}

function arithmetic(draw: Draw): GoldTask {
  const { signs, sentences, of } = pick(OPERATIONS, draw('operation'));
  const [a, b] = [upTo(99, draw('a')), upTo(99, draw('b'))];
  const prompt =
    draw('form') < SENTENCE_SHARE
      ? fill(pick(sentences, draw('wording')), { a, b })
      : fill(pick(EXPRESSION_FRAMES, draw('wording')), { e: `${a} ${pick(signs, draw('sign'))} ${b}` });
  return known('math.arithmetic', casually(prompt, draw), String(of(a, b)));
}

function comparison(draw: Draw): GoldTask {
  const { words, holds } = pick(COMPARISONS, draw('comparison'));
  const a = upTo(99, draw('a'));
  // Close and equal numbers as well as distant ones, because those are the hard cases.
  const near = Math.max(0, a - 3 + upTo(6, draw('distance')));
  const b = draw('near') < 0.5 ? near : upTo(99, draw('b'));
  const prompt = `Is ${a} ${pick(words, draw('wording'))} ${b}?`;
  return known('logic.comparison', casually(prompt, draw), yesNo(holds(a, b)));
}

function parity(draw: Draw): GoldTask {
  const n = upTo(999, draw('number'));
  const even = draw('parity') < 0.5;
  const prompt = fill(pick(PARITY_WORDINGS, draw('wording')), { n, w: even ? 'even' : 'odd' });
  return known('logic.parity', casually(prompt, draw), yesNo((n % 2 === 0) === even));
}

function capital(draw: Draw): GoldTask {
  const [c, city] = pick(Object.entries(CAPITALS), draw('country'));
  const prompt = fill(pick(CAPITAL_WORDINGS, draw('wording')), { c });
  return known('knowledge.capital', casually(prompt, draw), city);
}

function country(draw: Draw): GoldTask {
  const [c, k] = pick(Object.entries(CAPITALS), draw('country'));
  const prompt = fill(pick(COUNTRY_WORDINGS, draw('wording')), { k });
  return known('knowledge.country', casually(prompt, draw), c);
}

function evaluation(draw: Draw): GoldTask {
  const length = 1 + upTo(MAX_ITEMS - 1, draw('length'));
  const items = Array.from({ length }, (_, index) => upTo(9, draw(`item-${index}`)));
  const { text, value } = pick(LIST_EXPRESSIONS, draw('expression'));
  const prompt = fill(pick(EVALUATE_WORDINGS, draw('wording')), { e: text(`[${items.join(',')}]`) });
  const result = value(items);
  return known(
    'code.evaluate',
    prompt,
    typeof result === 'number' ? String(result) : `[${result.join(',')}]`,
  );
}

function sentence(draw: Draw): GoldTask {
  const topic = pick(TOPICS, draw('topic'));
  const t = draw('article') < 0.75 ? `${/^[aeiou]/.test(topic) ? 'an' : 'a'} ${topic}` : `the ${topic}`;
  const prompt = casually(fill(pick(SENTENCE_WORDINGS, draw('wording')), { t }), draw);
  return { prompt, taskType: 'creative.sentence', expected: { kind: 'mentions', value: topic } };
}

function known(taskType: string, prompt: string, value: string): GoldTask {
  return { prompt, taskType, expected: { kind: 'answer', value } };
}

/** The prompt as a less careful writer types it. */
function casually(prompt: string, draw: Draw): string {
  const marked = draw('mark') < UNMARKED_SHARE ? prompt.replace(/[?.]$/, '') : prompt;
  return draw('case') < LOWERED_SHARE ? marked.toLowerCase() : marked;
}

function isSpecialization(name: string): name is Specialization {
  return Object.hasOwn(GENERATORS, name);
}

function fill(template: string, values: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

function pick<T>(list: readonly T[], drawn: number): T {
  const picked = list[Math.floor(drawn * list.length)];
  if (picked === undefined) throw new RangeError(`${drawn} is not a draw in [0, 1).`);
  return picked;
}

/** A whole number from 0 to `most`. */
function upTo(most: number, drawn: number): number {
  return Math.floor(drawn * (most + 1));
}

function yesNo(holds: boolean): string {
  return holds ? 'yes' : 'no';
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
