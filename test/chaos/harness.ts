import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawOf, verifyChain } from '../../src/events/envelope.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import type { Running, Supervised } from '../../src/host/supervise.ts';

/** A process that may be killed at any moment and is started again by its supervisor. */
export interface Victim {
  readonly name: string;
  /** SIGKILL. False if it is not running at the moment. */
  kill(): boolean;
}

/** A network under test: the toy or the full one. */
export interface ChaosTarget {
  readonly victims: readonly Victim[];
  /** Brings in the `index`-th piece of work; resolves when the network has accepted it, however long that takes. */
  load(index: number): Promise<void>;
  /** What has not ended yet of all that was accepted, for people to read. Empty: it is done. */
  unfinished(): Promise<readonly string[]>;
  /** Everything that is stored, in order. */
  history(): AsyncIterable<StoredEvent>;
  /** What an event makes happen, by natural key: it may stand in the history once. Null: it makes nothing happen. */
  naturalKey(event: StoredEvent): string | null;
  /** What is wrong with the history by the target's own rules. */
  problems(events: readonly StoredEvent[]): Promise<readonly string[]>;
}

export interface ChaosPlan {
  readonly seed: number;
  readonly kills: number;
  /** Pieces of work, spread evenly over the time of killing. */
  readonly loads: number;
  /** Pieces of work on their way at the same time. */
  readonly atOnce: number;
  /** Pause between kills, in milliseconds: drawn between these. */
  readonly pauseMs: readonly [number, number];
  /** After the last kill everything must be done within this time, in milliseconds. */
  readonly recoveryMs: number;
}

export interface ChaosReport {
  readonly kills: Readonly<Record<string, number>>;
  /** Pieces of work that were brought in. */
  readonly loads: number;
  readonly events: number;
  readonly loadMs: number;
  /** From the last kill until nothing was unfinished, in milliseconds. */
  readonly recoveryMs: number;
  readonly problems: readonly string[];
}

const POLL_MS = 100;
/** Waits longer than recovery may take, to tell how long it took. */
const GIVE_UP_FACTOR = 2;
const STOP_WITHIN_MS = 10_000;

/** Puts the target under load, kills its processes at seeded moments, lets it recover, and looks at what it recorded. */
export async function wreakHavoc(target: ChaosTarget, plan: ChaosPlan): Promise<ChaosReport> {
  const kills: Record<string, number> = {};
  const startedAt = performance.now();
  const killing = killAll(target.victims, plan, kills);
  let next = 0;
  let killed = false;
  const period = (plan.atOnce * meanPause(plan) * plan.kills) / plan.loads;
  // The work lasts as long as the killing does: nothing new begins after the last kill.
  const working = Promise.all(
    Array.from({ length: plan.atOnce }, async () => {
      for (let index = next++; index < plan.loads && !killed; index = next++) {
        const begunAt = performance.now();
        await target.load(index);
        await sleep(killed ? 0 : Math.max(0, period - (performance.now() - begunAt)));
      }
    }),
  );
  let busy = true;
  const worked = working.finally(() => {
    busy = false;
  });
  const lastKillAt = await killing;
  killed = true;
  const loadMs = performance.now() - startedAt;

  const problems: string[] = [];
  let unfinished = await target.unfinished();
  let lastUnfinishedAt = lastKillAt;
  while (
    (busy || unfinished.length > 0) &&
    performance.now() - lastKillAt < GIVE_UP_FACTOR * plan.recoveryMs
  ) {
    await sleep(POLL_MS);
    unfinished = await target.unfinished();
    if (unfinished.length > 0) lastUnfinishedAt = performance.now();
  }
  await worked;
  const recoveryMs = lastUnfinishedAt - lastKillAt;
  if (unfinished.length > 0 || recoveryMs > plan.recoveryMs) {
    problems.push(
      `${unfinished.length} unfinished, ${Math.round(recoveryMs)} ms after the last kill: ${unfinished.slice(0, 10).join(', ')}`,
    );
  }

  const events: StoredEvent[] = [];
  for await (const event of target.history()) events.push(event);
  problems.push(
    ...(await problemsOf(events, (event) => target.naturalKey(event))),
    ...(await target.problems(events)),
  );
  return { kills, loads: Math.min(next, plan.loads), events: events.length, loadMs, recoveryMs, problems };
}

