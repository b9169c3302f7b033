import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import type { Benchmark, Row, Run, Table } from './benchmark.ts';
import { mean, spread } from './statistics.ts';

const QUESTION = 'What is 15 × 23?';
const STARTS_WITHIN_MS = 90_000;

/** When each phase was over, in milliseconds after the start of the process. */
export interface Boot {
  readonly phases: Readonly<Record<string, number>>;
  readonly firstAnswerMs: number;
  readonly stoppedMs: number;
}

export const boot: Benchmark = {
  name: 'boot',
  title: 'From start to the first answer',
  about:
    `\`dellm up\` with 50 Nodes and the miniature models, and “${QUESTION}” as soon as it says that it is up: on a fresh ` +
    'folder (which founds the network) and again on the same folder (which resumes it); and `dellm ask` on a fresh ' +
    'folder as a whole (boots, answers, stops). Dependencies are installed and sources compiled. Aim: 5 s.',
  unit: 'starts',
  sizes: [5],
  least: 1,
  run,
};

async function run({ size, folder, log }: Run): Promise<readonly Table[]> {
  const fresh: Boot[] = [];
  const again: Boot[] = [];
  const asks: number[] = [];
  for (let start = 0; start < size; start += 1) {
    const home = join(folder, `up-${start}`);
    log(`start ${start + 1}: fresh folder`);
    fresh.push(await up(home));
    log(`start ${start + 1}: the same folder again`);
    again.push(await up(home));
    log(`start ${start + 1}: dellm ask`);
    asks.push(await askOnce(join(folder, `ask-${start}`)));
  }
  const starts = { 'fresh folder': fresh, 'the same folder again': again };
  const rows: Row[] = Object.entries(starts).map(([what, boots]) => ({
    what,
    starts: size,
    'to the first answer, s': spread(boots.map(({ firstAnswerMs }) => firstAnswerMs / 1000)),
    'aim, s': 5,
    'to stop, s': spread(boots.map(({ stoppedMs }) => stoppedMs / 1000)),
  }));
  rows.push({
    what: 'dellm ask, with boot and stop',
    starts: size,
    'to the first answer, s': spread(asks.map((ms) => ms / 1000)),
  });
  const phases = Object.entries(starts).flatMap(([what, boots]) => phaseRows(what, boots));
  return [
    { title: 'Start', rows },
    { title: 'Time per phase (mean)', rows: phases },
  ];
}

/** The mean of each phase. */
export function phaseRows(what: string, boots: readonly Boot[]): Row[] {
  const names = [...new Set(boots.flatMap(({ phases }) => Object.keys(phases)))];
  let before = 0;
  return names.map((name) => {
    const over = mean(boots.flatMap(({ phases }) => phases[name] ?? []));
    const row = { what, phase: name, 'took, ms': over - before, 'over after, ms': over };
    before = over;
    return row;
  });
}

/** What the progress lines mean: each marks the end of a phase. */
const PHASES: readonly (readonly [RegExp, string])[] = [
  [/starting the event store/, 'node, modules, data folder'],
  [/starting the roles/, 'event store, broker, streams'],
  [/Nodes in \d+ Clusters/, 'roles'],
  [/network is up at/, 'network complete and known to the read model'],
];

/** `dellm up` on a folder, one question, and its end. */
export async function up(home: string, patienceMs = STARTS_WITHIN_MS): Promise<Boot> {
  const began = performance.now();
  const since = () => performance.now() - began;
  const child = spawn(process.execPath, [dellm(), 'up'], {
    env: environment(home),
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const phases: Record<string, number> = {};
  const said: string[] = [];
  const impatience = setTimeout(() => child.kill('SIGKILL'), patienceMs);
  try {
    let url: string | undefined;
    for await (const line of createInterface({ input: child.stderr })) {
      said.push(line);
      const phase = PHASES.find(([pattern]) => pattern.test(line))?.[1];
      if (phase !== undefined) phases[phase] ??= since();
      url = /up at (nats:\S+?)\.?(?:\s|$)/.exec(line)?.[1];
      if (url !== undefined) break;
    }
    if (url === undefined) throw new Error(`dellm up ended early:\n${said.join('\n')}`);
    child.stderr.resume();
    const nc = await connectNats({ url, name: 'bench' });
    const reply = await nc.request('dellm.ask', encodeJson({ question: QUESTION }), { timeout: 60_000 });
    const firstAnswerMs = since();
    phases['first answer (the models are loaded for it)'] = firstAnswerMs;
    const value = decodeJson(reply.data) as { readonly outcome?: string };
    if (value.outcome === undefined) throw new Error(`The answer was ${JSON.stringify(value)}.`);
    await nc.close();
    const stopping = performance.now();
    child.kill('SIGINT');
    await once(child, 'exit');
    return { phases, firstAnswerMs, stoppedMs: performance.now() - stopping };
  } finally {
    clearTimeout(impatience);
    if (child.exitCode === null) child.kill('SIGKILL');
  }
}

async function askOnce(home: string): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [dellm(), 'ask', '--json', QUESTION], {
    env: environment(home),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const impatience = setTimeout(() => child.kill('SIGKILL'), STARTS_WITHIN_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(impatience);
  // Not knowing is an answer too: the time is what is measured.
  if (code === null) throw new Error('dellm ask did not end in time.');
  return performance.now() - began;
}

/** This run's compiled copy knows no models; the package's own program does. */
function dellm(): string {
  return fileURLToPath(new URL('../../../../bin/dellm.js', import.meta.url));
}

function environment(home: string): NodeJS.ProcessEnv {
  const { NATS_URL: _broker, ESDB_URL: _store, ...env } = process.env;
  return { ...env, DELLM_HOME: home };
}
