import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { madeUpSummary } from '../../test/support/summaries.ts';
import { RunFiles } from './run-files.ts';

const [record] = madeUpSummary([{ arm: 'evolution', from: 0.5, gain: 0.1 }], [1], 1).arms.flatMap(
  ({ generations }) => generations,
);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dellm-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function commit(files: RunFiles, now: number): Promise<void> {
  if (!record) throw new Error('there is no generation to commit');
  await files.commit({ events: 0, now, tasks: 0, inferences: 0, wallMs: 1, record });
  files.close();
}

describe('the generations of a run', () => {
  it('are whole again after one that was cut off in the middle of its line', async () => {
    await commit(new RunFiles(folder), 1);
    const progress = join(folder, 'progress.jsonl');
    appendFileSync(progress, readFileSync(progress, 'utf8').slice(0, 40));
    const resumed = new RunFiles(folder);
    expect(resumed.committed.map(({ now }) => now)).toEqual([1]);
    await commit(resumed, 2);
    const again = new RunFiles(folder);
    expect(again.committed.map(({ now }) => now)).toEqual([1, 2]);
    again.close();
  });
});
