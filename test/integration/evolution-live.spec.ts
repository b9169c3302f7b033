import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { decodeJson } from '../../src/events/envelope.ts';
import type { EvolutionSettings } from '../../src/events/evolution.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import type { HistoryOutput, StatusOutput } from '../../src/gateway/schemas.ts';
import { DEAD } from '../../src/messaging/streams.ts';
import { evolutionSettings } from '../../src/network/evolution-settings.ts';
import type { EvolutionOutput } from '../../src/projections/evolution.ts';
import type { NodesOutput } from '../../src/projections/nodes.ts';
import { createCalculatingEngine } from '../support/calculating-engine.ts';
import { cleanUp, dellm } from '../support/dellm-process.ts';
import { evolutionProblems, populationOf, unfinishedEvolution } from '../support/evolution-history.ts';
import { type LiveNetwork, startLiveNetwork } from '../support/live-network.ts';

// A whole network, and as many questions as needed.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

/** Slots of the device. */
const SLOTS = 50;
const AT_ONCE = 4;
const MOST_QUESTIONS = 400;
/** So short that the gold tasks beside a question are due while the spec runs. */
const QUESTION_MS = 4_000;

interface Heard {
  readonly type: string;
  readonly expected: unknown;
  readonly early: boolean;
}

let network: LiveNetwork;
let store: EventStore;
let asked = 0;
/** Number of questions after which the first generation was completed. */
let first: number | undefined;
const issued: Heard[] = [];

beforeAll(async () => {
  const standard = await evolutionSettings('miniature');
  const evolution: EvolutionSettings = {
    ...standard,
    // The calculating engine reads plain questions. Offspring with other templates could answer none.
    genePool: { ...standard.genePool, promptTemplates: [{ system: '', user: '{question}' }] },
    tasksPerGeneration: 15,
    minTasks: 2,
    goldShare: 1,
  };
  network = await startLiveNetwork({ engine: createCalculatingEngine(0.25), evolution });
  store = connectEventStore(network.storeUrl);
  const listener = await network.connect();
  listen(listener);
  await listener.flush();
  await askUntil(async () => {
    const closed = (await history()).filter(({ type }) => type === 'GenerationClosed');
    if (closed.length > 0) first ??= asked;
    // In the first generations, fewer than five Nodes may have been judged. Then none is culled.
    return closed.some(({ data }) => Number(data.culled) > 0 && Number(data.born) > 0);
  });
});
afterAll(async () => {
  await store?.close();
  await network?.stop();
  await cleanUp();
});

/** What a client sees of gold tasks when they are issued, and whether they were due then. */
function listen(nc: NatsConnection): void {
  nc.subscribe('dellm.evt.cluster.*.GoldTaskIssued', {
    callback: (error, message) => {
      if (error) throw error;
      const { type, data } = decodeJson(message.data) as {
        type: string;
        data: { task: { expected: unknown }; dueAt: string };
      };
      issued.push({ type, expected: data.task.expected, early: Date.now() < Date.parse(data.dueAt) });
    },
  });
}

async function ask(): Promise<void> {
  asked += 1;
  const [a, b] = [11 + (asked % 80), 12 + ((asked * 7) % 83)];
  await network.request('dellm.ask', { question: `What is ${a} + ${b}?`, timeoutMs: QUESTION_MS });
}

/** Asks several questions at a time until the condition is met. */
async function askUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (asked >= MOST_QUESTIONS)
      throw new Error(`asked ${asked} questions without success: ${network.log.join('\n')}`);
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
  }
}

async function history(): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of store.readAll()) events.push(event);
  return events;
}

/** The history when every generation is completed and every culled Node is retired. */
async function settled(): Promise<StoredEvent[]> {
  return vi.waitFor(
    async () => {
      const events = await history();
      expect(unfinishedEvolution(events)).toEqual([]);
      return events;
    },
    { timeout: 30_000, interval: 100 },
  );
}

/** The position that the read model reaches. Snapshots are not part of it. */
function lastPosition(events: readonly StoredEvent[]): number {
  return events.findLast(({ stream }) => !stream.startsWith('snapshot-'))?.position ?? 0;
}

async function nodes(all = false): Promise<NodesOutput['nodes']> {
  const request = { limit: 500, minPosition: lastPosition(await history()), ...(all && { all }) };
  return ((await network.request('dellm.nodes', request)) as NodesOutput).nodes;
}

interface ShownGold {
  /** Null if it became due during the request. */
  readonly is: 'early' | 'due' | null;
  readonly hidden: boolean;
  readonly omitted: string | undefined;
}

/** The newest gold tasks as clients see them in the history. */
async function goldTasks(): Promise<readonly ShownGold[]> {
  const before = Date.now();
  const request = { stream: 'cluster-mathematical', direction: 'backwards', limit: 200 };
  const { events } = (await network.request('dellm.history', request)) as HistoryOutput;
  const after = Date.now();
  return events
    .filter(({ type }) => type === 'GoldTaskIssued')
    .map(({ data, omitted }) => {
      const { task, dueAt } = data as { task: { expected: unknown }; dueAt: string };
      const due = Date.parse(dueAt);
      const is = due > after ? 'early' : due <= before ? 'due' : null;
      return { is, hidden: task.expected === null, omitted };
    });
}

