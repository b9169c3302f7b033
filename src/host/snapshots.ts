import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { z } from 'zod';
import { canonicalJson, SNAPSHOT_PREFIX, uuidOf } from '../events/envelope.ts';
import type { EventStore, JsonObject } from '../eventstore/port.ts';
import { type Head, persistedState } from './fold.ts';

/** A snapshot is written after this many new events. Shorter streams have none. */
export const SNAPSHOT_EVERY = 500;

const snapshotSchema = z.object({
  machineHash: z.string(),
  revision: z.int().nonnegative(),
  eventId: z.string(),
  snapshot: z.record(z.string(), z.unknown()),
});

/** A cached state: the machine's state after the event at `revision`. */
export interface CachedState {
  readonly revision: number;
  readonly eventId: string;
  /** As `persistedState` gives it. */
  readonly snapshot: unknown;
}

/** The folders with code that a fold depends on. */
const DOMAIN_FOLDERS = ['events', 'answers', 'evolution', 'verification', 'actors', 'sagas'].map((folder) =>
  join(import.meta.dirname, '..', folder),
);

let domainCode: string | null = null;
const hashes = new WeakMap<AnyStateMachine, string>();

/**
 * Hash of a machine and of the domain's code. Functions that an action calls are not in the machine's own text,
 * and a snapshot from another fold must not be used.
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

/** The cached state of a stream; null if there is none, or if other code or another schema wrote it. */
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

/** Stores a state and so replaces the snapshot before it. */
export async function writeSnapshot(
  store: EventStore,
  stream: string,
  machine: AnyStateMachine,
  { revision, eventId, snapshot }: Head,
): Promise<void> {
  const cache = SNAPSHOT_PREFIX + stream;
  const machineHash = machineHashOf(machine);
  const data: JsonObject = JSON.parse(
    canonicalJson({ machineHash, revision, eventId, snapshot: persistedState(machine, snapshot) }),
  );
  const id = uuidOf('snapshot', cache, revision, machineHash);
  await store.append(cache, [{ id, type: 'SnapshotTaken', data, metadata: {} }], 'any');
  await store.keepLast(cache, 1);
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

/** XState keeps the source of an assignment in a property of the function that it returns. */
function withFunctions(_key: string, value: unknown): unknown {
  return typeof value === 'function' ? { source: String(value), ...value } : value;
}
