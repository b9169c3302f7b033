import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, dellm, newFolder, start, until } from '../support/dellm-process.ts';

afterAll(cleanUp);

const home = newFolder();
const SMALL = '--engine simulated --nodes 20 --generations 2 --tasks-per-node 5 --held-out 20 --seed 3';

function run(args: string, out = join(home, 'out')) {
  return dellm(home, ['experiment', 'run', ...args.split(' '), '--out', out]);
}

describe('dellm experiment run', () => {
  it('runs all arms, shows its progress, and says where the files are', async () => {
    const out = join(home, 'whole');
    const { code, stdout, stderr } = await run(`${SMALL} --json`, out);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(out, 'summary.json'), 'utf8')));
    expect(stderr).toMatch(/12\/12 .* left/);
    expect(existsSync(join(out, 'fitness.svg'))).toBe(true);
  }, 120_000);

  it('takes parameters from a file; those of the command line override them', async () => {
    const file = join(home, 'parameters.json');
    await writeFile(file, JSON.stringify({ engine: 'simulated', nodes: 20, generations: 1, seed: 9 }));
    const out = join(home, 'from file');
    const args = ['experiment', 'run', file, '--arms', 'static', '--tasks-per-node', '2', '--out', out];
    const { code, stdout, stderr } = await dellm(home, args);
    expect(code).toBe(0);
    expect(stdout).toContain('All answers are simulated.');
    expect(stderr).toMatch(/^2\/2 {2}simulated, static, seed 9, generation 1: /m);
    const summary = JSON.parse(await readFile(join(out, 'summary.json'), 'utf8'));
    expect(summary.config).toMatchObject({ nodes: 20, generations: 1, tasksPerNode: 2, seeds: [9] });
  }, 120_000);

  it('stops at Ctrl-C, keeps what is finished, and resumes to the same bytes', async () => {
    const out = join(home, 'stopped');
    const args = ['experiment', 'run', ...SMALL.split(' '), '--generations', '6', '--out', out];
    const started = start(home, args);
    await until(() => started.err().includes('left'), 'the first generation');
    started.child.kill('SIGINT');
    const { code, stderr } = await started.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('--resume');
    expect(existsSync(join(out, 'summary.json'))).toBe(false);
    expect((await dellm(home, ['experiment', 'run', '--out', out, '--resume'])).code).toBe(0);

    const other = join(home, 'unbroken');
    await run(`${SMALL} --generations 6`, other);
    for (const name of [
      'runs/evolution-seed-3/history.jsonl',
      'runs/static-seed-3/history.jsonl',
      'summary.json',
    ]) {
      expect(await readFile(join(out, name), 'utf8')).toBe(await readFile(join(other, name), 'utf8'));
    }
  }, 120_000);

  it.each([
    ['a seed that is no number', '--seed abc', 2, 'seed: "abc" is not a whole number'],
    ['too few Nodes', '--nodes 3', 2, 'nodes: 3 is not from 5 to 10000'],
    ['an arm that there is not', '--arms evolution,luck', 2, '"luck" is not one of'],
    ['an engine that there is not', '--engine oracle', 2, '"oracle" is not one of'],
    ['answers that are not named', '--engine recorded', 2, 'needs the file of answers'],
    ['answers that are not there', '--engine recorded --recordings /nowhere.jsonl', 1, '/nowhere.jsonl'],
    ['nothing to go on with', '--resume', 2, 'has no experiment'],
    ['parameters beside --resume', '--resume --nodes 20', 2, 'Leave out all other parameters'],
  ])('refuses %s and leaves nothing behind', async (_what, args, exit, message) => {
    const out = join(home, 'refused');
    const { code, stdout, stderr } = await run(args, out);
    expect(code).toBe(exit);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(existsSync(out)).toBe(false);
  });

  it('does not touch a folder that is not empty', async () => {
    const out = join(home, 'mine');
    await mkdir(out);
    await writeFile(join(out, 'notes.txt'), 'mine');
    const { code, stderr } = await run(SMALL, out);
    expect(code).toBe(2);
    expect(stderr).toContain('exists and is not empty');
    expect(existsSync(join(out, 'experiment.json'))).toBe(false);
  });

  it('requires an output folder', async () => {
    const { code, stderr } = await dellm(home, ['experiment', 'run', ...SMALL.split(' ')]);
    expect(code).toBe(2);
    expect(stderr).toContain('--out');
  });

  it('leaves a history that can be branched, verified and shown', async () => {
    const from = join(home, 'whole', 'runs', 'evolution-seed-3');
    const out = join(home, 'branch');
    const args = ['history', 'branch', '--from', from, '--generation', '1', '--set', 'cullShare=0.4'];
    const more = ['--engine', 'simulated', '--generations', '1', '--tasks-per-node', '5', '--out', out];
    const branched = await dellm(home, [...args, ...more]);
    expect(branched.code).toBe(0);
    expect(branched.stdout).toContain('All answers after the fork are simulated.');
    expect(branched.stderr).toMatch(/^2\/2 {2}simulated, branch, seed 1, generation 2: /m);
    expect((await dellm(home, ['history', 'verify', '--from', out])).code).toBe(0);
    const compared = await dellm(home, ['experiment', 'compare', join(home, 'whole'), out]);
    expect(compared.code).toBe(0);
    expect(compared.stdout).toContain('branch: branch');
    const again = await dellm(home, [...args, ...more]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('exists and is not empty');
  }, 60_000);
});