describe('a network that answers questions', () => {
  it('completes a generation without a command', async () => {
    const events = await history();
    const opened = events.find(({ type }) => type === 'GenerationOpened');
    expect(opened?.data).toMatchObject({ generation: 1, trigger: 'tasks' });
    expect(Number(opened?.data.successes)).toBeGreaterThanOrEqual(15);
    // Several questions for each of three Nodes, with several votes each.
    expect(first).toBeLessThan(100);
  });

  it('retires culled Nodes, and asks them nothing more', async () => {
    const { culled } = populationOf(await settled());
    expect(culled.size).toBeGreaterThan(0);
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    expect(evolutionProblems(await settled(), SLOTS)).toEqual([]);
    const living = (await nodes()).map(({ id }) => id);
    expect(living.filter((id) => culled.has(id))).toEqual([]);
    const gone = (await nodes(true)).filter(({ status }) => status === 'retired').map(({ id }) => id);
    expect(gone).toEqual(expect.arrayContaining([...culled]));
  });

  it('gives work to offspring, which have parents', async () => {
    const { offspring } = populationOf(await settled());
    expect(offspring.size).toBeGreaterThan(0);
    const isGrown = (id: string) => async () =>
      (await nodes(true)).some((node) => node.id === id && node.answered > 0);
    for (const id of offspring) await askUntil(isGrown(id));
    for (const node of (await nodes(true)).filter(({ id }) => offspring.has(id))) {
      expect(node.generation).toBeGreaterThan(0);
      // A random genome has no parents; all others have.
      const events = store.readStream(`node-${node.id}`, { limit: 1 });
      for await (const { data } of events) {
        expect(node.parents).toEqual(data.parents);
        if (data.cause !== 'immigration') expect(node.parents.length).toBeGreaterThan(0);
      }
    }
    const tasks = (await history()).filter(
      ({ type, stream }) => type === 'TaskAccepted' && offspring.has(stream.slice('node-'.length)),
    );
    expect(new Set(tasks.map(({ stream }) => stream)).size).toBe(offspring.size);
  });

  it('loses no Node, bears none twice, and overfills no device', async () => {
    expect(evolutionProblems(await settled(), SLOTS)).toEqual([]);
    expect((await nodes()).length).toBeLessThanOrEqual(SLOTS);
  });

  it('hides the answers of gold tasks until they are due', async () => {
    expect(issued.filter(({ early }) => early).length).toBeGreaterThan(0);
    expect(issued.filter(({ early, expected }) => early && expected !== null)).toEqual([]);
    // A question may go directly to a Node, and then there is no gold task beside it.
    await askUntil(async () => (await goldTasks()).some(({ is }) => is === 'early'));
    for (const { is, hidden, omitted } of await goldTasks()) {
      if (is === 'due') expect(hidden).toBe(false);
      if (is === 'early') expect([hidden, omitted]).toEqual([true, 'data.task.expected']);
    }
    // Once it is due, the answer is shown.
    await vi.waitFor(async () => expect((await goldTasks()).every(({ hidden }) => !hidden)).toBe(true), {
      timeout: 15_000,
      interval: 200,
    });
  });

  it('shows its evolution, over NATS and on the command line', async () => {
    const events = await settled();
    const { culled, offspring, generations } = populationOf(events);
    const minPosition = lastPosition(events);
    const evolution = (await network.request('dellm.evolution', { minPosition })) as EvolutionOutput;
    expect(evolution.measured).toBe(generations.size);
    expect(evolution.score).toBeGreaterThan(0);
    expect(evolution.score).toBeLessThanOrEqual(1);
    expect(evolution.settings).toMatchObject({ tasksPerGeneration: 15, minTasks: 2, goldShare: 1 });
    expect(evolution.clusters.reduce((sum, cluster) => sum + cluster.culled, 0)).toBe(culled.size);
    expect(evolution.clusters.reduce((sum, cluster) => sum + cluster.born, 0)).toBe(offspring.size);
    const maths = evolution.clusters.find(({ cluster }) => cluster === 'mathematical');
    expect(maths?.last).toMatchObject({ generation: maths?.generation, completedAt: expect.any(String) });
    expect(maths?.last?.bestScore).toBeGreaterThanOrEqual(maths?.last?.meanScore ?? 1);

    const shown = async (...args: string[]) => {
      const { code, stdout, stderr } = await dellm(network.home, args);
      expect(code, stderr).toBe(EXIT.ok);
      return stdout;
    };
    expect(JSON.parse(await shown('evolution', '--json'))).toMatchObject({ clusters: evolution.clusters });
    expect(await shown('evolution')).toMatch(/^network fitness +[\d.]+, measured \d+ times?$/m);
    const [gone] = culled;
    expect(await shown('nodes')).not.toContain(`${gone} `);
    expect(await shown('nodes', '--all')).toMatch(new RegExp(`^${gone} .* retired `, 'm'));
    const child = (await nodes()).find(({ id, answered }) => offspring.has(id) && answered > 0)?.id;
    expect(await shown('nodes')).toMatch(new RegExp(`^${child} .* [1-9]\\d* +alive `, 'm'));
  });

  it('keeps its credits balanced, and gives up no message', async () => {
    const status = (await network.request('dellm.status', {})) as StatusOutput;
    expect(status.trialBalance).toBe(0);
    const jsm = await jetstreamManager(await network.connect('network'));
    expect((await jsm.streams.info(DEAD)).state.messages).toBe(0);
    expect(network.log.filter((line) => line.startsWith('error'))).toEqual([]);
  });
});
