import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerKind, Equivalence } from '../events/values.ts';
import { compareAnswers } from './equivalence.ts';
import { type ExtractedAnswer, extractAnswer } from './extraction.ts';

/** Compares two answers of one kind, both ways. */
function compared(kind: AnswerKind, left: string, right: string): Equivalence {
  const [a, b] = [
    { kind, value: left },
    { kind, value: right },
  ];
  const found = compareAnswers(a, b);
  expect(compareAnswers(b, a)).toBe(found);
  return found;
}

describe('answers of one kind', () => {
  it.each<[AnswerKind, string, string, Equivalence]>([
    ['choice', 'A', 'A', 'exact'],
    ['choice', 'A', 'B', 'different'],
    ['truth', 'no', 'false', 'equivalent'],
    ['truth', 'unknown', 'true', 'different'],
    ['truth', 'no', 'unknown', 'different'],
    ['number', 'five', '5', 'different'],
    ['text', '?!', '!?', 'different'],
    ['text', 'The cat sleeps.', 'the cat  sleeps', 'semantic'],
    ['text', 'Ten is more', 'more is less', 'different'],
    ['text', 'Ten is more', 'less is Ten', 'different'],
    ['text', 'Ten is more', 'ten more', 'different'],
    ['name', 'The Hague', 'Hague', 'equivalent'],
    // lists: the order counts in brackets, parentheses and rows of numbers
    ['list', '(1, 2)', '(1,2)', 'equivalent'],
    ['list', '(1, 2)', '(2, 1)', 'different'],
    ['list', '(1, 2)', '[1, 2]', 'different'],
    ['list', '[1, 2]', '1, 2', 'different'],
    ['list', '[1, 2]', '[1, 2, 3]', 'different'],
    ['list', '[1.0, 2]', '[1, 2]', 'equivalent'],
    ['list', '[5 km, 2]', '[5, 2]', 'different'],
    ['list', '[1, [2, 3]]', '[1,[2,3]]', 'equivalent'],
    ['list', '{1, (2, 3)}', '{(2, 3), 1}', 'equivalent'],
    ['list', '{1, {2, 3}}', '{{2, 3}, 1}', 'equivalent'],
    ['list', '{(1, 2), 3}', '{(1, 3), 2}', 'different'],
    ['list', '{"a, b", c}', '{c, "a, b"}', 'equivalent'],
    ['list', '{"a, b", c}', '{"a, c", b}', 'different'],
    ['list', "{'a, b', c}", "{'a, c', b}", 'different'],
    ['list', "['a', 'b']", '["a", "b"]', 'equivalent'],
    ['list', "['a', 'b']", "['A', 'b']", 'different'],
    ['list', "['a b']", "['a  b']", 'different'],
    ['list', '[a,, b]', '[a, b]', 'equivalent'],
    ['list', 'red, green, and blue', 'Blue, red, green', 'equivalent'],
    ['list', 'red, green, sand blue', 'red, green, s blue', 'different'],
    ['list', '1, 2, three', 'three, 1, 2', 'equivalent'],
    // programs: layout and comments do not count
    ['code', 'x = 1\n\n\ny = 2', 'x = 1\ny = 2', 'equivalent'],
    ['code', 'x = 1\n', 'x = 1', 'equivalent'],
    ['code', 'if a:\n\tb', 'if a:\n    b', 'equivalent'],
    ['code', 'if a:\n\t\tb\n\tc', 'if a:\n        b\n    c', 'equivalent'],
    ['code', 'if a:\n  if b:\n    c\n  d', 'if a:\n    if b:\n        c\n    d', 'equivalent'],
    ['code', 'if a:\n  if b:\n    c\n  d', 'if a:\n  if b:\n    c\n    d', 'different'],
    ['code', 'x = 1 # one', 'x = 1', 'equivalent'],
    ['code', 'x = 1 # one\ny = 2', 'x = 1\ny = 2 # two', 'equivalent'],
    ['code', 'x = 7 // 2', 'x = 7 //2', 'equivalent'],
    ['code', 'x = 7 // 2 # half', 'x = 7 // 2', 'equivalent'],
    ['code', 'x = 7 // 2', 'x = 7', 'different'],
    ['code', 'a = "# one"', 'a = "# two"', 'different'],
    ['code', "a = '# one'", "a = '# two'", 'different'],
    ['code', 'a = "x y"', 'a = "xy"', 'different'],
    ['code', "a = 'x'", 'a = "x"', 'equivalent'],
    ['code', "a = 'x\\'y'", 'a = "x\\"y"', 'different'],
    ['code', String.raw`a = "x\" # y"`, String.raw`a = "x\" # z"`, 'different'],
    ['code', String.raw`a = 'x\' # y'`, String.raw`a = 'x\' # z'`, 'different'],
    ['code', 'ab', 'a b', 'different'],
    ['code', 'const f = () => {\n  return 1;\n}', 'const f = () => { return 1 }', 'equivalent'],
    ['code', 'function f() { return 1 } // one', 'function f() { return 1 }', 'equivalent'],
    ['code', 'let x = this.#one', 'let x = this.#two', 'different'],
    ['code', 'let x = this.#one', 'let x = this . # one', 'equivalent'],
    ['code', 'let x = `# one`', 'let x = `# two`', 'different'],
    ['code', 'let x = `a // b`', 'let x = `a // c`', 'different'],
    ['code', 'var x = 1', 'x = 1', 'different'],
    ['code', 'let x = 1;', 'let x = 1', 'equivalent'],
    ['code', 'var x = 1;', 'var x = 1', 'equivalent'],
    ['code', 'outlet = 1;', 'outlet = 1', 'different'],
    ['code', 'letter = 1;', 'letter = 1', 'different'],
  ])('as a %s, %j and %j are %s', (kind, left, right, expected) => {
    expect(compared(kind, left, right)).toBe(expected);
  });

  it('are the same text in another sentence: semantic', () => {
    const said = (sentence?: string) =>
      ({ kind: 'name', value: 'Paris', ...(sentence && { sentence }) }) as const;
    expect(compareAnswers(said('it is paris'), said('it is paris'))).toBe('exact');
    expect(compareAnswers(said('it is paris'), said('paris it is'))).toBe('semantic');
    expect(compareAnswers(said(), said('it is paris'))).toBe('semantic');
  });
});

