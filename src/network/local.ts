import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import type { NetworkView } from '../actors/network-view.ts';
import type { EvolutionSettings } from '../events/evolution.ts';
import type { GenesisCommand } from '../events/genesis.ts';
import { MAIN_SUPER_CLUSTER } from '../events/super-cluster.ts';
import { connectEventStore } from '../eventstore/esdb.ts';
import type { EventStore } from '../eventstore/port.ts';
import { launchEmbeddedEventStore } from '../eventstore/server/launch.ts';
import { type DataFolder, openDataFolder } from '../host/data-folder.ts';
import type { OnLog } from '../host/log.ts';
import { type Supervised, supervise } from '../host/supervise.ts';
import { type ModelClass, SPECIES, seedGenome } from '../inference/species.ts';
import { connectNats, type NatsAccess } from '../messaging/connection.ts';
import { PortTakenError } from '../messaging/errors.ts';
import { launchNatsServer, type NatsServer } from '../messaging/nats-server.ts';
import { agentUserName, CLIENT_USER, type NatsUser, NETWORK_USER } from '../messaging/permissions.ts';
import { publisher, sendCommand } from '../messaging/publish.ts';
import { ensureDeviceConsumer, ensureStreams } from '../messaging/streams.ts';
import { loadNatsUsers, usersFile } from '../messaging/users.ts';
import { localEngine } from './engine.ts';
import { DEFAULT_EVOLUTION, evolutionSettings, genePool } from './evolution-settings.ts';
import { type SeedModels, seedModels, seedModelsFor } from './first-generation.ts';
import { launchReadSide, type ReadSideOptions } from './read-side.ts';
import { OWNER, type RoleContext, type RunningRole, superviseRole } from './role.ts';
import { type FleetRole, startAgent, startFleet, startGateway } from './roles.ts';

export interface LocalNetworkOptions {
  /** The data folder. */
  readonly home: string;
  /** Port of the embedded broker; null: 4222, or a free one where that is taken. */
  readonly natsPort: number | null;
  /** A broker that runs already; nothing is launched then. */
  readonly natsUrl: string | null;
  /** An EventStoreDB that already runs. Null: the embedded store is launched. */
  readonly storeUrl: string | null;
  /** The models of the first generation. An existing network keeps its Nodes. Default: miniature. */
  readonly models?: ModelClass;
  /** The rules of evolution in a new network. An existing one keeps its own. Default: `evolutionSettings`. */
  readonly evolution?: EvolutionSettings;
  /** Runs the models on a GPU if llama.cpp's build for it is installed. Default: false. */
  readonly gpu?: boolean;
  /** Creates the engine of this device's models. Default: `localEngine`. */
  readonly createEngine?: typeof localEngine;
  /** Aborts the start between two steps. Has no effect after the start. */
  readonly signal?: AbortSignal;
  readonly onLog: OnLog;
  /** Called at each step of the start, with a text for the user. */
  readonly onProgress: (step: string) => void;
}

export interface LocalNetwork {
  readonly natsUrl: string;
  readonly storeUrl: string;
  /** Stops everything in reverse order and releases the data folder. */
  stop(): Promise<void>;
}

const DEFAULT_NATS_PORT = 4222;

/** Nodes of each seed species. */
export const NODES_PER_SPECIES = 10;

const READY_WITHIN_MS = 60_000;

/**
 * Boots the whole network on this machine. The store, the broker, and projector with relay are supervised children; the
 * other roles run in this process. A new network gets a first generation. Resolves when questions can be asked. If the
 * start fails, everything that was started is stopped.
 */
export async function bootLocalNetwork(options: LocalNetworkOptions): Promise<LocalNetwork> {
  const { home, onLog, onProgress } = options;
  const folder = await openDataFolder(home);
  const undo: (() => Promise<void>)[] = [() => folder.release()];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step; step = undo.pop()) {
      await step().catch((error: unknown) => onLog('error', `stopping: ${String(error)}`));
    }
  };
  try {
    const wanted = { models: options.models ?? 'miniature', home: folder.path };
    const isNew = options.storeUrl === null && !existsSync(historyFile(folder));
    const seedsOfNew = isNew ? await seedModels(wanted) : null;
    const device = deviceOf(folder.path);
    const users = await loadNatsUsers(folder.path, [device]);
    onProgress('starting the event store and the message broker');
    // If one of them fails, the others may still come up, and must be stopped then.
    const running = settled([
      options.storeUrl ?? embeddedStore(folder, onLog, undo),
      options.natsUrl ?? embeddedBroker(folder, users, options, undo),
    ]);
    const needed = running.then(([storeUrl, natsUrl]) => ({
      storeUrl,
      nats: accessOf(natsUrl, users, NETWORK_USER, options),
      folder: folder.path,
    }));
    const reading = readSide(needed, options, undo);
    const connecting = needed.then(async ({ storeUrl, nats }) => {
      options.signal?.throwIfAborted();
      const store = connectEventStore(storeUrl);
      undo.push(() => store.close());
      const [nc, seeds] = await settled([
        connectNetwork(nats, device, onLog, undo),
        seedsOfNew ?? seedModelsFor(store, wanted, onLog),
      ]);
      return { store, nc, seeds };
    });
    const [[storeUrl, natsUrl], { store, nc, seeds }] = await settled([running, connecting, reading]);
    options.signal?.throwIfAborted();
    onProgress('starting the roles');
    const fleet = await startRoles({ nc, store, onLog }, options.signal, undo);
    await startDevice({ natsUrl, users, device, onLog, options }, undo);
    options.signal?.throwIfAborted();
    await beginGenesis(nc, device, seeds, options.evolution);
    await untilReady(store, fleet, options);
    await beginEvolution(nc, fleet.view());
    await folder.writeRuntime({
      natsUrl,
      storeUrl,
      user: CLIENT_USER,
      passwordFile: usersFile(folder.path),
      startedAt: new Date().toISOString(),
    });
    return { natsUrl, storeUrl, stop };
  } catch (error) {
    await stop();
    // A terminal sends Ctrl-C to the children, too. If one of them ends before this process ends it, that is no fault.
    options.signal?.throwIfAborted();
    throw error;
  }
}

