import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { beginBranch, engineOfBranch, inBranchFolder, resumeBranch } from '../../src/experiments/branch.ts';
import { compareSummaries } from '../../src/experiments/compare.ts';
import { createExperimentFolder, runExperiment, runFolderName } from '../../src/experiments/experiment.ts';
import type { Summary } from '../../src/experiments/summary.ts';
import { openExperimentEngine } from '../../src/network/experiment-engine.ts';
import { ChainCheck } from '../../src/replay/chain-check.ts';
import { historyLine, readHistoryFile } from '../../src/replay/history-file.ts';
import { parseMoment } from '../../src/replay/moment.ts';
import { fileSource } from '../../src/replay/source.ts';
import { historyOf } from '../histories/histories.ts';

const EXPERIMENT = {
  engine: 'simulated',
  nodes: 20,
  generations: 3,
  tasksPerNode: 5,
  heldOut: 20,
  seed: 7,
  seedVariants: 3,
  arms: ['evolution'],
};

let home: string;
let original: string;
let summary: Summary;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dellm-branch-'));
  const folder = join(home, 'original');
  const config = await createExperimentFolder(folder, EXPERIMENT);
  const engine = await openExperimentEngine(config, join(home, 'outputs'), () => {});
  const { signal } = new AbortController();
  summary = await runExperiment({ config, engine, folder, signal, onProgress() {} });
  original = join(folder, runFolderName('evolution', 7));
}, 120_000);
afterAll(() => rm(home, { recursive: true, force: true }));

async function branch(
  name: string,
  set: Record<string, unknown>,
  {
    moment = 'generation:1',
    engine = 'simulated' as 'simulated' | 'miniature',
    world = 1,
    stopAfter = 99,
    from = join(original, 'history.jsonl'),
  } = {},
): Promise<Summary> {
  const folder = join(home, name);
  const interrupt = new AbortController();
  let finished = 0;
  return inBranchFolder(folder, async () => {
    const opened = await openExperimentEngine({ engine, world }, join(home, `${name}.outputs`), () => {});
    const parameters = { set, seed: 7, world, generations: 2, tasksPerNode: 5, heldOut: 20, label: name };
    try {
      return await beginBranch(fileSource(from), parseMoment(moment), dirname(from), parameters, {
        engine: opened,
        folder,
        signal: interrupt.signal,
        onProgress() {
          finished += 1;
          if (finished === stopAfter) interrupt.abort();
        },
      });
    } finally {
      await opened.close();
    }
  });
}

/** Resumes a branch in its simulated world. */
async function resume(name: string): Promise<void> {
  const folder = join(home, name);
  const { world } = await engineOfBranch(folder);
  const engine = await openExperimentEngine({ engine: 'simulated', world }, join(home, 'x'), () => {});
  await resumeBranch({ engine, folder, signal: new AbortController().signal, onProgress() {} });
}

function history(name: string): Promise<string> {
  return readFile(join(home, name, 'history.jsonl'), 'utf8');
}

