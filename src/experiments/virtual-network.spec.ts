import { afterEach, describe, expect, it, vi } from 'vitest';
import { countEvents, countFolds } from '../../test/support/folds.ts';
import { DEVICE, genesisPlan } from '../../test/support/local-network.ts';
import { runWorkOrder } from '../agent/work.ts';
import { canonicalJson, uuidOf, verifyChain } from '../events/envelope.ts';
import { WorkOrder } from '../events/node.ts';
import type { StoredEvent } from '../eventstore/port.ts';
import { VirtualHost, type VirtualHostOptions } from '../host/virtual/virtual-host.ts';
import { createInstantEngine } from '../inference/instant.ts';
import { SPECIES } from '../inference/species.ts';
import type { LiveDevice } from '../projections/network-view.ts';
import { recordedOf } from '../projections/recorded.ts';
import { DEFINITIONS } from '../sagas/index.ts';
import { parseExperiment } from './config.ts';
import { simulatedEngine } from './engines.ts';
import { populate, settingsOf } from './population.ts';
import { LiveReads } from './reads.ts';
import { sampleTasks } from './tasks.ts';
import { createWork } from './work.ts';

const START = '2030-01-01T00:00:00.000Z';

interface Network {
  readonly host: VirtualHost;
  readonly reads: LiveReads;
  readonly events: StoredEvent[];
  readonly replies: Map<string, object>;
  readonly refused: string[];
}

/** The real actors, sagas and read models in virtual time, from the first event on or from a history. */
function networkOf(
  devices: readonly LiveDevice[],
  work: (network: () => Network) => VirtualHostOptions['work'],
  history: readonly StoredEvent[] = [],
  change: Partial<VirtualHostOptions> = {},
): Network {
  const reads = new LiveReads(devices);
  const events: StoredEvent[] = [];
  const replies = new Map<string, object>();
  const refused: string[] = [];
  const host: VirtualHost = new VirtualHost({
    definitions: DEFINITIONS,
    startAt: START,
    reads: () => reads.view,
    onEvent(event) {
      events.push(event);
      reads.apply(recordedOf(event));
    },
    onReply: (subject, body) => replies.set(subject, body),
    onRefused: ({ command }, reason) => refused.push(`${command.type}: ${reason}`),
    work: (order, device) => work(() => network)(order, device),
    ...change,
  });
  const network: Network = { host, reads, events, replies, refused };
  for (const event of history) reads.apply(recordedOf(event));
  host.restore(history);
  return network;
}

function linesOf(events: readonly StoredEvent[]): readonly string[] {
  return events.map((event) => canonicalJson(event));
}

const answers = new Map([
  ['What is 15 × 23?', '345'],
  ['What is 7 + 8?', '15'],
  ['What is the capital of Japan?', 'Tokyo'],
  ['Is 7 greater than 3?', 'yes'],
]);
const instant = createInstantEngine({
  answers,
  errorRates: new Map(
    SPECIES.flatMap(({ miniature }) => miniature.pair.map((model) => [model, 0.2] as const)),
  ),
  seed: 5,
});

/** Five Clusters of seed species that are asked questions; the models answer after real turns of the event loop. */
async function questions(): Promise<Network> {
  let turn = 0;
  const network = networkOf([{ id: DEVICE, proximityMs: 0 }], () => async (body) => {
    const order = WorkOrder.parse(body);
    turn += 1;
    for (let turns = (turn * 5) % 7; turns > 0; turns -= 1) await new Promise(setImmediate);
    return { to: { kind: 'node', id: order.node }, command: await runWorkOrder(instant, order), afterMs: 20 };
  });
  const { host } = network;
  host.send({ kind: 'genesis', id: 'main' }, genesisPlan(3), 'begin');
  await host.runUntilQuiet();
  for (const [index, question] of [...answers.keys()].entries()) {
    const request = {
      queryId: `q${index}`,
      question,
      stakes: index === 0 ? 'high' : 'normal',
      replyTo: `_INBOX.q${index}`,
      dueAt: new Date(host.now + 30_000).toISOString(),
    };
    const data = { transferId: `r${index}`, account: 'owner', request };
    host.send({ kind: 'account', id: 'owner' }, { type: 'ReserveCredits', data }, `ask ${index}`);
  }
  await host.runUntilQuiet();
  return network;
}

const config = parseExperiment({ engine: 'simulated', nodes: 20, tasksPerNode: 10, clusterSize: 10 });

/** A population in a simulated world that is examined and selected, generation after generation. */
class Evolving {
  readonly network: Network;
  readonly #seed: number;
  readonly #engine = simulatedEngine(config.world);

  constructor(seed: number, history: readonly StoredEvent[] = [], change: Partial<VirtualHostOptions> = {}) {
    this.#seed = seed;
    const population = this.#population();
    const work = (network: () => Network) =>
      createWork({
        engine: this.#engine,
        tierOf: () => 'mid',
        genomeOf: (node) => network().reads.view.nodes.get(node)?.genome ?? null,
        seedVariants: config.seedVariants,
      });
    this.network = networkOf(population.devices, work, history, change);
  }

