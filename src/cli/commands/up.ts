import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { ModelClass } from '../../inference/species.ts';
import { withoutPassword } from '../../network/address.ts';
import { wholeNumber } from '../arguments.ts';
import { gpuOption, modelsOption } from '../device-options.ts';
import { finish } from '../finish.ts';
import { progress, stderrLog } from '../log.ts';
import { printJson } from '../output.ts';
import { printable } from '../printable.ts';

interface Options {
  readonly port?: number;
  readonly models?: ModelClass;
  readonly gpu?: true;
  readonly json: boolean;
  readonly verbose: boolean;
}

export function addUpCommand(program: Command): void {
  program
    .command('up')
    .description('run the whole network on this machine until Ctrl-C, and type questions')
    .option(
      '--port <number>',
      'port of the message broker (default: 4222, or a free one)',
      wholeNumber(1, 65_535),
    )
    .addOption(modelsOption())
    .addOption(gpuOption())
    .option('--json', 'print one JSON object when it is up, then one for each answer', false)
    .option('--verbose', 'also log information and debug messages', false)
    .addHelpText(
      'after',
      '\nNATS_URL and ESDB_URL name a running broker and EventStoreDB. Without them, both are started.',
    )
    .action((options) => finish(() => up(options)));
}

/** Resolves with the exit code when everything has stopped. */
async function up({ port, models, gpu, json, verbose }: Options): Promise<number> {
  const { dataFolderPath } = await import('../../host/data-folder.ts');
  const { prepareShutdown } = await import('../../host/shutdown.ts');
  const { ask, connectClient } = await import('../../network/client.ts');
  const { bootLocalNetwork } = await import('../../network/local.ts');
  const { printAnswer } = await import('../answer.ts');
  const home = dataFolderPath();
  const onLog = stderrLog({ verbose });
  const shutdown = prepareShutdown({ onLog });
  const network = await bootLocalNetwork({
    home,
    natsPort: port ?? null,
    natsUrl: process.env.NATS_URL ?? null,
    storeUrl: process.env.ESDB_URL ?? null,
    ...(models && { models }),
    ...(gpu && { gpu }),
    signal: shutdown.signal,
    onLog,
    onProgress: progress,
  });
  shutdown.add('network', () => network.stop());
  const nc = await connectClient(network.natsUrl);
  shutdown.add('client', () => nc.close());
  const natsUrl = withoutPassword(network.natsUrl);
  const storeUrl = withoutPassword(network.storeUrl);
  process.stderr.write(`The network is up at ${natsUrl}. Its data is in ${home}.\n`);
  if (json) printJson({ natsUrl, storeUrl, home, pid: process.pid });

  const { isTTY } = process.stdin;
  if (isTTY) process.stderr.write('Type a question and press Enter; Ctrl-C stops the network.\n');
  const lines = createInterface({
    input: process.stdin,
    ...(isTTY && { output: process.stderr, prompt: '> ' }),
  });
  const prompt = (): void => {
    if (isTTY && !shutdown.signal.aborted) lines.prompt();
  };
  shutdown.add('prompt', async () => lines.close());
  lines.on('SIGINT', () => process.emit('SIGINT'));
  // Ctrl-D. Without a terminal, the network keeps running.
  lines.on('close', () => isTTY && void shutdown.begin());
  lines.on('line', (line) => {
    if (line.trim() === '') {
      prompt();
      return;
    }
    ask(nc, { question: line })
      .then((answer) => (json ? printJson(answer) : printAnswer(answer, null)))
      .catch((error: unknown) => {
        process.stderr.write(printable(`${error instanceof Error ? error.message : String(error)}\n`));
      })
      .finally(prompt);
  });
  prompt();
  return shutdown.finished;
}
