import { createInterface } from 'node:readline';
import { dataFolderPath } from '../../host/data-folder.ts';
import { prepareShutdown } from '../../host/shutdown.ts';
import { connectNats } from '../../messaging/connection.ts';
import { progress, stderrLog } from '../log.ts';
import { bootLocalNetwork } from '../network/local.ts';
import { ask, print } from './ask.ts';

export interface UpOptions {
  readonly port?: number;
  readonly verbose: boolean;
}

/** Runs the network until Ctrl-C, and lets a person at a terminal type questions. Resolves with the exit code. */
export async function upCommand(options: UpOptions): Promise<number> {
  const onLog = stderrLog(options);
  const shutdown = prepareShutdown({ onLog });
  const network = await bootLocalNetwork({
    home: dataFolderPath(),
    natsPort: options.port ?? null,
    natsUrl: process.env.NATS_URL ?? null,
    storeUrl: process.env.ESDB_URL ?? null,
    onLog,
    onProgress: progress,
  });
  shutdown.add('network', () => network.stop());
  const nc = await connectNats({ url: network.natsUrl, name: 'dellm-up' });
  shutdown.add('client', () => nc.close());
  process.stderr.write(`The network is up at ${network.natsUrl}. Its data is in ${dataFolderPath()}.\n`);
  if (process.stdin.isTTY) {
    process.stderr.write('Type a question and press Enter; Ctrl-C stops the network.\n');
  }
  const lines = createInterface({
    input: process.stdin,
    ...(process.stdin.isTTY && { output: process.stderr, prompt: '> ' }),
  });
  shutdown.add('prompt', async () => lines.close());
  lines.on('SIGINT', () => process.emit('SIGINT'));
  lines.prompt();
  lines.on('line', (line) => {
    if (line.trim() === '') {
      lines.prompt();
      return;
    }
    ask(nc, line, {})
      .then((answer) => print(answer, null))
      .catch((error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      })
      .finally(() => lines.prompt());
  });
  return shutdown.finished;
}
