import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import type { EventStore } from '../eventstore/port.ts';
import { dataFolderPath, openDataFolder, readRuntime } from '../host/data-folder.ts';
import type { OnLog } from '../host/log.ts';
import type { Shutdown } from '../host/shutdown.ts';
import type { ModelClass } from '../inference/species.ts';
import { connectNats, type NatsAccess } from '../messaging/connection.ts';
import { agentUserName, NETWORK_USER } from '../messaging/permissions.ts';
import { readNatsPassword } from '../messaging/users.ts';
import { NoNetworkError } from './client.ts';
import { OWNER, type RunningRole, superviseRole } from './role.ts';

export const ROLES = ['fleet', 'relay', 'projector', 'gateway', 'agent'] as const;
export type Role = (typeof ROLES)[number];

export interface RoleOptions {
  /** The message broker. Default: `NATS_URL`, else that of the network on the data folder. */
  readonly nats?: string;
  /** The EventStoreDB. Default: `ESDB_URL`, else that of the network on the data folder. */
  readonly store?: string;
  /** agent: the device that it runs on. */
  readonly device?: string;
  /** fleet: the device of the first generation, if there are no Nodes yet. */
  readonly genesis?: string;
  /** The models of the first generation. Default: miniature. */
  readonly models?: ModelClass;
  /** agent: runs the models on a GPU. Default: false. */
  readonly gpu?: boolean;
  /** agent: where the device is. */
  readonly region?: string;
}

/** The broker has no user that the role can connect as. */
export class NoBrokerUserError extends Error {
  override readonly name = 'NoBrokerUserError';
}

interface Prepared {
  readonly nc: NatsConnection;
  readonly start: (signal: AbortSignal) => Promise<RunningRole>;
  /** Asks for the first generation, once the role runs. */
  readonly begin?: () => Promise<void>;
}

/**
 * Runs one role in this process until `shutdown`, which gets every step of stopping. A role that ends is started again.
 * Resolves with the broker's address when the role does its work. Throws `NoNetworkError` and `NoBrokerUserError`.
 */
export async function runRole(
  role: Role,
  options: RoleOptions,
  shutdown: Shutdown,
  onLog: OnLog,
): Promise<string> {
  const { nc, start, begin } = await prepare(role, options, shutdown, onLog);
  const running = superviseRole(role, onLog, start, shutdown.signal);
  // Also while it starts: its connection and its store are closed only after that.
  shutdown.add(role, () =>
    running.then(
      (started) => started.stop(),
      () => {},
    ),
  );
  await running;
  await begin?.();
  return nc.getServer();
}

/** Loads the code of a role only once its broker is found: an agent on an old laptop needs no projections. */
async function prepare(
  role: Role,
  options: RoleOptions,
  shutdown: Shutdown,
  onLog: OnLog,
): Promise<Prepared> {
  const nc = await connectNats({
    ...(await brokerFor(role, options)),
    name: `dellm-${role}`,
    onStatus: (message) => onLog('info', message),
  });
  shutdown.add('connection', () => nc.close());
  if (role === 'agent') {
    const { device = '', gpu = false, region = null } = options;
    const start = async (signal: AbortSignal): Promise<RunningRole> => {
      const { localEngine } = await import('./engine.ts');
      const { startAgent } = await import('./roles.ts');
      const engine = await localEngine(dataFolderPath(), onLog, { gpu });
      return startAgent({ nc, onLog, signal }, device, engine, { region });
    };
    return { nc, start };
  }
  if (role === 'gateway') {
    const start = async (signal: AbortSignal): Promise<RunningRole> => {
      const { startGateway } = await import('./roles.ts');
      return startGateway({ nc, onLog, signal }, OWNER);
    };
    return { nc, start };
  }
  const store = await storeFor(options);
  shutdown.add('event store', () => store.close());
  const folder = role === 'projector' ? await projectorFolder(options, shutdown) : '';
  const start = async (signal: AbortSignal): Promise<RunningRole> => {
    const context = { nc, store, onLog, signal };
    if (role === 'fleet') return (await import('./roles.ts')).startFleet(context);
    const { startProjector, startRelay } = await import('./read-roles.ts');
    return role === 'relay' ? startRelay(context) : startProjector(context, folder);
  };
  const { genesis, models = 'miniature' } = options;
  if (genesis === undefined) return { nc, start };
  const { seedModelsFor } = await import('./first-generation.ts');
  const { beginGenesis } = await import('./local.ts');
  const seeds = await seedModelsFor(store, { models, home: dataFolderPath() }, onLog);
  return { nc, start, begin: () => beginGenesis(nc, genesis, seeds) };
}

/** A named broker has its users in its address. The network of the data folder has them in a file there. */
async function brokerFor(role: Role, { nats, device }: RoleOptions): Promise<NatsAccess> {
  const named = nats ?? process.env.NATS_URL;
  if (named !== undefined) return { url: named };
  const { natsUrl } = await localRuntime('a broker by --nats or NATS_URL');
  if (new URL(natsUrl).username !== '') return { url: natsUrl };
  const user = role === 'agent' ? agentUserName(device ?? '') : NETWORK_USER;
  const password = await readNatsPassword(dataFolderPath(), user);
  if (password === null) {
    throw new NoBrokerUserError(
      `The broker of the network on ${dataFolderPath()} has no user "${user}". ` +
        'Name a device that it knows ("dellm status" lists them), or a broker with its user by --nats.',
    );
  }
  return { url: natsUrl, user, password };
}

async function storeFor({ store }: RoleOptions): Promise<EventStore> {
  const named = store ?? process.env.ESDB_URL;
  const { connectEventStore } = await import('../eventstore/esdb.ts');
  return connectEventStore(named ?? (await localRuntime('an EventStoreDB by --store or ESDB_URL')).storeUrl);
}

/** The projector needs a separate folder: the data folder, or one inside it if a network runs on that. */
async function projectorFolder({ nats }: RoleOptions, shutdown: Shutdown): Promise<string> {
  const home = dataFolderPath();
  const beside = nats === undefined && process.env.NATS_URL === undefined;
  const folder = await openDataFolder(beside ? join(home, 'projector') : home);
  shutdown.add('data folder', () => folder.release());
  return folder.path;
}

async function localRuntime(orName: string): Promise<{ natsUrl: string; storeUrl: string }> {
  const runtime = await readRuntime(dataFolderPath());
  if (runtime !== null) return runtime;
  throw new NoNetworkError(
    `No network runs on the data folder ${dataFolderPath()}. Start one with "dellm up", or name ${orName}.`,
  );
}
