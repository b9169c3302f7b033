import { join } from 'node:path';
import { readEndpoints } from '../gateway/read-service.ts';
import { runRelay } from '../messaging/relay.ts';
import { serveEndpoints } from '../messaging/service.ts';
import { PROJECTIONS } from '../projections/index.ts';
import { ReadModel } from '../projections/read-model.ts';
import { CATEGORY_PREFIXES, runProjector } from '../projections/runner.ts';
import type { RoleContext, RunningRole } from './role.ts';
import { packageVersion } from './version.ts';

/** The only publisher of `dellm.evt`. */
export async function startRelay({ nc, store, onLog, signal }: RoleContext): Promise<RunningRole> {
  const onStatus = (message: string) => onLog('warn', message);
  return { ended: runRelay({ nc, store, signal, prefixes: CATEGORY_PREFIXES, onStatus }) };
}

/** Folds history into read models and answers from them. `folder` holds the read model's file. */
export async function startProjector(context: RoleContext, folder: string): Promise<RunningRole> {
  const { nc, store, onLog, signal } = context;
  const model = new ReadModel(join(folder, 'read-model.sqlite'), PROJECTIONS);
  let caughtUp = (): void => {};
  const ready = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  const failed = new AbortController();
  const projecting = runProjector({
    store,
    model,
    signal: AbortSignal.any([signal, failed.signal]),
    onCaughtUp: caughtUp,
    onStatus: (message) => onLog('warn', message),
  });
  try {
    await Promise.race([ready, projecting]);
    const service = await serveEndpoints(nc, {
      name: 'dellm-read',
      version: packageVersion(),
      description: 'Reads what the network knows: queries, matrix, trust, credits, nodes, history',
      endpoints: readEndpoints({
        nc,
        model,
        store,
        version: packageVersion(),
        replayCache: join(folder, 'replay-cache'),
        signal,
      }),
      onError: (name, error) => onLog('error', `reading ${name} failed: ${String(error)}`),
    });
    const ended = projecting.finally(async () => {
      await service.stop();
      model.close();
    });
    return { ended };
  } catch (error) {
    failed.abort();
    await projecting.catch(() => {});
    model.close();
    throw error;
  }
}
