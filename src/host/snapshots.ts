import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { z } from 'zod';
import { canonicalJson, SNAPSHOT_PREFIX, uuidOf } from '../events/envelope.ts';
import type { EventStore, JsonObject } from '../eventstore/port.ts';
import { type Head, persistedState } from './fold.ts';

/** A snapshot is written when so many events came since the last one; shorter streams have none. */
export const SNAPSHOT_EVERY = 500;

const snapshotSchema = z.object({
  machineHash: z.string(),
  revision: z.int().nonnegative(),
  eventId: z.string(),
  snapshot: z.record(z.string(), z.unknown()),
});

/** A cached state: what the machine had become when it had taken the event at `revision`. */
export interface CachedState {
  readonly revision: number;
  readonly eventId: string;
  /** As `persistedState` gives it. */
  readonly snapshot: unknown;
}

/** Where the code lives that decides what a fold gives. */
const DOMAIN_FOLDERS = ['events', 'answers', 'evolution', 'verification', 'actors', 'sagas'].map((folder) =>
  join(import.meta.dirname, '..', folder),
);

let domainCode: string | null = null;
const hashes = new WeakMap<AnyStateMachine, string>();

/**
 * Hash of a machine and of all the domain's code: a helper that an action calls is not part of the machine's own
 * text, and a snapshot that another fold made must not be taken for this one's.
 */
export function machineHashOf(machine: AnyStateMachine): string {
  let known = hashes.get(machine);
  if (known === undefined) {
    domainCode ??= hashOfDomainCode();
    const { actions, guards } = machine.implementations;
    const text = JSON.stringify([machine.config, actions, guards], withFunctions);
    known = hash('sha256', `${domainCode}\n${text}`);
    hashes.set(machine, known);
  }
  return known;
}

/** The cached state of a stream, or null if there is none or another code or shape made it. */
export async function readSnapshot(
  store: EventStore,
  stream: string,
  machine: AnyStateMachine,
): Promise<CachedState | null> {
  for await (const event of store.readStream(SNAPSHOT_PREFIX + stream, {
    direction: 'backwards',
    limit: 1,
  })) {
    const cached = snapshotSchema.safeParse(event.data);
    if (!cached.success || cached.data.machineHash !== machineHashOf(machine)) return null;
    const { revision, eventId, snapshot } = cached.data;
    return { revision, eventId, snapshot };
  }
  return null;
}

/** Keeps a state in place of the one before it; `isFirst` where there is none yet. */
export async function writeSnapshot(
  store: EventStore,
  stream: string,
  machine: AnyStateMachine,
  { revision, eventId, snapshot }: Head,
  isFirst: boolean,
): Promise<void> {
  const cache = SNAPSHOT_PREFIX + stream;
  const machineHash = machineHashOf(machine);
  const data: JsonObject = JSON.parse(
    canonicalJson({ machineHash, revision, eventId, snapshot: persistedState(machine, snapshot) }),
  );
  const id = uuidOf('snapshot', cache, revision, machineHash);
  await store.append(cache, [{ id, type: 'SnapshotTaken', data, metadata: {} }], 'any');
  if (isFirst) await store.keepLast(cache, 1);
}

function hashOfDomainCode(): string {
  const files = DOMAIN_FOLDERS.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /(?<!\.spec|\.d)\.[jt]s$/.test(name))
      .sort()
      .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`),
  );
  return hash('sha256', files.join('\n'));
}

/** XState keeps an assignment's text in a property of the function that it makes. */
function withFunctions(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? { source: String(value), ...value } : value;
}
