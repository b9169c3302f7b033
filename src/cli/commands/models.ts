import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Catalogue, ModelFolders } from '../../inference/catalogue.ts';
import { bytes } from '../../inference/size.ts';
import { id } from '../arguments.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { finish } from '../finish.ts';
import { interruptible } from '../interrupt.ts';
import { progressOf, stderrLog } from '../log.ts';
import { facts, printJson, printLines, table } from '../output.ts';

interface Options {
  readonly json: boolean;
}

export function addModelsCommand(program: Command): void {
  const models = program.command('models').description('the models that Nodes can use');
  models
    .command('list')
    .description('the catalogue: which models fit this device, and which are on it')
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => listModels(options)));
  models
    .command('pull')
    .description('download a public model; an interrupted download can be resumed')
    .argument('<id>', 'id of the model, from "models list"', id)
    .option('--json', 'print one JSON object at the end', false)
    .addHelpText('after', '\nFrom huggingface.co, or from the mirror that HF_ENDPOINT names.')
    .action((model, options) => finish(() => pull(model, options)));
  models
    .command('measure')
    .description('ask the miniature models their held-out prompts, and count the right answers')
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => measure(options)));
}

async function listModels({ json }: Options): Promise<number> {
  const { detectDevice } = await import('../../inference/device.ts');
  const { modelPath } = await import('../../inference/catalogue.ts');
  const { catalogue, folders } = await known();
  const device = detectDevice();
  const models = catalogue.models.map((entry) => ({ ...entry, here: existsSync(modelPath(entry, folders)) }));
  if (json) {
    printJson({ device, models });
    return EXIT.ok;
  }
  printLines([
    ...facts([
      ['device', `${device.cpu}, ${device.cores} cores, ${bytes(device.ramBytes)} of memory`],
      ['tier', device.tier ?? 'below the smallest: miniature models only'],
    ]),
    '',
    ...table(models, [
      { title: 'id', of: (model) => model.id },
      { title: 'class', of: (model) => model.class },
      { title: 'size', of: (model) => `${model.bytesAreApproximate ? '~' : ''}${bytes(model.bytes)}` },
      { title: 'memory', of: (model) => bytes(model.ramBytes) },
      { title: 'tiers', of: (model) => (model.tiers.length === 4 ? 'all' : model.tiers.join(', ')) },
      { title: 'licence', of: (model) => model.licence },
      { title: 'here', of: (model) => (model.here ? 'yes' : 'no') },
    ]),
  ]);
  return EXIT.ok;
}

async function pull(model: string, { json }: Options): Promise<number> {
  const { pullModel } = await import('../../inference/pull.ts');
  const { catalogue, folders } = await known();
  const entry = catalogue.find(model);
  if (!entry)
    throw new UsageError(`The catalogue has no model "${model}". "dellm models list" shows what it has.`);
  await becomeDataFolder();
  const progress = progressOf(entry.file, bytes);
  return interruptible(async (signal) => {
    try {
      const pulled = await pullModel(entry, folders.pulled, {
        signal,
        onProgress: ({ receivedBytes, totalBytes }) => progress.show(receivedBytes, totalBytes),
        ...(process.env.HF_ENDPOINT && { fetchBase: process.env.HF_ENDPOINT }),
      });
      progress.end();
      if (json) printJson(pulled);
      else {
        const { path, outcome, verified } = pulled;
        printLines([`${path}  ${bytes(pulled.bytes)}, ${outcome}, checked by ${verified}`]);
      }
      return EXIT.ok;
    } catch (error) {
      progress.end();
      if (!signal.aborted) throw error;
      process.stderr.write(
        'Interrupted. The part that arrived is kept. Run the command again to continue.\n',
      );
      return EXIT.interrupted;
    }
  });
}

/** Resolves with the exit code. */
async function measure({ json }: Options): Promise<number> {
  const { formatMeasurements } = await import('../../inference/measure-table.ts');
  const { measureModels } = await import('../../network/measure-models.ts');
  const progress = progressOf('held-out prompts');
  return interruptible(async (signal) => {
    try {
      const measured = await measureModels({
        signal,
        onLog: stderrLog({ verbose: false }),
        onProgress: progress.show,
        onLeftOut: (pairs) => {
          for (const { id, models } of pairs) {
            process.stderr.write(`${id} is left out: ${models.join(' and ')} not here\n`);
          }
        },
      });
      progress.end();
      if (json) printJson(measured);
      else printLines([formatMeasurements(measured.measurements).trimEnd()]);
      return EXIT.ok;
    } finally {
      progress.end();
    }
  });
}

/** A network refuses a folder with foreign content, so a new data folder is marked before a model is put into it. */
async function becomeDataFolder(): Promise<void> {
  const { DataFolderInUseError, dataFolderPath, openDataFolder } = await import('../../host/data-folder.ts');
  try {
    const folder = await openDataFolder(dataFolderPath());
    await folder.release();
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error;
  }
}

async function known(): Promise<{ catalogue: Catalogue; folders: ModelFolders }> {
  const { loadCatalogue } = await import('../../inference/catalogue.ts');
  const { modelFolders } = await import('../../network/engine.ts');
  const { dataFolderPath } = await import('../../host/data-folder.ts');
  const folders = modelFolders(dataFolderPath());
  return { catalogue: await loadCatalogue(folders.miniature), folders };
}
