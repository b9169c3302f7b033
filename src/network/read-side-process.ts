import { connectEventStore } from '../eventstore/esdb.ts';
import { type OnLog, reasonOf } from '../host/log.ts';
import { connectNats } from '../messaging/connection.ts';
import { startProjector, startRelay } from './read-roles.ts';
import { type FromReadSide, type ReadSideOptions, STOP_PATIENCE_MS } from './read-side.ts';
import { type RoleContext, type RunningRole, superviseRole } from './role.ts';

/**
 * Projector and relay as one process, forked by `launchReadSide`, which sends what it needs. SIGTERM ends it in order,
 * and so does the end of the process that forked it.
 */
const undo: (() => Promise<void>)[] = [];
let stopping = false;

const tell = (message: FromReadSide): void => {
  if (process.connected) process.send?.(message);
};
const onLog: OnLog = (level, message, details) => tell({ type: 'log', level, message, details });

async function start({ nats, storeUrl, folder }: ReadSideOptions): Promise<void> {
  const nc = await connectNats({
    ...nats,
    name: 'dellm-read-side',
    onStatus: (message) => onLog('info', message),
  });
  undo.push(() => nc.close());
  const store = connectEventStore(storeUrl);
  undo.push(() => store.close());
  const run = async (
    name: string,
    startRole: (context: RoleContext) => Promise<RunningRole>,
  ): Promise<void> => {
    const role = await superviseRole(name, onLog, (signal) => startRole({ nc, store, onLog, signal }));
    undo.push(() => role.stop());
  };
  // A projector that builds its rows again takes long, and the relay does not need it.
  await run('relay', startRelay);
  await run('projector', (role) => startProjector(role, folder));
  tell({ type: 'ready' });
}

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  // Also if the broker or the store does not answer.
  setTimeout(() => process.exit(1), STOP_PATIENCE_MS).unref();
  for (let step = undo.pop(); step; step = undo.pop()) {
    await step().catch((error: unknown) => onLog('error', `stopping: ${reasonOf(error)}`));
  }
  process.exit(code);
}

process.once('message', (options: ReadSideOptions) => {
  start(options).catch((error: unknown) => {
    tell({ type: 'failed', reason: reasonOf(error) });
    void stop(1);
  });
});
process.on('SIGTERM', () => void stop(0));
process.on('disconnect', () => void stop(0));
// A terminal also sends Ctrl-C to the parent. The parent stops this process when it no longer needs it.
process.on('SIGINT', () => {});
