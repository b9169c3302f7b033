import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import { connectNats } from '../../src/messaging/connection.ts';
import type { NatsServer } from '../../src/messaging/nats-server.ts';
import { launchNatsServer } from '../../src/messaging/nats-server.ts';
import type { NatsUser } from '../../src/messaging/permissions.ts';
import { agentUserName, CLIENT_USER, NETWORK_USER } from '../../src/messaging/permissions.ts';
import { loadNatsUsers } from '../../src/messaging/users.ts';

export interface TestNats {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly users: readonly NatsUser[];
  /** The running server; after `restart()`, the new one. */
  server(): NatsServer;
  /**
   * Kills the server as in a crash, and starts it again with the same folder and port. Resolves when its
   * connections are back.
   */
  restart(): Promise<void>;
  /** A connection as the network with all rights, as a client, or as the agent of a device. `stop()` closes it. */
  connect(as?: 'network' | 'client' | { readonly device: string }): Promise<NatsConnection>;
  passwordOf(user: string): string;
  /** Closes all connections, stops the server and removes its folder. */
  stop(): Promise<void>;
}

/** A real nats-server on a free port with a temporary folder. */
export async function startTestNats(options: { devices?: readonly string[] } = {}): Promise<TestNats> {
  const dataDir = await mkdtemp(join(tmpdir(), 'dellm-nats-'));
  const [first, ...others] = await loadNatsUsers(dataDir, options.devices ?? []);
  if (first === undefined) throw new Error('the network has no user');
  const users: readonly [NatsUser, ...NatsUser[]] = [first, ...others];
  let server = await launchNatsServer({ dataDir, port: 0, users });
  const { port, url } = server;
  const connections: NatsConnection[] = [];
  const passwordOf = (name: string): string => {
    const user = users.find((candidate) => candidate.user === name);
    if (user === undefined) throw new Error(`the test's broker has no user ${name}`);
    return user.password;
  };
  return {
    url,
    port,
    dataDir,
    users,
    passwordOf,
    server: () => server,
    async restart() {
      await server.kill();
      server = await launchNatsServer({ dataDir, port, users });
      await Promise.all(connections.map(untilConnected));
    },
    async connect(as = 'network') {
      const user = as === 'network' ? NETWORK_USER : as === 'client' ? CLIENT_USER : agentUserName(as.device);
      const connection = await connectNats({ url, user, password: passwordOf(user), name: `test ${user}` });
      connections.push(connection);
      return connection;
    },
    async stop() {
      await Promise.allSettled(connections.map((connection) => connection.close()));
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function untilConnected(connection: NatsConnection): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!connection.isClosed()) {
    try {
      await connection.rtt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
