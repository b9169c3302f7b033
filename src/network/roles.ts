import { randomUUID } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import type { NetworkView } from '../actors/network-view.ts';
import { runAgent } from '../agent/agent.ts';
import { offerOf } from '../agent/offer.ts';
import { askService } from '../gateway/ask-service.ts';
import { PUBLIC_READ_ENDPOINTS } from '../gateway/read-endpoints.ts';
import { runFleet } from '../host/fleet.ts';
import { detectDevice } from '../inference/device.ts';
import type { InferenceEngine } from '../inference/port.ts';
import { ensureMembersBucket, watchMembers } from '../messaging/membership.ts';
import { AGENTS_BUCKET } from '../messaging/permissions.ts';
import { serveEndpoints } from '../messaging/service.ts';
import { ensureDeviceConsumer, ensureStreams } from '../messaging/streams.ts';
import { DEFINITIONS } from '../sagas/index.ts';
import { followNetwork, openDeadlines } from './following.ts';
import type { RoleContext, RunningRole } from './role.ts';
import { packageVersion } from './version.ts';

export interface FleetRole extends RunningRole {
  view(): NetworkView;
}

/** How often a fleet checks that the broker has its streams and consumers, in milliseconds. */
const MEND_EVERY_MS = 15_000;

/** Actors and sagas: the only role that appends to the event store. If it fails to start, `signal` must end what it started. */
export async function startFleet(context: RoleContext): Promise<FleetRole> {
  const { nc, store, onLog, signal } = context;
  const js = jetstream(nc);
  await ensureStreams(js);
  const follower = followNetwork({ nc, onLog, signal });
  const known = new Set<string>();
  const giveWork = async (devices: readonly string[]): Promise<void> => {
    for (const device of devices.filter((id) => !known.has(id))) {
      await ensureDeviceConsumer(js, device);
      known.add(device);
    }
  };
  const onFault = (error: unknown): void => {
    onLog('warn', `the broker's streams and consumers could not be seen to: ${String(error)}`);
  };
  await ensureMembersBucket(nc, AGENTS_BUCKET);
  const watch = await watchMembers({
    nc,
    bucket: AGENTS_BUCKET,
    onStatus: (message) => onLog('warn', message),
    onChange(members) {
      follower.setDevices(members.map(({ id, info }) => ({ id, proximityMs: 0, ...offerOf(info) })));
      giveWork(members.map(({ id }) => id)).catch(onFault);
    },
  });
  // A broker that has lost its folder comes back empty.
  const mending = setInterval(() => {
    known.clear();
    ensureStreams(js)
      .then(() => giveWork(watch.members().map(({ id }) => id)))
      .catch(onFault);
  }, MEND_EVERY_MS);
  const cleanUp = async (): Promise<void> => {
    clearInterval(mending);
    await watch.stop();
  };
  try {
    // In half a view, half the Nodes seem never to have been born, and decisions cannot be undone.
    await follower.caughtUp;
    signal.throwIfAborted();
    const fleet = await runFleet({
      id: `fleet-${randomUUID().slice(0, 8)}`,
      definitions: DEFINITIONS,
      store,
      nats: nc,
      reads: () => follower.view(),
      openDeadlines: () => openDeadlines(nc),
      onLog,
      signal,
    });
    return { ended: fleet.stopped.finally(cleanUp), view: () => follower.view() };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Takes questions. */
export async function startGateway(
  { nc, onLog, signal }: Omit<RoleContext, 'store'>,
  defaultAccount: string,
): Promise<RunningRole> {
  const asking = askService({ nc, defaultAccount, onStatus: (message) => onLog('warn', message) });
  const service = await serveEndpoints(nc, {
    name: 'dellm-gateway',
    version: packageVersion(),
    description: 'Asks the network: dellm.ask, dellm.ask.stream',
    endpoints: asking.endpoints,
    schemas: { subject: 'dellm.schemas', others: PUBLIC_READ_ENDPOINTS },
    onError: (name, error) => onLog('error', `${name} failed: ${String(error)}`),
  });
  const ended = untilAborted(signal).then(async () => {
    await service.stop();
    asking.stop();
  });
  return { ended };
}

/** A contributor's device. `nc` is a connection of the device's own user. */
export async function startAgent(
  { nc, onLog, signal }: Omit<RoleContext, 'store'>,
  device: string,
  engine: InferenceEngine,
  { region }: { readonly region: string | null },
): Promise<RunningRole> {
  const onStatus = (message: string) => onLog('warn', message);
  const offer = { slots: DEVICE_SLOTS, tier: detectDevice().tier, region };
  return { ended: runAgent({ nc, device, engine, offer, signal, onStatus }).finally(() => engine.close()) };
}

/** Nodes of miniature or small models share their models, so a device can lend as many slots as a network starts with. */
const DEVICE_SLOTS = 50;

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