/** The plan of the first generation: five Clusters of ten Nodes, one for each seed species. */
export function genesisPlan(
  device: string,
  owner: string,
  models: SeedModels = 'miniature',
  evolution: EvolutionSettings | null = null,
): GenesisCommand {
  const seeds = SPECIES.map((species) => ({
    cluster: species.specialization,
    name: species.name,
    specialization: species.specialization,
    nodes: Array.from({ length: NODES_PER_SPECIES }, (_, index) => ({
      node: `${species.specialization}-${String(index + 1).padStart(2, '0')}`,
      species: species.id,
      genome: seedGenome(species, models),
      device,
      owner,
    })),
  }));
  return { type: 'BeginGenesis', data: { network: 'main', superCluster: 'main', seeds, evolution } };
}

/** Like `Promise.all`, but rejects only after all have settled, so that the caller can stop what has started. */
async function settled<T extends readonly unknown[]>(
  all: readonly [...T],
): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(all);
  return Promise.all(all);
}

/** The network's own connection, to a broker that has what the roles need. */
async function connectNetwork(
  nats: NatsAccess,
  device: string,
  onLog: OnLog,
  undo: (() => Promise<void>)[],
): Promise<NatsConnection> {
  const nc = await connectNats({ ...nats, name: 'dellm', onStatus: (message) => onLog('info', message) });
  undo.push(() => nc.close());
  await ensureStreams(jetstream(nc));
  await ensureDeviceConsumer(jetstream(nc), device);
  return nc;
}

/** Its process starts at once: it loads its modules while the store and the broker come up. */
async function readSide(
  options: Promise<ReadSideOptions>,
  { onLog, signal }: LocalNetworkOptions,
  undo: (() => Promise<void>)[],
): Promise<void> {
  const supervised = await supervise({
    name: 'projector and relay',
    onLog,
    signal,
    start: (unwanted) => launchReadSide(options, onLog, unwanted),
  });
  undo.push(() => supervised.stop());
}

async function startRoles(
  context: Omit<RoleContext, 'signal'>,
  stopped: AbortSignal | undefined,
  undo: (() => Promise<void>)[],
): Promise<FleetRole> {
  let fleet: FleetRole | null = null;
  const run = async (name: string, start: (context: RoleContext) => Promise<RunningRole>): Promise<void> => {
    const role = await superviseRole(name, context.onLog, (signal) => start({ ...context, signal }), stopped);
    undo.push(() => role.stop());
  };
  await run('gateway', (role) => startGateway(role, OWNER));
  await run('fleet', async (role) => {
    fleet = await startFleet(role);
    return fleet;
  });
  if (!fleet) throw new Error('The fleet did not start.');
  return fleet;
}

async function startDevice(
  given: {
    readonly natsUrl: string;
    readonly users: readonly NatsUser[];
    readonly device: string;
    readonly onLog: OnLog;
    readonly options: LocalNetworkOptions;
  },
  undo: (() => Promise<void>)[],
): Promise<void> {
  const { natsUrl, users, device, onLog, options } = given;
  const user = agentUserName(device);
  const nc = await connectNats({ ...accessOf(natsUrl, users, user, options), name: user });
  undo.push(() => nc.close());
  const agent = await superviseRole('agent', onLog, async (signal) => {
    const { home, gpu = false, createEngine = localEngine } = options;
    const engine = await createEngine(home, onLog, { gpu });
    return startAgent({ nc, onLog, signal }, device, engine, { region: null });
  });
  undo.push(() => agent.stop());
}

function historyFile(folder: DataFolder): string {
  return join(folder.path, 'history.sqlite');
}

