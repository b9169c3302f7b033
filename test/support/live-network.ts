import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from 'nats';
import { decodeJson, encodeJson } from '../../src/events/envelope.ts';
import type { EvolutionSettings } from '../../src/events/evolution.ts';
import type { InferenceEngine } from '../../src/inference/port.ts';
import { connectNats } from '../../src/messaging/connection.ts';
import { CLIENT_USER, NETWORK_USER } from '../../src/messaging/permissions.ts';
import { readNatsPassword } from '../../src/messaging/users.ts';
import { bootLocalNetwork } from '../../src/network/local.ts';

export interface LiveNetwork {
  readonly home: string;
  readonly natsUrl: string;
  readonly storeUrl: string;
  /** What the network logged at the levels warn and error. */
  readonly log: readonly string[];
  /** A connection as a client, or as the network's own user. `stop()` closes it. */
  connect(as?: 'client' | 'network'): Promise<NatsConnection>;
  /** Sends one request as a client. Bytes and text are sent as they are, other values as JSON. */
  request(subject: string, body?: unknown, timeoutMs?: number): Promise<unknown>;
  /** Stops everything and removes the folder. */
  stop(): Promise<void>;
}

/**
 * A real network for specs: a nats-server and an embedded event store on free ports, projector and relay in their own
 * process, the other roles in this one, and a temporary data folder. Unless an engine is given, the miniature models
 * answer.
 */
export async function startLiveNetwork(
  options: { readonly engine?: InferenceEngine; readonly evolution?: EvolutionSettings } = {},
): Promise<LiveNetwork> {
  const home = await mkdtemp(join(tmpdir(), 'dellm-live-'));
  const log: string[] = [];
  const { engine, evolution } = options;
  const network = await bootLocalNetwork({
    home,
    natsPort: 0,
    natsUrl: null,
    storeUrl: null,
    ...(engine && { createEngine: async () => engine }),
    ...(evolution && { evolution }),
    onLog(level, message) {
      if (level === 'warn' || level === 'error') log.push(`${level}: ${message}`);
    },
    onProgress: () => {},
  }).catch(async (error: unknown) => {
    await rm(home, { recursive: true, force: true });
    throw error;
  });
  const { natsUrl, storeUrl } = network;
  const connections: NatsConnection[] = [];
  async function connect(as: 'client' | 'network' = 'client'): Promise<NatsConnection> {
    const user = as === 'client' ? CLIENT_USER : NETWORK_USER;
    const password = await readNatsPassword(home, user);
    const nc = await connectNats({ url: natsUrl, user, password: password ?? '', name: `test ${user}` });
    connections.push(nc);
    return nc;
  }
  const client = await connect();
  return {
    home,
    natsUrl,
    storeUrl,
    log,
    connect,
    async request(subject, body, timeoutMs = 15_000) {
      return decodeJson((await client.request(subject, bytesOf(body), { timeout: timeoutMs })).data);
    },
    async stop() {
      await Promise.allSettled(connections.map((nc) => nc.close()));
      await network.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

function bytesOf(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array();
  if (body instanceof Uint8Array) return body;
  return typeof body === 'string' ? new TextEncoder().encode(body) : encodeJson(body);
}