/** What must hold for every history: no gap, an unbroken chain, nothing that happened twice. */
export async function problemsOf(
  events: readonly StoredEvent[],
  naturalKey: (event: StoredEvent) => string | null,
): Promise<string[]> {
  const problems: string[] = [];
  // The chain is of consecutive revisions: it names a gap as well.
  const chain = await verifyChain(events);
  if (!chain.ok) problems.push(`${chain.stream} at revision ${chain.revision}: ${chain.reason}`);
  const firstOf = new Map<string, StoredEvent>();
  for (const event of events) {
    const key = naturalKey(event);
    if (key === null) continue;
    const first = firstOf.get(key);
    if (first) {
      problems.push(`"${key}" happened twice: ${placeOf(first)} and ${placeOf(event)}`);
    } else firstOf.set(key, event);
  }
  return problems;
}

export interface ChildRole extends Running {
  readonly pid: number;
  kill(): void;
}

/**
 * Starts a script in a process of its own and waits until it has written a line to its standard output: that means
 * that it is ready. The open pipe to its standard input is how it notices that this process is gone.
 */
export async function startRole(
  script: string,
  settings: Readonly<Record<string, string>>,
  onLine: (line: string) => void,
  args: readonly string[] = [],
): Promise<ChildRole> {
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...settings },
  });
  child.stdin.on('error', () => {});
  const said: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    said.push(line);
    if (said.length > 20) said.shift();
    onLine(line);
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(`${signal ?? code}`));
    child.once('error', (error) => resolve(error.message));
  });
  const ready = new Promise<true>((resolve) => {
    createInterface({ input: child.stdout }).once('line', () => resolve(true));
  });
  const first = await Promise.race([ready, exited]);
  if (first !== true) throw new Error(`${script} ended (${first}) before it was ready:\n${said.join('\n')}`);
  return {
    pid: child.pid ?? -1,
    exited,
    kill: () => child.kill('SIGKILL'),
    stop: () => stopChild(child, exited),
  };
}

/** What is supervised, as a victim: it can be killed only while it runs. */
export function victimOf<R extends Running>(supervised: Supervised<R>, kill: (running: R) => void): Victim {
  return {
    name: supervised.name,
    kill() {
      const current = supervised.current();
      if (current === null || supervised.state() !== 'running') return false;
      kill(current);
      return true;
    },
  };
}

async function stopChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(impatience);
}

/** When the last kill was, by the monotonic clock. */
async function killAll(
  victims: readonly Victim[],
  plan: ChaosPlan,
  kills: Record<string, number>,
): Promise<number> {
  const [shortest, longest] = plan.pauseMs;
  for (let index = 0; index < plan.kills; index += 1) {
    await sleep(shortest + drawOf('pause', plan.seed, index) * (longest - shortest));
    const start = Math.floor(drawOf('victim', plan.seed, index) * victims.length);
    // Whoever is down at the moment is passed over; if all are, wait.
    for (let turn = 0; ; turn += 1) {
      const victim = victims[(start + turn) % victims.length];
      if (victim?.kill()) {
        kills[victim.name] = (kills[victim.name] ?? 0) + 1;
        break;
      }
      if (turn % victims.length === victims.length - 1) await sleep(POLL_MS);
    }
  }
  return performance.now();
}

function meanPause({ pauseMs: [shortest, longest] }: ChaosPlan): number {
  return (shortest + longest) / 2;
}

function placeOf(event: StoredEvent): string {
  return `${event.stream}@${event.revision}`;
}