async function embeddedStore(
  folder: DataFolder,
  onLog: OnLog,
  undo: (() => Promise<void>)[],
): Promise<string> {
  // After a crash it restarts on the same port, which clients already know.
  let port = 0;
  const supervised = await supervise({
    name: 'event store',
    onLog,
    async start() {
      const server = await launchEmbeddedEventStore({
        file: historyFile(folder),
        port,
        onLog: (line) => onLog('info', `event store: ${line}`),
      });
      port = server.port;
      return server;
    },
  });
  undo.push(() => supervised.stop());
  return supervised.current()?.connectionString ?? `esdb://127.0.0.1:${port}?tls=false`;
}

async function embeddedBroker(
  folder: DataFolder,
  users: readonly NatsUser[],
  { natsPort, onLog, onProgress }: LocalNetworkOptions,
  undo: (() => Promise<void>)[],
): Promise<string> {
  const [first, ...others] = users;
  if (!first) throw new Error('The broker has no users.');
  let port = natsPort ?? DEFAULT_NATS_PORT;
  const start = (): Promise<NatsServer> =>
    launchNatsServer({
      dataDir: join(folder.path, 'nats'),
      port,
      users: [first, ...others],
      onLog: (line) => onLog('debug', `nats-server: ${line}`),
    });
  const launch = async (): Promise<NatsServer> => {
    const server = await start();
    port = server.port;
    return server;
  };
  let supervised: Supervised<NatsServer>;
  try {
    supervised = await supervise({ name: 'nats-server', onLog, start: launch });
  } catch (error) {
    if (!(error instanceof PortTakenError) || natsPort !== null) throw error;
    onProgress(`port ${DEFAULT_NATS_PORT} is taken; taking a free one`);
    port = 0;
    supervised = await supervise({ name: 'nats-server', onLog, start: launch });
  }
  undo.push(() => supervised.stop());
  return supervised.current()?.url ?? `nats://127.0.0.1:${port}`;
}

/** An external broker has its own users, named in its address. */
function accessOf(
  url: string,
  users: readonly NatsUser[],
  name: string,
  { natsUrl }: LocalNetworkOptions,
): NatsAccess {
  const user = natsUrl === null ? users.find((one) => one.user === name) : undefined;
  return user ? { url, user: user.user, password: user.password } : { url };
}

/** The name of this device, made at the first start. */
export function deviceOf(home: string): string {
  const file = join(home, 'device.json');
  if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { device: string }).device;
  const device = `device-${randomBytes(4).toString('hex')}`;
  writeFileSync(file, `${JSON.stringify({ device })}\n`, { mode: 0o600 });
  return device;
}

/** Requests the first generation. Has no effect if there already is one. */
export async function beginGenesis(
  nc: NatsConnection,
  device: string,
  models: SeedModels,
  evolution?: EvolutionSettings,
): Promise<void> {
  const messageId = `genesis-${device}-${Date.now()}`;
  await sendCommand(publisher(nc), {
    to: { kind: 'genesis', id: 'main' },
    command: genesisPlan(device, OWNER, models, evolution ?? (await evolutionSettings(models))),
    messageId,
    correlationId: 'genesis',
    causationId: messageId,
  });
}

/** A network from before evolution existed uses the default rules from now on. This is recorded as an event. */
async function beginEvolution(nc: NatsConnection, { evolution, nodes }: NetworkView): Promise<void> {
  if (evolution !== null) return;
  const genomes = [...nodes.values()].map(({ genome }) => genome);
  const miniature = new Set((await genePool('miniature')).models.map(({ id }) => id));
  const models = genomes.some(({ modelA }) => miniature.has(modelA)) ? 'miniature' : 'public';
  const settings = { ...DEFAULT_EVOLUTION, genePool: await genePool(models) };
  const messageId = `evolution-${Date.now()}`;
  await sendCommand(publisher(nc), {
    to: { kind: 'superCluster', id: MAIN_SUPER_CLUSTER },
    command: { type: 'ConfigureEvolution', data: { settings, onlyIfNone: true } },
    messageId,
    correlationId: 'evolution',
    causationId: messageId,
  });
}

async function untilReady(
  store: EventStore,
  fleet: FleetRole,
  { onProgress, signal }: LocalNetworkOptions,
): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  let shown = -1;
  while (Date.now() < deadline) {
    signal?.throwIfAborted();
    const view = fleet.view();
    const alive = [...view.nodes.values()].filter((node) => node.alive).length;
    if (alive !== shown) onProgress(`${alive} Nodes in ${view.clusters.size} Clusters`);
    shown = alive;
    const completed = await genesisCompleted(store);
    if (completed !== null && view.position >= completed && alive > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    'The network did not become ready within a minute. What was started is stopped again, and history is kept. ' +
      'Start again with --verbose to see what it waits for.',
  );
}

/** Position of the end of genesis, or null before. */
async function genesisCompleted(store: EventStore): Promise<number | null> {
  for await (const event of store.readStream('genesis-main', { direction: 'backwards', limit: 1 })) {
    return event.type === 'GenesisCompleted' ? event.position : null;
  }
  return null;
}
