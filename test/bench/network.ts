import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { NETWORK_USER } from '../../src/messaging/permissions.ts';
import { COMMANDS, EVENTS, WORK } from '../../src/messaging/streams.ts';
import { readNatsPassword } from '../../src/messaging/users.ts';
import type { NetworkProcessOptions, NetworkReady } from './network-process.ts';

export interface Answer {
  readonly queryId: string;
  readonly outcome: string;
  readonly answer: string | null;
}

/** How many messages went through each of the broker's streams. */
export interface Messages {
  readonly commands: number;
  readonly work: number;
  readonly events: number;
}

/** What the processes of one program have taken so far, and hold now. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** A whole network in its own processes, and this process as its client. */
export interface BenchNetwork {
  readonly store: EventStore;
  ask(question: string, account?: string): Promise<Answer>;
  /** Opens accounts that can pay for so many queries together, and gives their names. */
  openAccounts(queries: number): Promise<readonly string[]>;
  /** Resolves when everything that follows from what was asked is recorded and published; gives the end of history. */
  settled(): Promise<number>;
  messages(): Promise<Messages>;
  /** By program; empty if the system does not report it. */
  usage(): Readonly<Record<string, Usage>>;
  stop(): Promise<void>;
}

const ASK_TIMEOUT_MS = 60_000;
/** What an account is granted pays for 133 simple queries of somebody who contributes nothing. */
const QUERIES_PER_ACCOUNT = 100;
const QUIET_MS = 300;
const SETTLED_WITHIN_MS = 120_000;

/** `program`: a file of this folder that sends a `NetworkReady` and answers `dellm.ask`. */
export async function startNetwork(
  options: NetworkProcessOptions,
  program = './network-process.js',
): Promise<BenchNetwork> {
  const main = fileURLToPath(new URL(program, import.meta.url));
  const child = fork(main, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [ready] = (await Promise.race([once(child, 'message'), ended(child)])) as [NetworkReady];
  const { natsUrl, storeUrl } = ready;
  const client = await connectNats({ url: natsUrl, name: 'bench' });
  const password = await readNatsPassword(options.home, NETWORK_USER);
  const owner = await connectNats({
    url: natsUrl,
    user: NETWORK_USER,
    password: password ?? '',
    name: 'bench-look',
  });
  const store = connectEventStore(storeUrl);
  let opened = 0;

  async function messagesIn(stream: string): Promise<{ readonly left: number; readonly total: number }> {
    const jsm = await jetstream(owner).jetstreamManager();
    const { state } = await jsm.streams.info(stream);
    return { left: state.messages, total: state.last_seq };
  }

  return {
    store,
    ask: (question, account) =>
      requestJson<Answer>(client, 'dellm.ask', { question, ...(account !== undefined && { account }) }),
    async openAccounts(queries) {
      const names = Array.from(
        { length: Math.ceil(queries / QUERIES_PER_ACCOUNT) },
        () => `bench-${opened++}`,
      );
      for (const account of names) await requestJson(client, 'dellm.accounts.open', { account });
      return names;
    },
    async settled() {
      const deadline = Date.now() + SETTLED_WITHIN_MS;
      let quietSince = Date.now();
      for (let end = -1; Date.now() < deadline; await sleep(50)) {
        const [commands, work, position] = [
          await messagesIn(COMMANDS),
          await messagesIn(WORK),
          await lastPosition(store),
        ];
        if (commands.left + work.left > 0 || position !== end) quietSince = Date.now();
        end = position;
        if (Date.now() - quietSince >= QUIET_MS) return end;
      }
      throw new Error('The network was still busy two minutes after the last answer.');
    },
    async messages() {
      const [commands, work, events] = [
        await messagesIn(COMMANDS),
        await messagesIn(WORK),
        await messagesIn(EVENTS),
      ];
      return { commands: commands.total, work: work.total, events: events.total };
    },
    usage: () => usageOfTree(child.pid ?? -1),
    async stop() {
      await store.close();
      await client.close();
      await owner.close();
      child.disconnect();
      const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await once(child, 'exit');
      clearTimeout(impatience);
    },
  };
}

/** Everything recorded after a position. */
export async function eventsAfter(store: EventStore, position: number): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of store.readAll({ after: position })) events.push(event);
  return events;
}

async function lastPosition(store: EventStore): Promise<number> {
  for await (const event of store.readAll({ direction: 'backwards', limit: 1 })) return event.position;
  return 0;
}

async function requestJson<T>(nc: NatsConnection, subject: string, body: object): Promise<T> {
  const answer = await nc.request(subject, encodeJson(body), { timeout: ASK_TIMEOUT_MS });
  const value = decodeJson(answer.data) as T | { readonly error: { readonly message: string } };
  if (typeof value === 'object' && value !== null && 'error' in value) throw new Error(value.error.message);
  return value as T;
}

async function ended(child: ReturnType<typeof fork>): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null];
  throw new Error(`The network's process ended with code ${code} before it was ready.`);
}

const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/eventstore\/server\/main/, 'event store'],
  [/nats-server/, 'nats-server'],
  [/llama\/worker/, 'models'],
  [/read-side-process/, 'projector and relay'],
  [/(network|pipeline)-process/, 'roles'],
];

/** Jiffies are hundredths of a second on every Linux. */
const JIFFY_MS = 10;

function usageOfTree(root: number): Readonly<Record<string, Usage>> {
  const usage: Record<string, Usage> = {};
  if (process.platform !== 'linux') return usage;
  const parents = new Map<number, number>();
  const times = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const stat = Number.isInteger(pid) ? readOrNull(`/proc/${pid}/stat`) : null;
    if (stat === null) continue;
    // The second field is the program's name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    parents.set(pid, Number(fields[1]));
    times.set(pid, (Number(fields[11]) + Number(fields[12])) * JIFFY_MS);
  }
  for (const [pid, ms] of times) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor !== root) ancestor = parents.get(ancestor);
    if (ancestor !== root) continue;
    const line = readOrNull(`/proc/${pid}/cmdline`) ?? '';
    const program = PROGRAMS.find(([pattern]) => pattern.test(line))?.[1] ?? 'others';
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readOrNull(`/proc/${pid}/status`) ?? '') ?? [];
    usage[program] = {
      cpuMs: (usage[program]?.cpuMs ?? 0) + ms,
      rssBytes: (usage[program]?.rssBytes ?? 0) + Number(kilobytes ?? 0) * 1024,
    };
  }
  return usage;
}

/** CPU time by program between two moments, in milliseconds per `count`. */
export function cpuBetween(
  before: Readonly<Record<string, Usage>>,
  after: Readonly<Record<string, Usage>>,
  count: number,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(after).map(([program, { cpuMs }]) => [
      program,
      (cpuMs - (before[program]?.cpuMs ?? 0)) / count,
    ]),
  );
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // The process has ended in between.
    return null;
  }
}
