import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { drawOf, encodeJson } from '../../src/events/envelope.ts';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import type { StoredEvent } from '../../src/eventstore/port.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { supervise } from '../../src/host/supervise.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { launchNatsServer } from '../../src/messaging/nats-server.ts';
import { publisher } from '../../src/messaging/publish.ts';
import { DEAD, ensureStreams } from '../../src/messaging/streams.ts';
import { commandSubject } from '../../src/messaging/subjects.ts';
import { loadNatsUsers } from '../../src/messaging/users.ts';
import type { LedgerCommand } from '../support/ledger.ts';
import { type ChaosTarget, startRole, victimOf } from './harness.ts';
import { transfersOf } from './ledger-history.ts';

/** Accounts that send coins to each other. There are enough for several in each fleet. */
const ACCOUNTS = 12;
const START_COINS = 1_000_000;
const ROOT = join(import.meta.dirname, '../..');
const FLEET = join(ROOT, 'dist/chaos/test/chaos/ledger-fleet.js');
const backoff = { firstMs: 100, longestMs: 1_000, stableMs: 5_000 };

export interface LedgerNetwork extends ChaosTarget {
  readonly log: readonly string[];
  stop(): Promise<void>;
}

/** The toy network: a real broker, the real embedded store, and two fleets, each supervised in another process. */
export async function startLedgerNetwork(seed: number): Promise<LedgerNetwork> {
  compile();
  const folder = await mkdtemp(join(tmpdir(), 'dellm-chaos-'));
  const log: string[] = [];
  const onLog = (level: string, message: string) =>
    log.push(`${new Date().toISOString()} ${level}: ${message}`);
  const [network, ...others] = await loadNatsUsers(folder, []);
  if (network === undefined) throw new Error('the network has no user');

  let natsPort = 0;
  const broker = await supervise({
    name: 'broker',
    onLog,
    backoff,
    start: async () => {
      const server = await launchNatsServer({ dataDir: folder, port: natsPort, users: [network, ...others] });
      natsPort = server.port;
      return server;
    },
  });
  let storePort = 0;
  const storeServer = await supervise({
    name: 'event store',
    onLog,
    backoff,
    start: async () => {
      const server = await launchEmbeddedEventStore({ file: join(folder, 'events.sqlite'), port: storePort });
      storePort = server.port;
      return server;
    },
  });
  const url = `nats://127.0.0.1:${natsPort}`;
  const esdb = `esdb://127.0.0.1:${storePort}?tls=false`;
  const nats = await connectNats({ url, user: network.user, password: network.password, name: 'chaos' });
  await ensureStreams(jetstream(nats));
  const settings = {
    CHAOS_ESDB: esdb,
    CHAOS_NATS: url,
    CHAOS_NATS_USER: network.user,
    CHAOS_NATS_PASSWORD: network.password,
  };
  const startFleet = () => startRole(FLEET, settings, (line) => log.push(line));
  const fleets = await Promise.all(
    ['fleet one', 'fleet two'].map((name) => supervise({ name, onLog, backoff, start: startFleet })),
  );

  const store = connectEventStore(esdb);
  const publish = publisher(nats);
  const acceptedSends = new Set<string>();
  const acceptedDeposits = new Set<string>();

  async function accept(id: string, command: LedgerCommand, messageId: string): Promise<void> {
    const message = {
      subject: commandSubject({ kind: 'account', id }),
      body: encodeJson(command),
      messageId,
    };
    for (;;) {
      try {
        await publish(message);
        return;
      } catch {
        // The broker is down. A command is accepted only when the broker acknowledges it.
        await sleep(50);
      }
    }
  }

  for (let account = 0; account < ACCOUNTS; account += 1) {
    const transferId = `start-${account}`;
    await accept(`a${account}`, { type: 'Deposit', data: { transferId, amount: START_COINS } }, transferId);
    acceptedDeposits.add(transferId);
  }
  const history = () => store.readAll({ prefixes: ['credit-'] });
  while ((await transfersOf(history())).deposited.size < ACCOUNTS) await sleep(50);

  return {
    log,
    victims: [
      victimOf(broker, (server) => void server.kill().catch(() => {})),
      victimOf(storeServer, (server) => server.kill()),
      ...fleets.map((fleet) => victimOf(fleet, (role) => role.kill())),
    ],

    async load(index) {
      const from = Math.floor(drawOf('from', seed, index) * ACCOUNTS);
      const to = `a${Math.floor(drawOf('to', seed, index) * ACCOUNTS)}`;
      const amount = 1 + Math.floor(drawOf('amount', seed, index) * 100);
      const transferId = `a${from}.${index}`;
      await accept(`a${from}`, { type: 'Send', data: { transferId, to, amount } }, `load-${index}`);
      acceptedSends.add(transferId);
      // Sometimes the same request is sent again with another message id.
      if (drawOf('again', seed, index) < 0.2) {
        await accept(`a${from}`, { type: 'Send', data: { transferId, to, amount } }, `load-${index}-again`);
      }
    },

    async unfinished() {
      try {
        const { confirmed } = await transfersOf(history());
        return [...acceptedSends].filter((transferId) => !confirmed.has(transferId));
      } catch {
        return ['the store does not answer'];
      }
    },

    history: () => store.readAll(),

    naturalKey(event: StoredEvent) {
      if (!event.stream.startsWith('credit-')) return null;
      return `${event.type} ${event.data.transferId} ${event.data.attempt ?? ''}`;
    },

    async problems(events) {
      const problems: string[] = [];
      const { sent, received, confirmed, deposited, coins, brought } = await transfersOf(
        events.filter((event) => event.stream.startsWith('credit-')),
      );
      for (const transferId of acceptedSends) {
        if (!sent.has(transferId)) problems.push(`${transferId} was accepted and never sent`);
        if (!received.has(transferId)) problems.push(`${transferId} was sent and never received`);
        if (!confirmed.has(transferId)) problems.push(`${transferId} was received and never confirmed`);
      }
      if (sent.size !== acceptedSends.size)
        problems.push(`${sent.size} sent, ${acceptedSends.size} accepted`);
      if (deposited.size !== acceptedDeposits.size) problems.push(`${deposited.size} deposits happened`);
      if (coins !== brought) problems.push(`${coins} coins are there, ${brought} were brought`);
      const jsm = await jetstreamManager(nats);
      const dead = (await jsm.streams.info(DEAD)).state.messages;
      if (dead > 0) problems.push(`${dead} messages were given up`);
      // The messages left in DELLM_CMD prove nothing: a killed nats-server 2.9 keeps messages whose
      // acknowledgement it had confirmed.
      return problems;
    },

    async stop() {
      await Promise.all(fleets.map((fleet) => fleet.stop()));
      await nats.close();
      await store.close();
      await Promise.all([broker.stop(), storeServer.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Node cannot run this TypeScript directly, so the fleet's process is compiled first, with its imports. */
function compile(): void {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    execFileSync(process.execPath, [tsc, '-p', join(import.meta.dirname, 'tsconfig.json')], {
      stdio: 'pipe',
    });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    throw new Error(`the fleet's process does not compile:\n${output}`);
  }
}