describe('a branch of a history', () => {
  it('has the other history before the fork, event for event, and says where it forked', async () => {
    const before = await readFile(join(original, 'history.jsonl'), 'utf8');
    await branch('harsher', { cullShare: 0.4 });
    expect(await readFile(join(original, 'history.jsonl'), 'utf8')).toBe(before);
    const lines = (await history('harsher')).split('\n');
    const fork = lines.findIndex((line) => line.includes('"HistoryForked"'));
    expect(lines.slice(0, fork)).toEqual(before.split('\n').slice(0, fork));
    expect(JSON.parse(lines[fork] ?? '')).toMatchObject({
      data: { forkedFrom: { events: fork }, changes: { cullShare: 0.4 } },
    });
    expect(lines.slice(fork).some((line) => line.includes('"EvolutionConfigured"'))).toBe(true);
  });

  it('continues with the parameters that were set', async () => {
    const culled = (text: string) => text.split('\n').filter((line) => line.includes('"NodeCulled"')).length;
    await branch('milder', { cullShare: 0 });
    expect(culled(await history('harsher'))).toBeGreaterThan(culled(await history('milder')));
  });

  it('is a history with valid hash chains', async () => {
    const check = new ChainCheck('line');
    for await (const event of readHistoryFile(join(home, 'harsher', 'history.jsonl'))) check.add(event);
    expect(check.finish({ whole: true })).toEqual([]);
  });

  it('gives the same bytes again, also when it was stopped and resumed', async () => {
    await branch('again', { cullShare: 0.4 });
    expect(await history('again')).toBe(await history('harsher'));
    await expect(branch('stopped', { cullShare: 0.4 }, { stopAfter: 1 })).rejects.toThrow();
    await resume('stopped');
    expect(await history('stopped')).toBe(await history('harsher'));
  });

  it('is resumed in the simulated world in which it began', async () => {
    await branch('another world', {}, { world: 3 });
    await expect(branch('elsewhere', {}, { world: 3, stopAfter: 1 })).rejects.toThrow();
    expect(await engineOfBranch(join(home, 'elsewhere'))).toEqual({ engine: 'simulated', world: 3 });
    await resume('elsewhere');
    expect(await history('elsewhere')).toBe(await history('another world'));
  });

  it('can begin at any moment: messages in flight arrive', async () => {
    const found = await branch('middle', {}, { moment: '700' });
    expect(found.arms[0]?.generations.at(-1)?.nodes).toBe(20);
    const lines = (await history('middle')).trimEnd().split('\n');
    const events: { type: string; data: { taskId: string } }[] = lines.map((line) => JSON.parse(line));
    const fork = events.findIndex(({ type }) => type === 'HistoryForked');
    const [before, after] = [events.slice(0, fork), events.slice(fork)];
    const tasks = (of: typeof events, wanted: string): string[] =>
      of.flatMap(({ type, data }) => (type === wanted ? [data.taskId] : []));
    const open = tasks(before, 'GoldTaskIssued').filter((task) => !tasks(before, 'VoteCast').includes(task));
    expect(open.length).toBeGreaterThan(0);
    expect(tasks(after, 'VoteCast')).toEqual(expect.arrayContaining(open));
    expect(after.map(({ type }) => type)).not.toContain('TaskFailed');
  });

  it('can continue a history with more events than a call can have arguments', async () => {
    const fork = { forkedFrom: null, engine: 'simulated', simulated: true, seed: 1, changes: {}, at: '' };
    const told = Array.from({ length: 150_000 }, () => ({
      stream: 'experiment-long',
      type: 'HistoryForked',
      data: fork,
    }));
    const long = join(home, 'long.jsonl');
    const before = await readFile(join(original, 'history.jsonl'), 'utf8');
    await writeFile(long, before + historyOf(told).map(historyLine).join(''));
    const found = await branch('of a long one', {}, { from: long, moment: 'end' });
    expect(found.arms[0]?.generations.at(-1)?.nodes).toBe(20);
  }, 120_000);

  it('of a branch is in the same world', async () => {
    await branch('nested', {}, { from: join(home, 'harsher', 'history.jsonl'), moment: 'end' });
    const plan = JSON.parse(await readFile(join(home, 'nested', 'branch.json'), 'utf8'));
    const { seedVariants, devices } = JSON.parse(await readFile(join(original, 'world.json'), 'utf8'));
    expect({ seedVariants, devices }).toEqual({ seedVariants: 3, devices: expect.any(Array) });
    expect(plan).toMatchObject({ seedVariants, devices });
  });

  it('is compared with the original', async () => {
    const other = await branch('beside', { strategy: 'static' });
    const comparison = compareSummaries([
      { name: 'original', summary },
      { name: 'branch', summary: other },
    ]);
    expect(JSON.stringify(comparison)).toContain('original: evolution');
    expect(JSON.stringify(comparison)).toContain('branch: beside');
  });

  it.each([
    ['an unknown parameter', { nonsense: 1 }, {}, 'cannot set nonsense'],
    [
      'a parameter that is the same in all branches',
      { tasksPerGeneration: 5 },
      {},
      'cannot set tasksPerGeneration',
    ],
    ['gold tasks of the network', { goldShare: 0.5, genePool: {} }, {}, 'cannot set goldShare, genePool'],
    ['an invalid value', { cullShare: 7 }, {}, 'cullShare'],
    ['a fork beyond the end', {}, { moment: '99999999' }, 'no event'],
    ['a generation that never was', {}, { moment: 'generation:99' }, 'Generation 99'],
    ['an engine without its models', {}, { engine: 'miniature' as const }, 'names the model "sim-'],
  ])('is refused for %s, and leaves nothing behind', async (_what, set, options, message) => {
    await expect(branch('refused', set, options)).rejects.toThrow(message);
    expect(await readdir(home)).not.toContain('refused');
  });

  it('refuses a folder that is not empty', async () => {
    await expect(branch('harsher', {})).rejects.toThrow('exists and is not empty');
  });
});