describe('answers of two kinds', () => {
  it.each<[ExtractedAnswer, ExtractedAnswer, Equivalence]>([
    [{ kind: 'code', value: 'True' }, { kind: 'truth', value: 'true' }, 'semantic'],
    [{ kind: 'number', value: '5' }, { kind: 'text', value: 'five' }, 'different'],
    [{ kind: 'text', value: '?' }, { kind: 'code', value: '!' }, 'different'],
    [{ kind: 'none', value: '' }, { kind: 'none', value: '' }, 'different'],
  ])('%j and %j are %s', (a, b, expected) => {
    expect(compareAnswers(a, b)).toBe(expected);
    expect(compareAnswers(b, a)).toBe(expected);
  });
});

describe('compareAnswers', () => {
  it.each([
    ['math.arithmetic', '345', '15*3:5400 15*20:0030 …:345', 'exact'],
    ['math.arithmetic', '1,000', '1000', 'exact'],
    ['math.arithmetic', '1e3', '1000', 'equivalent'],
    ['math.arithmetic', '0.5', '1/2', 'equivalent'],
    ['math.arithmetic', '5 km', '5000 m', 'equivalent'],
    ['math.arithmetic', '60 min', '1 hour', 'equivalent'],
    ['math.arithmetic', '5 km', '5 kg', 'different'],
    ['math.arithmetic', '5 km', '5', 'semantic'],
    ['math.arithmetic', '50%', '0.5', 'different'],
    ['math.arithmetic', '345', '346', 'different'],
    ['math.arithmetic', '345', '-345', 'different'],
    ['knowledge.capital', 'Paris', 'Paris', 'exact'],
    ['knowledge.capital', 'Brasília', 'brasilia', 'equivalent'],
    ['knowledge.capital', 'The capital is Paris', 'Paris is the capital', 'semantic'],
    ['knowledge.capital', 'Paris', 'The capital of France is Paris.', 'semantic'],
    ['knowledge.capital', 'Paris', 'London', 'different'],
    ['knowledge.capital', 'Mexico City', 'Mexico', 'different'],
    ['logic.boolean', 'yes', 'true', 'equivalent'],
    ['logic.boolean', 'no', 'yes', 'different'],
    ['logic.deduction', 'unknown', 'no', 'different'],
    ['code.evaluate', '[1,2]', '[1, 2]', 'equivalent'],
    ['code.evaluate', '[1,2]', '[2,1]', 'different'],
    ['code.evaluate', '{1,2}', '{2,1}', 'equivalent'],
    ['code.evaluate', "'CAT'", '"CAT"', 'equivalent'],
    ['code.evaluate', "'CAT'", "'cat'", 'different'],
    ['code.write', 'def f(x): return x*x', 'def f(x):  return x * x  # square', 'equivalent'],
    ['code.write', 'def f(x):\n  return x', 'def f(x):\n\n    return x', 'equivalent'],
    ['code.write', 'if a:\n  b\nc', 'if a:\n  b\n  c', 'different'],
    ['code.write', 'def f(x): return x // 2', 'def f(x): return x // 3', 'different'],
    ['code.write', 'const f = (x) => x; // id', 'const f = (x) => x', 'equivalent'],
    ['general.list', 'red, green, blue', 'blue, red, green', 'equivalent'],
    ['general.list', '2, 4, 6', '6, 4, 2', 'different'],
    ['general.unknown', 'The tallest building is the tower', 'The tower is the tallest building', 'semantic'],
    ['general.unknown', 'Paris is bigger than London', 'London is bigger than Paris', 'different'],
    ['knowledge.capital', "I don't know", "I don't know", 'different'],
    ['knowledge.capital', "I don't know", 'Paris', 'different'],
  ])('in %s: "%s" and "%s" are %s', (taskType, left, right, expected) => {
    const [a, b] = [extractAnswer(left, taskType), extractAnswer(right, taskType)];
    expect(compareAnswers(a, b)).toBe(expected);
    expect(compareAnswers(b, a)).toBe(expected);
  });

  it('knows numbers by their value, however they are written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 99 }), (n, k) => {
        const plain = extractAnswer(String(n), 'math.arithmetic');
        for (const form of [n.toLocaleString('en-US'), `${n}.0`, `${n * k}/${k}`, `${n}e0`]) {
          expect(compareAnswers(plain, extractAnswer(form, 'math.arithmetic'))).toMatch(/exact|equivalent/);
        }
        expect(compareAnswers(plain, extractAnswer(String(n + k), 'math.arithmetic'))).toBe('different');
      }),
    );
  });
});
