import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, Wait } from 'testcontainers';
import { describe, expect, it } from 'vitest';
import { connectEventStore } from '../../src/eventstore/esdb.ts';
import { createMemoryEventStore } from '../../src/eventstore/memory.ts';
import { launchEmbeddedEventStore } from '../../src/eventstore/server/launch.ts';
import { containersRequired, probeContainerEngine } from '../support/containers.ts';
import type { EventStoreFixture } from './event-store.ts';
import { eventStoreContract } from './event-store.ts';

const image = 'eventstore/eventstore:23.10.8-bookworm-slim';

eventStoreContract('in memory', async () => {
  const store = createMemoryEventStore();
  return { store, close: () => store.close() };
});

eventStoreContract('the embedded server in its own process', openEmbedded);

const url = process.env.ESDB_URL;
const engine = url === undefined ? await probeContainerEngine() : { available: true, reason: '' };
if (url !== undefined) {
  eventStoreContract('a real server at ESDB_URL', async () => fixtureAt(url, async () => {}));
} else if (engine.available) {
  eventStoreContract(`a real server in a container (${image})`, openContainer);
} else {
  describe('the event store contract: a real server', () => {
    it.skipIf(!containersRequired)(`runs on a real server (${engine.reason}; ESDB_URL is not set)`, () => {
      expect.fail(`DELLM_REQUIRE_CONTAINERS is 1, but there is ${engine.reason}`);
    });
  });
}

function fixtureAt(connectionString: string, stopServer: () => Promise<void>): EventStoreFixture {
  const store = connectEventStore(connectionString);
  return {
    store,
    connectAgain: () => connectEventStore(connectionString),
    close: async () => {
      await store.close();
      await stopServer();
    },
  };
}

async function openEmbedded(): Promise<EventStoreFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'dellm-event-store-'));
  const file = join(folder, 'history.db');
  let server = await launchEmbeddedEventStore({ file });
  const { port, connectionString } = server;
  const startAgain = async () => {
    server = await launchEmbeddedEventStore({ file, port });
  };
  const fixture = fixtureAt(connectionString, async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  return {
    ...fixture,
    server: {
      restart: async () => {
        await server.stop();
        await startAgain();
      },
      killAndRestart: async () => {
        server.kill();
        await server.exited;
        await startAgain();
      },
    },
  };
}

async function openContainer(): Promise<EventStoreFixture> {
  const container = await new GenericContainer(image)
    .withEnvironment({ EVENTSTORE_INSECURE: 'true', EVENTSTORE_RUN_PROJECTIONS: 'None' })
    .withExposedPorts(2113)
    .withWaitStrategy(Wait.forHttp('/health/live', 2113).forStatusCode(204))
    .start();
  const address = `esdb://${container.getHost()}:${container.getMappedPort(2113)}?tls=false`;
  return fixtureAt(address, async () => {
    await container.stop();
  });
}
