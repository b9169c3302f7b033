import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FOUR_ARMS, madeUpSummary } from '../../../test/support/summaries.ts';
import { addCompareCommand } from './experiment-compare.ts';

const summary = madeUpSummary(FOUR_ARMS.slice(0, 2), [1, 2, 3, 4, 5, 6], 5);
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dellm-compare-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Outcome {
  readonly code: unknown;
  readonly out: string;
  readonly error: string;
}

/** Runs `dellm experiment compare` with these arguments in this process. */
async function compare(...given: string[]): Promise<Outcome> {
  const [out, error]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => error.push(String(text)) > 0),
  ];
  const before = process.exitCode;
  const listeners = process.stdout.listeners('error');
  try {
    const experiment = new Command('experiment');
    addCompareCommand(experiment);
    await experiment.parseAsync(['compare', ...given], { from: 'user' });
    return { code: process.exitCode, out: out.join(''), error: error.join('') };
  } finally {
    process.exitCode = before;
    // A command is meant to be the only one of its process, and leaves its listener there.
    for (const listener of process.stdout.listeners('error')) {
      if (!listeners.includes(listener)) process.stdout.off('error', listener as () => void);
    }
    for (const spy of spies) spy.mockRestore();
  }
}

/** A folder with this text as its summary.json. */
async function experimentOf(name: string, text = JSON.stringify(summary)): Promise<string> {
  const at = join(folder, name);
  await mkdir(at);
  await writeFile(join(at, 'summary.json'), text);
  return at;
}

describe('experiment compare', () => {
  it('shows the arms of one experiment', async () => {
    const { code, out, error } = await compare(await experimentOf('a'));
    expect([code, error]).toEqual([0, '']);
    expect(out).toContain('| evolution | random-search | paired, n = 6 |');
  });

  it('tells experiments apart by their folders', async () => {
    const { out } = await compare(await experimentOf('first'), await experimentOf('second'), '--json');
    expect(JSON.parse(out)).toMatchObject({
      inputs: [{ name: 'first' }, { name: 'second' }],
      measures: [{ measure: 'population' }, { measure: 'champion' }],
    });
  });

  it('tells folders of the same name apart by their paths', async () => {
    await mkdir(join(folder, 'x'));
    const [one, other] = [await experimentOf('run'), await experimentOf('x/run')];
    const { out } = await compare(one, other, '--json');
    expect(JSON.parse(out).inputs).toMatchObject([{ name: one }, { name: other }]);
  });

  it('writes tables, data and a figure to a folder that it makes', async () => {
    const out = join(folder, 'deep', 'compared');
    const { code } = await compare(await experimentOf('a'), '--out', out);
    expect(code).toBe(0);
    expect((await readdir(out)).sort()).toEqual(['comparison.json', 'comparison.md', 'comparison.svg']);
    expect(JSON.parse(await readFile(join(out, 'comparison.json'), 'utf8')).warnings).toEqual([]);
    expect(await readFile(join(out, 'comparison.svg'), 'utf8')).toContain('Final held-out accuracy by arm');
    expect(await readdir(join(folder, 'deep'))).toEqual(['compared']);
  });

  it('writes to a folder that exists and is empty', async () => {
    const out = join(folder, 'empty');
    await mkdir(out);
    expect((await compare(await experimentOf('a'), '--out', out)).code).toBe(0);
    expect(await readdir(out)).toHaveLength(3);
  });
});

describe('what cannot be compared', () => {
  it.each([
    ['a folder that is not there', async () => join(folder, 'nowhere'), 'There is no folder'],
    [
      'a file',
      async () => {
        await writeFile(join(folder, 'file'), '');
        return join(folder, 'file');
      },
      'is not a folder',
    ],
    [
      'a folder without a summary',
      async () => {
        await mkdir(join(folder, 'bare'));
        return join(folder, 'bare');
      },
      'has no summary.json',
    ],
    [
      'a summary that was cut off',
      () => experimentOf('cut', JSON.stringify(summary).slice(0, 500)),
      'is not JSON',
    ],
    [
      'a summary of a later version',
      () => experimentOf('later', JSON.stringify({ ...summary, schema: 'dellm-experiment-summary/9' })),
      'has the schema dellm-experiment-summary/9, and this version reads dellm-experiment-summary/1',
    ],
    [
      'another JSON file',
      () => experimentOf('other', '{"a": 1}'),
      'is not the summary of an experiment: schema:',
    ],
    [
      'a summary with impossible values',
      () => experimentOf('odd', JSON.stringify({ ...summary, arms: [{ ...summary.arms[0], tasks: -1 }] })),
      'is not the summary of an experiment: arms.0.tasks:',
    ],
  ])('is %s: the command fails, says why, and writes nothing', async (_, made, message) => {
    const out = join(folder, 'out');
    const given = await made();
    const outcome = await compare(await experimentOf('good'), given, '--out', out);
    expect(outcome.code).toBe(1);
    expect(outcome.error).toContain(message);
    expect(outcome.error).toMatch(/^dellm: [^\n]+\n$/);
    expect(outcome.out).toBe('');
    expect(await readdir(folder)).not.toContain('out');
  });

  it('is an experiment and itself', async () => {
    const one = await experimentOf('a');
    const outcome = await compare(one, `${one}/`);
    expect(outcome.code).toBe(2);
    expect(outcome.error).toContain('is given twice');
  });
});

describe('what is there already', () => {
  it('is not overwritten', async () => {
    const out = await experimentOf('full', 'mine');
    const outcome = await compare(await experimentOf('a'), '--out', out);
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.error).toContain('is not empty, is a file, or is below a file. Nothing was changed');
    expect(await readdir(out)).toEqual(['summary.json']);
    expect(await readFile(join(out, 'summary.json'), 'utf8')).toBe('mine');
  });

  it('is not taken for a folder where it is a file', async () => {
    await writeFile(join(folder, 'file'), 'mine');
    const outcome = await compare(await experimentOf('a'), '--out', join(folder, 'file'));
    expect(outcome.code).toBe(2);
    expect(outcome.error).toContain('is a file');
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine');
  });

  it('is not taken for a folder where it is a file further up', async () => {
    await writeFile(join(folder, 'file'), 'mine');
    const outcome = await compare(await experimentOf('a'), '--out', join(folder, 'file', 'deeper'));
    expect(outcome).toMatchObject({ code: 2, out: '' });
    expect(outcome.error).toContain('is below a file');
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('mine');
  });
});
