import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { decodeJson, drawOf, encodeJson, HEADER } from '../../src/events/envelope.ts';
import type { GenesisCommand } from '../../src/events/genesis.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { supervise } from '../../src/host/supervise.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { launchNatsServer } from '../../src/messaging/nats-server.ts';
import { publisher } from '../../src/messaging/publish.ts';
import { DEAD, ensureDeviceConsumer, ensureStreams } from '../../src/messaging/streams.ts';
import { commandSubject } from '../../src/messaging/subjects.ts';
import { loadNatsUsers } from '../../src/messaging/users.ts';
import { evolutionSettings } from '../../src/network/evolution-settings.ts';
import { genesisPlan } from '../../src/network/local.ts';
import { movementOf } from '../../src/projections/credits.ts';
import { recordedOf } from '../../src/projections/recorded.ts';
import { evolutionProblems, populationOf, unfinishedEvolution } from '../support/evolution-history.ts';
import { type ChaosTarget, startRole, victimOf } from './harness.ts';

const MAIN = join(import.meta.dirname, '../../dist/cli/main.js');
const DEVICE = 'chaos';
/** Deadline of a query, in milliseconds. It has ended by then, whatever was killed. */
const QUERY_MS = 15_000;
/** All credits are settled within this time: an account asks a query for its ending 15 s after the deadline. */
const SETTLED_WITHIN_MS = 45_000;
const READY_WITHIN_MS = 60_000;
/** Slots that the agent lends. */
const SLOTS = 50;
/** Numbers so small that generations end while processes are killed. */
const EVOLUTION = { tasksPerGeneration: 15, minTasks: 1, goldShare: 0.5 };
/** Nodes of each first species that are left out, so that the device has free slots for offspring. */
const UNBORN = 2;
/** Fleets that are killed in the middle of a generation, in addition to those that are killed at any moment. */
const AMBUSHES = 1;
const backoff = { firstMs: 100, longestMs: 1_000, stableMs: 5_000 };

export interface ChaosNetwork extends ChaosTarget {
  readonly log: readonly string[];
  /** How many questions were answered while processes were killed. */
  answered(): number;
  /** What evolution did in completed generations. Known after the history was checked. */
  evolved(): { readonly generations: number; readonly culled: number; readonly born: number };
  /** How many fleets were killed during a generation. */
  ambushed(): number;
  stop(): Promise<void>;
}

/**
 * The whole network, every role in another process, started with the same command that users use: a real
 * broker, the real embedded store, two fleets, relay, projector, gateway, and an agent with the miniature
 * models.
 */
