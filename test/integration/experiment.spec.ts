import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyChain } from '../../src/events/envelope.ts';
import {
  createExperimentFolder,
  openExperimentFolder,
  runExperiment,
  runFolderName,
} from '../../src/experiments/experiment.ts';
import { withFolderLock } from '../../src/experiments/folder-lock.ts';
import type { Summary } from '../../src/experiments/summary.ts';
import { openExperimentEngine } from '../../src/network/experiment-engine.ts';
import { readHistoryFile } from '../../src/replay/history-file.ts';
import { withSmallDisk } from '../support/small-disk.ts';

const SIMULATED = { engine: 'simulated', nodes: 20, generations: 3, tasksPerNode: 5, heldOut: 20, seed: 7 };
const MINIATURE = { ...SIMULATED, engine: 'miniature', nodes: 10, generations: 2, arms: ['evolution'] };

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'dellm-experiment-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

function folder(name: string): string {
  return join(home, name);
}

/** Runs or resumes an experiment. `stopAfter`: the signal aborts after this many generations. */
async function run(
  name: string,
  input: object | null,
  { outputs = join(home, `${name}.outputs`), stopAfter = Number.POSITIVE_INFINITY } = {},
): Promise<Summary> {
  const config =
    input === null
      ? await openExperimentFolder(folder(name))
      : await createExperimentFolder(folder(name), input);
  const engine = await openExperimentEngine(config, outputs, () => {});
  const interrupt = new AbortController();
  let finished = 0;
  try {
    return await runExperiment({
      config,
      engine,
      folder: folder(name),
      signal: interrupt.signal,
      onProgress() {
        finished += 1;
        if (finished === stopAfter) interrupt.abort();
      },
    });
  } finally {
    await engine.close();
  }
}

async function historyOf(name: string, arm: string): Promise<string> {
  return readFile(join(folder(name), runFolderName(arm, 7), 'history.jsonl'), 'utf8');
}

/** Everything except measured times equals the first experiment. */
async function expectSameFiles(name: string): Promise<void> {
  const names = await readdir(folder('first'), { recursive: true });
  const files = names.filter(
    (file) => /\.(jsonl?|csv|nwk|svg)$/.test(file) && !file.endsWith('progress.jsonl'),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const [one, other] = await Promise.all(
      ['first', name].map((experiment) => readFile(join(folder(experiment), file), 'utf8')),
    );
    expect(other === one, file).toBe(true);
  }
}

async function digest(name: string, arm: string): Promise<string> {
  return createHash('sha256')
    .update(await historyOf(name, arm))
    .digest('hex');
}