  #population() {
    const arm = { strategy: 'evolution', overrides: {} } as const;
    return populate(config, this.#seed, settingsOf(config, arm, this.#engine.genePool));
  }

  async begin(): Promise<void> {
    const { host } = this.network;
    for (const { id, command } of this.#population().geneses) {
      host.send({ kind: 'genesis', id }, command, uuidOf('genesis', this.#seed, id));
      await host.runUntilQuiet();
    }
  }

  async generation(generation: number): Promise<void> {
    const { host, reads } = this.network;
    const dueAt = new Date(host.now + 60_000).toISOString();
    for (const { id, cluster } of reads.view.nodes.values()) {
      const tasks = sampleTasks(
        this.#engine.tasks.training,
        config.tasksPerNode,
        this.#seed,
        cluster,
        generation,
      );
      for (const [index, task] of tasks.entries()) {
        const taskId = uuidOf('task', this.#seed, generation, id, index);
        const command = { type: 'ExamineNode', data: { taskId, node: id, task, dueAt } };
        host.send({ kind: 'cluster', id: cluster }, command, uuidOf('examine', taskId));
      }
    }
    await host.runUntilQuiet();
    for (const { id } of [...reads.view.clusters.values()]) {
      const command = { type: 'OpenGeneration', data: { generation } };
      host.send({ kind: 'cluster', id }, command, uuidOf('open', this.#seed, id, generation));
    }
    await host.runUntilQuiet();
    await host.advanceTo(Math.max(host.now, Date.parse(dueAt)) + 120_000);
  }
}

async function evolved(seed: number, generations: number, change: Partial<VirtualHostOptions> = {}) {
  const evolving = new Evolving(seed, [], change);
  await evolving.begin();
  for (let generation = 1; generation <= generations; generation += 1) await evolving.generation(generation);
  return evolving.network;
}

describe('the network in virtual time', () => {
  afterEach(() => vi.restoreAllMocks());

  it('answers questions, the same twice byte for byte, whenever the models answer', async () => {
    const first = await questions();
    expect([...first.replies.keys()].sort()).toEqual(['_INBOX.q0', '_INBOX.q1', '_INBOX.q2', '_INBOX.q3']);
    expect(first.events.filter(({ type }) => type === 'QueryAnswered').length).toBeGreaterThan(0);
    expect(await verifyChain(first.events)).toMatchObject({ ok: true });
    expect(linesOf((await questions()).events)).toEqual(linesOf(first.events));
  });

  it('lets a population live through generations and keeps its size', async () => {
    const { events, refused, reads, host } = await evolved(7, 3);
    expect(refused).toEqual([]);
    const count = (wanted: string): number => events.filter(({ type }) => type === wanted).length;
    expect(count('GenerationCompleted')).toBe(count('GenerationOpened'));
    // After the first generation the better of the two Clusters takes the other in.
    expect(count('ClusterMerged')).toBe(1);
    expect(count('GenerationCompleted')).toBe(2 + 1 + 1);
    expect(count('GoldTaskJudged')).toBe(3 * 20 * config.tasksPerNode);
    expect(count('NodeCulled')).toBeGreaterThanOrEqual(6);
    expect(count('NodeRetired')).toBe(count('NodeCulled'));
    expect([...reads.view.nodes.values()].filter(({ culled }) => !culled)).toHaveLength(20);
    expect(await verifyChain(events)).toEqual({ ok: true, events: events.length });
    // Deadlines that were met have passed; only those of generations, which are a month away, still wait.
    expect(host.figures.timers).toBeLessThan(20);
  });

  it('gives the same history for the same seed, also with all commands read as from the wire, and another for others', async () => {
    const lines = linesOf((await evolved(7, 2)).events);
    expect(linesOf((await evolved(7, 2)).events)).toEqual(lines);
    expect(linesOf((await evolved(7, 2, { strict: true })).events)).toEqual(lines);
    expect(linesOf((await evolved(8, 2)).events)).not.toEqual(lines);
  });

  it('folds every event once, whatever kind of actor records it', async () => {
    const folds = countFolds(DEFINITIONS);
    const events = [...(await questions()).events, ...(await evolved(7, 1)).events];
    const recorded = countEvents(DEFINITIONS, events);
    expect(Object.values(recorded).every((count) => count > 0)).toBe(true);
    expect(folds()).toEqual(recorded);
  });

  it('continues from a recorded generation as if it had not stopped, byte for byte', async () => {
    const whole = await evolved(7, 3);
    const first = await evolved(7, 1);
    const again = new Evolving(7, first.events, { startAt: first.host.at });
    await again.generation(2);
    await again.generation(3);
    expect(linesOf([...first.events, ...again.network.events])).toEqual(linesOf(whole.events));
  });
});
