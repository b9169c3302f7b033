import { type Command, Option } from 'commander';
import { ASK_TIMEOUT_MS } from '../../gateway/limits.ts';
import type { ModelClass } from '../../inference/species.ts';
import type { Question } from '../../network/client.ts';
import { id, someText, wholeNumber } from '../arguments.ts';
import { gpuOption, modelsOption } from '../device-options.ts';
import { EXIT } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { progress, stderrLog } from '../log.ts';
import { printJson } from '../output.ts';

interface Options extends Omit<Question, 'question'> {
  readonly json: boolean;
  readonly trace: boolean;
  readonly models?: ModelClass;
  readonly gpu?: true;
  readonly verbose: boolean;
}

export function addAskCommand(program: Command): void {
  program
    .command('ask')
    .description('ask one question: the running network, or one that is started for the question')
    .argument('<question>', 'your question', someText)
    .option('--json', 'print one JSON object', false)
    .option('--trace', 'show every step that led to the answer', false)
    .option('--account <id>', 'who pays (default: the account of the network’s owner)', id)
    .option(
      '--query-id <id>',
      'your own id: asking again with it returns the same query, and is charged once',
      id,
    )
    .addOption(
      new Option('--stakes <level>', 'high: more Nodes vote, and the answer needs a higher confidence')
        .choices(['normal', 'high'])
        .default('normal'),
    )
    .option(
      '--timeout <ms>',
      'longest time for the answer, in milliseconds',
      wholeNumber(ASK_TIMEOUT_MS.least, ASK_TIMEOUT_MS.most),
      ASK_TIMEOUT_MS.default,
    )
    .addOption(modelsOption())
    .addOption(gpuOption())
    .option('--verbose', 'also log information and debug messages', false)
    .addHelpText('after', '\n--models and --gpu apply to a network that is started for the question.')
    .action((question, options) => finish(() => askOnce(question, options)));
}

/** Resolves with the exit code, after a network that was started for the question has stopped. */
async function askOnce(question: string, options: Options): Promise<number> {
  const { findNetwork } = await import('../../network/client.ts');
  const url = await findNetwork();
  if (url === null) return askBooted(question, options);
  if (options.models || options.gpu) {
    process.stderr.write(
      'A network is already running with its own models: --models and --gpu have no effect.\n',
    );
  }
  return askAt(url, question, options);
}

async function askAt(url: string, question: string, options: Options, signal?: AbortSignal): Promise<number> {
  const { ask, connectClient, traceOf } = await import('../../network/client.ts');
  const { printAnswer } = await import('../answer.ts');
  const { json, trace } = options;
  const nc = await connectClient(url);
  signal?.addEventListener('abort', () => void nc.close(), { once: true });
  try {
    const answer = await ask(nc, { ...options, question });
    const steps = trace ? await traceOf(nc, answer.queryId) : null;
    if (json) printJson({ ...answer, ...(steps && { trace: steps }) });
    else printAnswer(answer, steps);
    return answer.outcome === 'answered' ? EXIT.ok : EXIT.unknown;
  } finally {
    await nc.close();
  }
}

/** Ctrl-C stops the network in order at any time. */
async function askBooted(question: string, options: Options): Promise<number> {
  const { dataFolderPath } = await import('../../host/data-folder.ts');
  const { prepareShutdown } = await import('../../host/shutdown.ts');
  const { bootLocalNetwork } = await import('../../network/local.ts');
  const onLog = stderrLog(options);
  const shutdown = prepareShutdown({ onLog });
  const network = await bootLocalNetwork({
    home: dataFolderPath(),
    natsPort: null,
    natsUrl: null,
    storeUrl: process.env.ESDB_URL ?? null,
    ...(options.models && { models: options.models }),
    ...(options.gpu && { gpu: options.gpu }),
    signal: shutdown.signal,
    onLog,
    onProgress: options.json ? () => {} : progress,
  });
  shutdown.add('network', () => network.stop());
  try {
    return await shutdown.begin(await askAt(network.natsUrl, question, options, shutdown.signal));
  } catch (error) {
    const interrupted = shutdown.signal.aborted;
    await shutdown.begin(EXIT.failed);
    if (interrupted) return EXIT.interrupted;
    throw error;
  }
}