export async function startChaosNetwork(seed: number): Promise<ChaosNetwork> {
  const folder = await mkdtemp(join(tmpdir(), 'dellm-chaos-'));
  const log: string[] = [];
  const onLog = (level: string, message: string) =>
    log.push(`${new Date().toISOString()} ${level}: ${message}`);
  const users = await loadNatsUsers(folder, [DEVICE]);
  const [network, ...others] = users;
  const agent = users.find(({ user }) => user === `agent-${DEVICE}`);
  if (!network || !agent) throw new Error('the broker knows the network and the device');

  let natsPort = 0;
  const broker = await supervise({
    name: 'nats-server',
    onLog,
    backoff,
    async start() {
      const server = await launchNatsServer({ dataDir: folder, port: natsPort, users: [network, ...others] });
      natsPort = server.port;
      return server;
    },
  });
  let storePort = 0;
  const storeServer = await supervise({
    name: 'event store',
    onLog,
    backoff,
    async start() {
      const server = await launchEmbeddedEventStore({
        file: join(folder, 'history.sqlite'),
        port: storePort,
      });
      storePort = server.port;
      return server;
    },
  });
  const url = `nats://127.0.0.1:${natsPort}`;
  const esdb = `esdb://127.0.0.1:${storePort}?tls=false`;
  const nats = await connectNats({ url, user: network.user, password: network.password, name: 'chaos' });
  const client = await connectNats({ url, name: 'chaos-client' });
  await ensureStreams(jetstream(nats));
  await ensureDeviceConsumer(jetstream(nats), DEVICE);
  const store = connectEventStore(esdb);

  const start = (name: string, role: string, { user, password } = network, more: readonly string[] = []) =>
    supervise({
      name,
      onLog,
      backoff,
      start: () =>
        startRole(
          MAIN,
          {
            DELLM_HOME: join(folder, name.replace(' ', '-')),
            NATS_URL: `nats://${user}:${password}@127.0.0.1:${natsPort}`,
            ESDB_URL: esdb,
          },
          (line) => log.push(`${name}: ${line}`),
          ['run', role, '--json', ...more],
        ),
    });
  const projector = await start('projector', 'projector');
  const roles = await Promise.all([
    start('relay', 'relay'),
    start('fleet one', 'fleet'),
    start('fleet two', 'fleet'),
    start('agent', 'agent', agent, ['--device', DEVICE]),
  ]);
  const gateway = await start('gateway', 'gateway');

  const victims = [
    victimOf(broker, (server) => void server.kill().catch(() => {})),
    victimOf(storeServer, (server) => server.kill()),
    ...roles.map((role) => victimOf(role, (running) => running.kill())),
  ];
  const fleets = victims.filter(({ name }) => name.startsWith('fleet'));

  let ambushed = 0;
  // Selection was just recorded, so most of its effects are still to come.
  client.subscribe('dellm.evt.generation.*.SelectionMade', {
    callback: (error) => {
      if (!error && ambushed < AMBUSHES && fleets[ambushed % fleets.length]?.kill()) ambushed += 1;
    },
  });
  let evolved = { generations: 0, culled: 0, born: 0 };
  let answered = 0;
  /** The ending of a question; null if there was no reply in time. */
  async function ask(
    queryId: string,
    question: string,
  ): Promise<{ outcome: string; answer: string | null } | null> {
    const body = encodeJson({ queryId, question, timeoutMs: QUERY_MS });
    try {
      const reply = decodeJson((await client.request('dellm.ask', body, { timeout: QUERY_MS + 5_000 })).data);
      return typeof reply === 'object' && reply !== null && 'outcome' in reply
        ? (reply as { outcome: string; answer: string | null })
        : null;
    } catch {
      return null;
    }
  }

  async function begin(): Promise<void> {
    const standard = await evolutionSettings('miniature');
    // The instant engine knows only the exact questions. Offspring with other templates could answer none.
    const genePool = { ...standard.genePool, promptTemplates: [{ system: '', user: '{question}' }] };
    const settings = { ...standard, ...EVOLUTION, genePool };
    const messageId = `genesis-${seed}`;
    const subject = commandSubject({ kind: 'genesis', id: 'main' });
    await publisher(nats)({
      subject,
      body: encodeJson(smaller(genesisPlan(DEVICE, 'owner', 'miniature', settings))),
      messageId,
      headers: { [HEADER.correlationId]: 'genesis', [HEADER.causationId]: messageId },
    });
    const deadline = performance.now() + READY_WITHIN_MS;
    for (let attempt = 0; performance.now() < deadline; attempt += 1) {
      const first = await ask(`ready-${attempt}`, 'What is 2 + 2?');
      if (first?.outcome === 'answered') return;
      await sleep(200);
    }
    throw new Error(`the network did not become ready:\n${log.slice(-40).join('\n')}`);
  }
  await begin();

  /** Problems of evolution, after everything in progress has ended. */
  async function evolutionEnded(): Promise<readonly string[]> {
    const deadline = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const events: StoredEvent[] = [];
      for await (const event of store.readAll()) events.push(event);
      if (unfinishedEvolution(events).length > 0 && performance.now() < deadline) {
        await sleep(250);
        continue;
      }
      const { generations, retired, offspring } = populationOf(events);
      evolved = { generations: generations.size, culled: retired.size, born: offspring.size };
      return evolutionProblems(events, SLOTS);
    }
  }

  return {
    log,
    answered: () => answered,
    evolved: () => evolved,
    ambushed: () => ambushed,
    victims,

    async load(index) {
      const a = 1 + Math.floor(drawOf('a', seed, index) * 98);
      const b = 1 + Math.floor(drawOf('b', seed, index) * 98);
      const reply = await ask(`chaos-${index}`, `What is ${a} + ${b}?`);
      // An asker without an answer asks again with the same id, as clients should. It is still one query.
      const ending = reply ?? (await ask(`chaos-${index}`, `What is ${a} + ${b}?`));
      if (ending?.outcome === 'answered') answered += 1;
    },

    async unfinished() {
      try {
        const open = new Set<string>();
        for await (const { stream, type } of store.readAll({ prefixes: ['query-', 'generation-'] })) {
          if (type === 'QueryAsked' || type === 'GenerationBegun') open.add(stream);
          else if (ENDINGS.has(type) || type === 'GenerationCompleted') open.delete(stream);
        }
        return [...open];
      } catch {
        return ['the store does not answer'];
      }
    },

    history: () => store.readAll(),
    naturalKey,

    async problems(events) {
      const problems = [...endingProblems(events), ...bookProblems(events)];
      const last = await ask(`after-${seed}`, 'What is 15 × 23?');
      if (last?.outcome !== 'answered') problems.push(`the network does not answer: ${JSON.stringify(last)}`);
      const deadline = performance.now() + SETTLED_WITHIN_MS;
      let held = await inEscrow(store.readAll({ prefixes: ['credit-'] }));
      while (held !== 0 && performance.now() < deadline) {
        await sleep(250);
        held = await inEscrow(store.readAll({ prefixes: ['credit-'] }));
      }
      if (held !== 0) problems.push(`${held} units are still in escrow`);
      problems.push(...(await evolutionEnded()));
      const jsm = await jetstreamManager(nats);
      const dead = (await jsm.streams.info(DEAD)).state.messages;
      if (dead > 0) problems.push(`${dead} messages were given up`);
      return problems;
    },

    async stop() {
      await Promise.all([gateway, ...roles].map((role) => role.stop()));
      await projector.stop();
      await Promise.all([nats.close(), client.close()]);
      await store.close();
      await Promise.all([broker.stop(), storeServer.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The plan with fewer Nodes in each Cluster. */
function smaller(plan: GenesisCommand): GenesisCommand {
  if (plan.type !== 'BeginGenesis') return plan;
  const seeds = plan.data.seeds.map((seed) => ({ ...seed, nodes: seed.nodes.slice(UNBORN) }));
  return { ...plan, data: { ...plan.data, seeds } };
}

const ENDINGS: ReadonlySet<string> = new Set(['QueryAnswered', 'QueryDeclined', 'QueryExpired']);

/** The natural key of what an event makes happen. It may happen once, however often its command was delivered. */
function naturalKey({ stream, type, data }: StoredEvent): string | null {
  switch (type) {
    case 'CreditsGranted':
    case 'CreditsReserved':
    case 'CreditsEarned':
    case 'CreditsPenalised':
      return `${type} ${data.transferId}`;
    case 'CreditsSettled':
    case 'CreditsReleased':
      return `reservation ended ${data.transferId}`;
    case 'NodeBorn':
    case 'ClusterFormed':
    case 'SuperClusterFormed':
    case 'GenesisBegun':
    case 'GenesisCompleted':
    case 'QueryAsked':
    case 'QueryPlanned':
    case 'NodeCulled':
    case 'NodeRetired':
    case 'GenerationBegun':
    case 'FitnessEvaluated':
    case 'SelectionMade':
    case 'SlotsReceived':
    case 'GenerationCompleted':
      return `${type} ${stream}`;
    case 'NodeAdmitted':
    case 'RetirementConfirmed':
    case 'OffspringBorn':
      return `${type} ${stream} ${data.node}`;
    case 'GenerationOpened':
    case 'GenerationClosed':
      return `${type} ${stream} ${data.generation}`;
    case 'PerformanceReported':
      return `${type} ${stream} ${data.node} ${data.successes}`;
    case 'NetworkFitnessMeasured':
      return `${type} ${data.generation}`;
    case 'QueryAnswered':
    case 'QueryDeclined':
    case 'QueryExpired':
      return `query ended ${stream}`;
    case 'TaskAccepted':
    case 'PerformanceRecorded':
    case 'VoteCounted':
    case 'GoldTaskIssued':
    case 'GoldTaskJudged':
      return `${type} ${data.taskId}`;
    case 'ModelAnswered':
      return `${type} ${data.taskId} ${data.slot}`;
    case 'VoteCast':
    case 'TaskFailed':
      return `task ended ${data.taskId}`;
    case 'SubtaskRouted':
    case 'RoutingFailed':
      return `routed ${data.subtaskId} ${data.attempt}`;
    case 'SubtaskDispatched':
    case 'VerdictReached':
    case 'TaskDistributed':
      return `${type} ${data.subtaskId} ${data.attempt}`;
    case 'ConsensusReached':
    case 'ConsensusFailed':
      return `consensus ended ${data.subtaskId} ${data.attempt}`;
    default:
      return null;
  }
}

function endingProblems(events: readonly StoredEvent[]): string[] {
  const endings = new Map<string, number>();
  for (const { stream, type } of events) {
    if (type === 'QueryAsked') endings.set(stream, endings.get(stream) ?? 0);
    else if (ENDINGS.has(type)) endings.set(stream, (endings.get(stream) ?? 0) + 1);
  }
  return [...endings]
    .filter(([, count]) => count !== 1)
    .map(([stream, count]) => `${stream} has ${count} endings`);
}

/** The trial balance is zero at every position, and no account is overdrawn. */
function bookProblems(events: readonly StoredEvent[]): string[] {
  const available = new Map<string, number>();
  const problems: string[] = [];
  for (const event of events.filter(({ stream }) => stream.startsWith('credit-'))) {
    const movement = movementOf(recordedOf(event));
    if (!movement) continue;
    if (movement.account + movement.treasury + movement.escrow !== 0) {
      problems.push(`the entry at position ${event.position} is not balanced`);
    }
    const left = (available.get(event.stream) ?? 0) + movement.account;
    available.set(event.stream, left);
    if (left < 0) problems.push(`${event.stream} is overdrawn at position ${event.position}`);
  }
  return problems;
}

async function inEscrow(events: AsyncIterable<StoredEvent>): Promise<number> {
  let held = 0;
  for await (const event of events) held += movementOf(recordedOf(event))?.escrow ?? 0;
  return held;
}
