import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import type { NatsConnection } from 'nats';
import type { EventStore } from '../../eventstore/port.ts';
import type { OnLog } from '../../host/log.ts';
import type { Shutdown } from '../../host/shutdown.ts';
import type { ModelClass } from '../../inference/species.ts';
import type { NatsAccess } from '../../messaging/connection.ts';
import type { RunningRole } from '../../network/roles.ts';
import { id } from '../arguments.ts';
import { gpuOption, modelsOption } from '../device-options.ts';
import { UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { stderrLog } from '../log.ts';
import { printJson } from '../output.ts';

interface Options {
  readonly nats?: string;
  readonly store?: string;
  readonly device?: string;
  readonly genesis?: string;
  readonly models?: ModelClass;
  readonly gpu?: true;
  readonly region?: string;
  readonly json: boolean;
  readonly verbose: boolean;
}

const ROLES = ['fleet', 'relay', 'projector', 'gateway', 'agent'] as const;
type Role = (typeof ROLES)[number];

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('run one role of the network in this process until Ctrl-C')
    .addArgument(new Argument('<role>', 'what it does').choices(ROLES))
    .option('--nats <url>', 'the message broker (default: NATS_URL, else that of the network on DELLM_HOME)')
    .option('--store <url>', 'the EventStoreDB (default: ESDB_URL, else that of the network on DELLM_HOME)')
    .option('--device <id>', 'agent: the device that it runs on; the broker’s user is agent-<id>', id)
    .option(
      '--genesis <device>',
      'fleet: where there are no Nodes yet, have the first generation born there',
      id,
    )
    .addOption(modelsOption())
    .addOption(gpuOption())
    .option('--region <name>', 'agent: where the device is, such as "eu"; Clusters form by it', id)
    .option('--json', 'print one JSON object when it runs', false)
    .option('--verbose', 'show what happens inside', false)
    .addHelpText(
      'after',
      `
fleet      actors and sagas: the only role that appends to the event store
relay      publishes what happened as dellm.evt; two at once do no harm
projector  keeps the read model (in DELLM_HOME) and answers from it
gateway    takes questions
agent      a contributor's device: runs the models; reaches the broker only

--models goes with --genesis, and public ones are looked for on this machine: it should be that device.
--gpu and --region go with agent.`,
    )
    .action((role, options) => finish(() => runRole(role, options)));
}

/** Resolves with the exit code when the role has stopped. */
async function runRole(role: Role, options: Options): Promise<number> {
  const { prepareShutdown } = await import('../../host/shutdown.ts');
  const { superviseRole } = await import('../../network/roles.ts');
  if (role === 'agent' && options.device === undefined) {
    throw new UsageError('An agent runs on a device: name it by --device.');
  }
  if (role !== 'agent' && options.device !== undefined) {
    throw new UsageError(`--device goes with the role "agent", not with "${role}".`);
  }
  if (role !== 'fleet' && options.genesis !== undefined) {
    throw new UsageError(`--genesis goes with the role "fleet", not with "${role}".`);
  }
  if (options.models !== undefined && options.genesis === undefined) {
    throw new UsageError('--models goes with --genesis: it is for a first generation.');
  }
  if (role !== 'agent' && options.gpu) {
    throw new UsageError(`--gpu goes with the role "agent", which runs the models, not with "${role}".`);
  }
  if (role !== 'agent' && options.region !== undefined) {
    throw new UsageError(`--region goes with the role "agent", not with "${role}".`);
  }
  const onLog = stderrLog(options);
  const shutdown = prepareShutdown({ onLog });
  try {
    const { nc, start, begin } = await connect(role, options, shutdown, onLog);
    const running = await superviseRole(role, onLog, start);
    shutdown.add(role, () => running.stop());
    await begin?.();
    const server = nc.getServer();
    process.stderr.write(`The ${role} runs, at ${server}. Ctrl-C stops it.\n`);
    if (options.json) printJson({ role, nats: server, pid: process.pid });
  } catch (error) {
    await shutdown.begin();
    throw error;
  }
  return shutdown.finished;
}

interface Prepared {
  readonly nc: NatsConnection;
  readonly start: (signal: AbortSignal) => Promise<RunningRole>;
  /** Asks for the first generation, once the role runs. */
  readonly begin?: () => Promise<void>;
}

