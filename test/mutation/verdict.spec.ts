import { describe, expect, it } from 'vitest';
import { changeOf, type Mutant, percent, shareOf, shortcomings, sorted } from './verdict.mjs';

const STRICT = 'src/actors/node/decide.ts';
const OTHER = 'src/answers/words.ts';

function mutant(change: Partial<Mutant> = {}): Mutant {
  return {
    file: OTHER,
    line: 1,
    mutator: 'BooleanLiteral',
    status: 'Killed',
    before: 'a',
    after: 'b',
    ...change,
  };
}

function mutants(number: number, change: Partial<Mutant> = {}): readonly Mutant[] {
  return Array.from({ length: number }, () => mutant(change));
}

describe('the verdict on mutants', () => {
  it.each(['Killed', 'Timeout', 'RuntimeError', 'CompileError'])('counts %s as noticed', (status) => {
    expect(sorted([mutant({ status })], {})).toMatchObject({ died: [{ status }], survivors: [] });
  });

  it.each(['Survived', 'NoCoverage'])('counts %s as a survivor', (status) => {
    expect(sorted([mutant({ status })], {})).toMatchObject({ died: [], survivors: [{ status }] });
  });

  it('counts what was left out for nothing', () => {
    const { died, explained, survivors } = sorted([mutant({ status: 'Ignored' })], {});
    expect([died, explained, survivors]).toEqual([[], [], []]);
  });

  it('takes an explanation for the changed line of its file alone', () => {
    const alive = { status: 'Survived' };
    const all = [mutant(alive), mutant({ ...alive, after: 'c' }), mutant({ ...alive, file: STRICT })];
    const { explained, survivors, stale } = sorted(all, { [OTHER]: { b: 'nobody reads it' } });
    expect(explained).toEqual([all[0]]);
    expect(survivors).toEqual([all[1], all[2]]);
    expect(stale).toEqual([]);
  });

  it('names an explanation of what is noticed, or is not there, in the files that were run', () => {
    const told = {
      [OTHER]: { b: 'noticed by now', gone: 'no such line' },
      'src/actors/other.ts': { b: '…' },
    };
    expect(sorted([mutant()], told).stale).toEqual([
      { file: OTHER, after: 'b' },
      { file: OTHER, after: 'gone' },
    ]);
  });

  it('shows the whole lines that change, on one line each', () => {
    const source = 'first();\n  if (a &&\n    b) {\nlast();';
    const location = { start: { line: 2, column: 7 }, end: { line: 3, column: 6 } };
    expect(changeOf({ location, replacement: 'true' }, source)).toEqual({
      before: 'if (a && b) {',
      after: 'if (true) {',
    });
  });
});

describe('a run of the tool', () => {
  const none = { died: [], survivors: [], stale: [] };

  it('has nothing to complain of where all is noticed, or nothing was changed', () => {
    expect(shortcomings(none)).toEqual([]);
    expect(shortcomings({ ...none, died: [mutant(), mutant({ file: STRICT })] })).toEqual([]);
  });

  it.each(['decide', 'machine', 'react'])('fails by one survivor in a %s.ts', (name) => {
    const survivors = [mutant({ file: `src/sagas/query/${name}.ts` })];
    expect(shortcomings({ ...none, died: mutants(1000, { file: STRICT }), survivors })).toEqual([
      '1 change to decide, machine or react would go unnoticed',
    ]);
  });

  it('lets up to 15 % survive elsewhere, whatever is noticed in decide, machine and react', () => {
    const strict = mutants(1000, { file: STRICT });
    const run = (died: number, survived: number) =>
      shortcomings({ ...none, died: [...strict, ...mutants(died)], survivors: mutants(survived) });
    expect(run(85, 15)).toEqual([]);
    expect(run(84, 16)).toEqual(['elsewhere 84.0 % of the changes are noticed, and 85.0 % should be']);
  });

  it('fails by an explanation that is out of date', () => {
    const stale = [{ file: OTHER, after: 'b' }];
    expect(shortcomings({ ...none, stale })).toEqual(['1 explanation of what is no survivor (any more)']);
  });

  it('knows no share where there is nothing but decide, machine and react', () => {
    expect(shareOf([mutant({ file: STRICT })], [])).toBeNull();
    expect(percent(shareOf(mutants(2), mutants(1)) ?? 0)).toBe('66.7 %');
  });
});
