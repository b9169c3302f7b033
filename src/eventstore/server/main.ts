import { parseArgs } from 'node:util';
import { exitCodes } from './exit-codes.ts';
import { openStoreFile, StoreFileError } from './file.ts';
import { startServer } from './server.ts';
import { Storage } from './storage.ts';

/**
 * The embedded event store as a process: `main.js --file <path> [--port <n>] [--parent-watch]`.
 *
 * Prints one line of JSON, `{"ready":true,"port":2113}`, when it listens. SIGTERM ends it after the last
 * commit, and so does SIGINT unless it watches its parent. With `--parent-watch` it also ends when its standard
 * input ends, which happens when its parent ends.
 */
async function main(): Promise<void> {
  const { file, port, parentWatch } = readArguments();
  const store = openStoreFile(file);
  const storage = new Storage(store.database);
  const server = await startServer(storage, port);

  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    storage.flush();
    server.stop();
    store.close();
    process.exit(exitCodes.ok);
  };
  process.once('SIGTERM', stop);
  // A terminal sends Ctrl-C also to the parent, which still needs the store to stop in order, and then ends it.
  process.on('SIGINT', parentWatch ? () => {} : stop);
  if (parentWatch) {
    process.stdin.on('end', stop);
    process.stdin.on('error', stop);
    process.stdin.resume();
  }
  process.stdout.write(`${JSON.stringify({ ready: true, port: server.port })}\n`);
}

function readArguments(): { file: string; port: number; parentWatch: boolean } {
  const { values } = parseArgs({
    options: {
      file: { type: 'string' },
      port: { type: 'string', default: '0' },
      'parent-watch': { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (values.file === undefined || values.file === '') {
    throw new TypeError('Give the file of the event store with --file <path>.');
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TypeError(`The port ${values.port} is not a number from 0 to 65535.`);
  }
  return { file: values.file, port, parentWatch: values['parent-watch'] };
}

function exitCodeFor(error: unknown): number {
  if (error instanceof StoreFileError) return exitCodes[error.reason];
  if (error instanceof TypeError) return exitCodes.usage;
  return exitCodes.failed;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(exitCodeFor(error));
});
