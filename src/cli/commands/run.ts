import { Argument, type Command } from 'commander';
import type { Role, RoleOptions } from '../../network/role-process.ts';
import { id } from '../arguments.ts';
import { gpuOption, modelsOption } from '../device-options.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { stderrLog } from '../log.ts';
import { printJson } from '../output.ts';

interface Options extends RoleOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Listed here too, so that the help loads nothing of the network. */
const ROLES: readonly Role[] = ['fleet', 'relay', 'projector', 'gateway', 'agent'];

/** Options that only one role has. */
const GOES_WITH: readonly (readonly [keyof RoleOptions, Role])[] = [
  ['device', 'agent'],
  ['genesis', 'fleet'],
  ['gpu', 'agent'],
  ['region', 'agent'],
];

export function addRunCommand(program: Command): void {
  program
    .command('run')
    .description('run one role of the network in this process until Ctrl-C')
    .addArgument(new Argument('<role>', 'the role').choices(ROLES))
    .option(
      '--nats <url>',
      'the message broker (default: NATS_URL, else the broker of the network on DELLM_HOME)',
    )
    .option(
      '--store <url>',
      'the EventStoreDB (default: ESDB_URL, else the store of the network on DELLM_HOME)',
    )
    .option('--device <id>', 'agent: the device that it runs on; its user on the broker is agent-<id>', id)
    .option(
      '--genesis <device>',
      'fleet: if there are no Nodes yet, create the first generation on this device',
      id,
    )
    .addOption(modelsOption())
    .addOption(gpuOption())
    .option(
      '--region <name>',
      'agent: where the device is, such as "eu"; geographic Clusters form by region',
      id,
    )
    .option('--json', 'print one JSON object when it runs', false)
    .option('--verbose', 'also log information and debug messages', false)
    .addHelpText(
      'after',
      `
fleet      actors and sagas: the only role that appends to the event store
relay      publishes the recorded events as dellm.evt; two at once do no harm
projector  keeps the read model (in DELLM_HOME) and answers from it
gateway    takes questions
agent      a contributor's device: runs the models; reaches the broker only

--models requires --genesis. Public models are looked up on this machine, so it should be that device.
--gpu and --region require the role agent.`,
    )
    .action((role, options) => finish(() => run(role, options)));
}

/** Resolves with the exit code when the role has stopped. */
async function run(role: Role, options: Options): Promise<number> {
  const { prepareShutdown } = await import('../../host/shutdown.ts');
  const { runRole } = await import('../../network/role-process.ts');
  checkOptions(role, options);
  const onLog = stderrLog(options);
  const shutdown = prepareShutdown({ onLog });
  try {
    const server = await runRole(role, options, shutdown, onLog);
    process.stderr.write(`The ${role} runs at ${server}. Ctrl-C stops it.\n`);
    if (options.json) printJson({ role, nats: server, pid: process.pid });
  } catch (error) {
    const interrupted = shutdown.signal.aborted;
    await shutdown.begin();
    if (interrupted) return EXIT.interrupted;
    throw error;
  }
  return shutdown.finished;
}

function checkOptions(role: Role, options: Options): void {
  if (role === 'agent' && options.device === undefined) {
    throw new UsageError('An agent runs on a device. Name it with --device.');
  }
  for (const [option, its] of GOES_WITH) {
    if (role === its || options[option] === undefined) continue;
    throw new UsageError(`--${option} is for the role "${its}", not for "${role}".`);
  }
  if (options.models !== undefined && options.genesis === undefined) {
    throw new UsageError('--models requires --genesis, because it is for a first generation.');
  }
}
