import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { runFleet } from '../../src/host/fleet.ts';
import { prepareShutdown } from '../../src/host/shutdown.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { ledgerDefinition } from '../support/ledger.ts';
import { openDeadlines } from './ledger-history.ts';

/** A fleet of toy accounts in a process that may be killed. Writes a line to its standard output when it serves. */

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const id = `fleet-${process.pid}-${Date.now()}`;
const onLog = (level: string, message: string) =>
  process.stderr.write(`${new Date().toISOString()} ${id} ${level}: ${message}\n`);
const shutdown = prepareShutdown({ onLog });
// The process that started this one has ended, so this one ends, too.
process.stdin.resume().once('close', () => process.exit(1));

const store = connectEventStore(setting('CHAOS_ESDB'));
const nats = await connectNats({
  url: setting('CHAOS_NATS'),
  user: setting('CHAOS_NATS_USER'),
  password: setting('CHAOS_NATS_PASSWORD'),
  name: id,
  deadlineMs: 20_000,
});
const fleet = await runFleet({
  id,
  definitions: [ledgerDefinition],
  store,
  nats,
  reads: () => null,
  openDeadlines: () => openDeadlines(store),
  onLog,
  signal: shutdown.signal,
});
shutdown.add('event store', () => store.close());
shutdown.add('NATS', () => nats.close());
shutdown.add('fleet', () => fleet.stopped);
process.stdout.write(`${id}\n`);
process.exit(await shutdown.finished);
