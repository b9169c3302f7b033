import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openDataFolder } from '../../src/host/data-folder.ts';
import { DEVICE } from '../support/local-network.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { type Boot, phaseRows, up } from './boot.ts';
import { writeHistory } from './long-history.ts';
import { spread } from './statistics.ts';

const REPETITIONS = 3;
/** The very first start folds the whole history into the read models. */
const PATIENCE_MS = 300_000;

export const restart: Benchmark = {
  name: 'restart',
  title: 'From start to the first answer on a long history',
  about:
    '`dellm up` and one question on the history of a network of 50 Nodes that has answered simple questions for long ' +
    '(recorded with an instant engine, and repeated under other ids): the first time, when there are neither read models ' +
    'nor snapshots yet, and again, as a network does that was stopped. Aim: 10 s again at 1,000,000 events.',
  unit: 'events',
  sizes: [10_000, 100_000, 1_000_000],
  least: 5_000,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const home = join(folder, 'home');
  await (await openDataFolder(home)).release();
  log('recording a history, and repeating it');
  await writeHistory(size, join(folder, 'history.jsonl'), join(home, 'history.sqlite'));
  // The device on which the recorded Nodes live.
  writeFileSync(join(home, 'device.json'), JSON.stringify({ device: DEVICE }));
  log('the first start');
  const first = await up(home, PATIENCE_MS);
  const again: Boot[] = [];
  for (let start = 0; start < REPETITIONS; start += 1) {
    log('again');
    again.push(await up(home));
  }
  const row = (what: string, boots: readonly Boot[]): Row => ({
    events: size,
    what,
    'to the first answer, s': spread(boots.map(({ firstAnswerMs }) => firstAnswerMs / 1000)),
    'to stop, s': spread(boots.map(({ stoppedMs }) => stoppedMs / 1000)),
  });
  const phases = phaseRows('again', again).map((phase) => ({ events: size, ...phase }));
  return [
    { title: 'Start', rows: [row('the first time', [first]), { ...row('again', again), 'aim, s': 10 }] },
    { title: 'Time per phase (mean)', rows: phases },
  ];
}