async function connect(role: Role, options: Options, shutdown: Shutdown, onLog: OnLog): Promise<Prepared> {
  const { dataFolderPath } = await import('../../host/data-folder.ts');
  const { connectNats } = await import('../../messaging/connection.ts');
  const roles = await import('../../network/roles.ts');
  const nc = await connectNats({
    ...(await brokerFor(role, options)),
    name: `dellm-${role}`,
    onStatus: (message) => onLog('info', message),
  });
  shutdown.add('connection', () => nc.close());
  if (role === 'agent') {
    const { localEngine } = await import('../../network/engine.ts');
    const { device = '' } = options;
    const start = async (signal: AbortSignal): Promise<RunningRole> =>
      roles.startAgent(
        { nc, onLog, signal },
        device,
        await localEngine(dataFolderPath(), onLog, { gpu: options.gpu ?? false }),
        { region: options.region ?? null },
      );
    return { nc, start };
  }
  if (role === 'gateway') {
    const { OWNER } = await import('../../network/local.ts');
    return { nc, start: (signal) => roles.startGateway({ nc, onLog, signal }, OWNER) };
  }
  const store = await storeFor(options);
  shutdown.add('event store', () => store.close());
  const folder = role === 'projector' ? await projectorFolder(options, shutdown) : '';
  const start = (signal: AbortSignal): Promise<RunningRole> => {
    const context = { nc, store, onLog, signal };
    if (role === 'fleet') return roles.startFleet(context);
    if (role === 'relay') return roles.startRelay(context);
    return roles.startProjector(context, folder);
  };
  const { genesis, models = 'miniature' } = options;
  if (genesis === undefined) return { nc, start };
  const { beginGenesis } = await import('../../network/local.ts');
  const { seedModelsFor } = await import('../../network/first-generation.ts');
  const seeds = await seedModelsFor(store, { models, home: dataFolderPath() }, onLog);
  return { nc, start, begin: () => beginGenesis(nc, genesis, seeds) };
}

/** A named broker has its users in its address; that of the network on DELLM_HOME has them in a file beside it. */
async function brokerFor(role: Role, { nats, device }: Options): Promise<NatsAccess> {
  const named = nats ?? process.env.NATS_URL;
  if (named !== undefined) return { url: named };
  const { dataFolderPath } = await import('../../host/data-folder.ts');
  const { agentUserName, NETWORK_USER } = await import('../../messaging/permissions.ts');
  const { readNatsPassword } = await import('../../messaging/users.ts');
  const { natsUrl } = await localRuntime('a broker by --nats or NATS_URL');
  if (new URL(natsUrl).username !== '') return { url: natsUrl };
  const user = role === 'agent' ? agentUserName(device ?? '') : NETWORK_USER;
  const password = await readNatsPassword(dataFolderPath(), user);
  if (password === null) {
    throw new UsageError(
      `The broker of the network on ${dataFolderPath()} has no user "${user}". ` +
        'Name a device that it knows ("dellm status" lists them), or a broker with its user by --nats.',
    );
  }
  return { url: natsUrl, user, password };
}

async function storeFor({ store }: Options): Promise<EventStore> {
  const { connectEventStore } = await import('../../eventstore/esdb.ts');
  const named = store ?? process.env.ESDB_URL;
  return connectEventStore(named ?? (await localRuntime('an EventStoreDB by --store or ESDB_URL')).storeUrl);
}

/** The projector's own folder: DELLM_HOME, or, where a network runs on it, one inside of it. */
async function projectorFolder({ nats }: Options, shutdown: Shutdown): Promise<string> {
  const { dataFolderPath, openDataFolder } = await import('../../host/data-folder.ts');
  const home = dataFolderPath();
  const beside = nats === undefined && process.env.NATS_URL === undefined;
  const folder = await openDataFolder(beside ? join(home, 'projector') : home);
  shutdown.add('data folder', () => folder.release());
  return folder.path;
}

async function localRuntime(orName: string): Promise<{ natsUrl: string; storeUrl: string }> {
  const { dataFolderPath, readRuntime } = await import('../../host/data-folder.ts');
  const { NoNetworkError } = await import('../../network/client.ts');
  const runtime = await readRuntime(dataFolderPath());
  if (runtime !== null) return runtime;
  throw new NoNetworkError(
    `No network runs on the data folder ${dataFolderPath()}. Start one with "dellm up", or name ${orName}.`,
  );
}