describe('an experiment in a simulated world', () => {
  let summary: Summary;

  beforeAll(async () => {
    summary = await run('first', SIMULATED);
  }, 120_000);

  it('gives all arms the same budget and the same first population', () => {
    expect(summary.arms.map(({ arm }) => arm)).toEqual(['evolution', 'random-search', 'best-of-n', 'static']);
    expect(new Set(summary.arms.map(({ tasks }) => tasks)).size).toBe(1);
    expect(new Set(summary.arms.map(({ generations: [first] }) => first?.fitness.mean)).size).toBe(1);
    for (const { generations } of summary.arms) {
      expect(generations.map(({ nodes }) => nodes)).toEqual([20, 20, 20, 20]);
    }
  });

  it('forms specialized, geographic and hybrid Clusters when large ones split', async () => {
    const large = { ...SIMULATED, nodes: 100, clusterSize: 50, generations: 2, seed: 1, arms: ['evolution'] };
    const { arms } = await run('large', large);
    // Each is named at the end of its first generation.
    const { clusters } = arms[0]?.generations.at(-1) ?? {};
    expect(Math.min(...Object.values(clusters ?? { none: 0 }))).toBeGreaterThan(0);
  });

  it('says in all of its output that it is simulated', async () => {
    expect(summary.simulated).toBe(true);
    for (const name of ['fitness', 'held-out', 'diversity', 'specialization', 'modes', 'lineage']) {
      expect(await readFile(join(folder('first'), `${name}.svg`), 'utf8')).toContain('simulated');
    }
    expect(await historyOf('first', 'static')).toContain('Simulated task');
  });

  it('gives the same history byte for byte when it is run again', async () => {
    await run('again', SIMULATED);
    for (const arm of ['evolution', 'random-search', 'best-of-n', 'static']) {
      expect(await digest('again', arm)).toBe(await digest('first', arm));
    }
  }, 120_000);

  it('gives the same history when it was interrupted and resumed', async () => {
    await expect(run('broken', SIMULATED, { stopAfter: 2 })).rejects.toThrow();
    expect(existsSync(join(folder('broken'), 'summary.json'))).toBe(false);
    await expect(run('broken', null, { stopAfter: 4 })).rejects.toThrow();
    const resumed = await run('broken', null);
    for (const arm of ['evolution', 'random-search', 'best-of-n', 'static']) {
      expect(await digest('broken', arm)).toBe(await digest('first', arm));
    }
    expect(resumed).toEqual(summary);
    await expectSameFiles('broken');
  }, 120_000);

  it('keeps finished runs, and reads histories only for missing lives', async () => {
    await run('again', null);
    await expectSameFiles('again');
    const [shown, unread, bare] = ['evolution', 'random-search', 'static'].map((arm) =>
      join(folder('again'), runFolderName(arm, 7)),
    ) as [string, string, string];
    await rm(join(shown, 'phylogeny.nwk'));
    await rm(join(bare, 'phylogeny.csv'));
    const history = join(unread, 'history.jsonl');
    const whole = await readFile(history, 'utf8');
    await writeFile(history, whole.replace('{', '['));
    expect(await run('again', null)).toEqual(summary);
    await writeFile(history, whole);
    await expectSameFiles('again');
  }, 120_000);

  it('keeps what is finished when the disk is full, and resumes when there is space', async (context) => {
    await withSmallDisk(context, folder('disk'), '2m', async (disk) => {
      const name = join('disk', 'run');
      const outputs = join(home, 'disk.outputs');
      await expect(run(name, SIMULATED, { outputs })).rejects.toThrow(/disk is full.*--resume/s);
      const progress = await readFile(
        join(folder(name), runFolderName('evolution', 7), 'progress.jsonl'),
        'utf8',
      );
      expect(progress).toMatch(/^\{.*\n/);
      disk.grow('64m');
      await run(name, null, { outputs });
      for (const arm of ['evolution', 'random-search', 'best-of-n', 'static']) {
        expect(await digest(name, arm)).toBe(await digest('first', arm));
      }
    });
  }, 120_000);

  it('leaves a history with valid hash chains, as canonical JSON', async () => {
    const path = join(folder('first'), runFolderName('evolution', 7), 'history.jsonl');
    expect(await verifyChain(readHistoryFile(path))).toMatchObject({ ok: true });
    const [line = ''] = (await historyOf('first', 'evolution')).split('\n');
    expect(Object.keys(JSON.parse(line))).toEqual(['data', 'id', 'metadata', 'revision', 'stream', 'type']);
  });

  it('writes every life with its parents', async () => {
    const csv = await readFile(join(folder('first'), runFolderName('evolution', 7), 'phylogeny.csv'), 'utf8');
    const lines = csv.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^id,ancestor_list,origin_time/);
    expect(lines.length - 1).toBe(20 + 3 * 4);
  });
});

describe('an experiment with the miniature models', () => {
  it('gives the same history from the models and from their recorded answers', async () => {
    await run('models', MINIATURE, { outputs: join(home, 'one') });
    await run('models again', MINIATURE, { outputs: join(home, 'other') });
    await run('kept', MINIATURE, { outputs: join(home, 'one') });
    const recordings = join(home, 'one');
    await run('recorded', { ...MINIATURE, engine: 'recorded', recordings });
    const first = await digest('models', 'evolution');
    for (const name of ['models again', 'kept', 'recorded']) {
      expect(await digest(name, 'evolution')).toBe(first);
    }
  }, 180_000);

  it('gives the same history across an interruption', async () => {
    await expect(run('stopped', MINIATURE, { outputs: join(home, 'one'), stopAfter: 1 })).rejects.toThrow();
    await run('stopped', null, { outputs: join(home, 'one') });
    expect(await digest('stopped', 'evolution')).toBe(await digest('models', 'evolution'));
  }, 180_000);
});

describe('the folder of an experiment', () => {
  it('is refused if it is not empty, and nothing in it changes', async () => {
    await expect(createExperimentFolder(folder('first'), SIMULATED)).rejects.toThrow(/--resume/);
    await writeFile(join(home, 'notes.txt'), 'mine');
    await expect(createExperimentFolder(home, SIMULATED)).rejects.toThrow('exists and is not empty');
    expect(await readFile(join(home, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('is written to by one process at a time', async () => {
    await withFolderLock(folder('first'), async () => {
      await expect(run('first', null)).rejects.toThrow('Another process writes to');
    });
  });

  it('must contain an experiment to resume', async () => {
    await expect(openExperimentFolder(folder('nothing'))).rejects.toThrow('has no experiment');
  });

  it('is not created for invalid parameters', async () => {
    await expect(createExperimentFolder(folder('bad'), { ...SIMULATED, nodes: 3 })).rejects.toThrow('nodes');
    expect(existsSync(folder('bad'))).toBe(false);
  });
});
