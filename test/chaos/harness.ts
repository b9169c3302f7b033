import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawOf, verifyChain } from '../../src/events/envelope.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import type { Running, Supervised } from '../../src/host/supervise.ts';

/** A process that may be killed at any moment, and that its supervisor starts again. */
export interface Victim {
  readonly name: string;
  /** Sends SIGKILL. Returns false if it is not running now. */
  kill(): boolean;
}

/** A network under test: the toy network or the full one. */
export interface ChaosTarget {
  readonly victims: readonly Victim[];
  /** Sends the work item with this index. Resolves when the network has accepted it, however long that takes. */
  load(index: number): Promise<void>;
  /** Accepted work that has not ended, as text for people. Empty when all is done. */
  unfinished(): Promise<readonly string[]>;
  /** All stored events in order. */
  history(): AsyncIterable<StoredEvent>;
  /**
   * The natural key of what an event makes happen. It may occur once in the history. Null if it makes nothing
   * happen.
   */
  naturalKey(event: StoredEvent): string | null;
  /** Problems in the history, by the target's own rules. */
  problems(events: readonly StoredEvent[]): Promise<readonly string[]>;
}

export interface ChaosPlan {
  readonly seed: number;
  readonly kills: number;
  /** Number of work items, spread evenly over the time of killing. */
  readonly loads: number;
  /** Work items in flight at the same time. */
  readonly atOnce: number;
  /** Shortest and longest pause between kills, in milliseconds. Each pause is drawn between them. */
  readonly pauseMs: readonly [number, number];
  /** All work must end within this time after the last kill, in milliseconds. */
  readonly recoveryMs: number;
}

export interface ChaosReport {
  readonly kills: Readonly<Record<string, number>>;
  /** Number of work items that were sent. */
  readonly loads: number;
  readonly events: number;
  readonly loadMs: number;
  /** From the last kill until all work had ended, in milliseconds. */
  readonly recoveryMs: number;
  readonly problems: readonly string[];
}

const POLL_MS = 100;
/** Waits longer than recovery may take, to measure how long it took. */
const GIVE_UP_FACTOR = 2;
const STOP_WITHIN_MS = 10_000;

/**
 * Puts the target under load, kills its processes at seeded moments, lets it recover, and checks what it
 * recorded.
 */
export async function wreakHavoc(target: ChaosTarget, plan: ChaosPlan): Promise<ChaosReport> {
  const kills: Record<string, number> = {};
  const startedAt = performance.now();
  const killing = killAll(target.victims, plan, kills);
  let next = 0;
  let killed = false;
  const period = (plan.atOnce * meanPause(plan) * plan.kills) / plan.loads;
  // Work is sent during the killing only. None begins after the last kill.
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

/** What every history must have: no gap, a valid hash chain, and nothing that happened twice. */
export async function problemsOf(
  events: readonly StoredEvent[],
  naturalKey: (event: StoredEvent) => string | null,
): Promise<string[]> {
  const problems: string[] = [];
  // The chain check requires consecutive revisions, so it also finds gaps.
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
 * Starts a script in another process and waits until it has written a line to its standard output, which means
 * that it is ready. When this process ends, the script notices it by the closed pipe on its standard input.
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

/** A supervised process as a victim. It can be killed only while it runs. */
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

/** Kills the victims one after another. Returns the time of the last kill by the monotonic clock. */
async function killAll(
  victims: readonly Victim[],
  plan: ChaosPlan,
  kills: Record<string, number>,
): Promise<number> {
  const [shortest, longest] = plan.pauseMs;
  for (let index = 0; index < plan.kills; index += 1) {
    await sleep(shortest + drawOf('pause', plan.seed, index) * (longest - shortest));
    const start = Math.floor(drawOf('victim', plan.seed, index) * victims.length);
    // A victim that is down is skipped. If all are down, wait.
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
