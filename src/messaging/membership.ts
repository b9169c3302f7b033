import { randomUUID } from 'node:crypto';
import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  StorageType,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from 'nats';
import { decodeJson, encodeJson } from '../events/envelope.ts';
import type { JsonObject } from '../eventstore/port.ts';
import { requireId, stableHash } from './subjects.ts';

export interface Member {
  readonly id: string;
  readonly info: JsonObject;
}

export interface AnnounceOptions {
  readonly nc: NatsConnection;
  /** The KV bucket's name. */
  readonly bucket: string;
  /** The member's id; it must satisfy `isId`. It may stay the same over restarts or be new each time. */
  readonly id: string;
  /** Information for the other members. Read at each renewal. */
  readonly info?: () => JsonObject;
  readonly onStatus?: (message: string) => void;
}

export interface Announcement {
  /** Whether the last renewal is less than 2 s old by this process's clock. If not, others may have taken over. */
  isAlive(): boolean;
  /** Marks the member as gone, so that the others see it at their next poll. */
  leave(): Promise<void>;
}

export interface WatchOptions {
  readonly nc: NatsConnection;
  readonly bucket: string;
  /** Called with all members, sorted by id, when one joins, leaves, or changes its info. */
  readonly onChange: (members: readonly Member[]) => void;
  readonly onStatus?: (message: string) => void;
}

export interface Watch {
  /** The members at the last poll, sorted by id. */
  members(): readonly Member[];
  stop(): Promise<void>;
}

export interface Membership extends Announcement {
  members(): readonly Member[];
}

/** The broker deletes a key that was not renewed for this time. It applies to the whole bucket. */
const MEMBER_TTL_MS = 3_000;
/** A member that could not renew for this time must stop, before its key disappears. */
const ALIVE_FOR_MS = 2_000;
const EVERY_MS = 1_000;
const REQUEST_TIMEOUT_MS = 800;

/** Creates the bucket, in memory, with keys that expire after 3 s. Any number of processes may do this at once. */
export async function ensureMembersBucket(nc: NatsConnection, bucket: string): Promise<void> {
  await new Kvm(jetstream(nc)).create(bucket, {
    ttl: MEMBER_TTL_MS,
    storage: StorageType.Memory,
    history: 1,
    description: 'Who is there; a key that is not renewed disappears',
  });
  // Otherwise a member that may write its own key could delete all other keys by a roll-up.
  const jsm = await jetstreamManager(nc);
  const { config } = await jsm.streams.info(`KV_${bucket}`);
  if (config.allow_rollup_hdrs) {
    await jsm.streams.update(config.name, { ...config, allow_rollup_hdrs: false });
  }
}

/**
 * Announces a member and watches all members. For roles of the network: it creates the bucket, again if the broker
 * loses it.
 */
export async function joinMembership(options: AnnounceOptions & WatchOptions): Promise<Membership> {
  await ensureMembersBucket(options.nc, options.bucket);
  const announcement = await announce(options);
  const watch = await watchMembers(options);
  return {
    isAlive: announcement.isAlive,
    members: watch.members,
    async leave() {
      await watch.stop();
      await announcement.leave();
    },
  };
}

/**
 * Writes the member's key and renews it each second, by compare-and-swap. Resolves at the first success. If an earlier
 * process left a key with the same id, waits until it expires. Needs only the permission to publish that key.
 */
export async function announce(options: AnnounceOptions): Promise<Announcement> {
  const { nc, bucket, onStatus } = options;
  const js = jetstream(nc);
  const subject = `$KV.${bucket}.${requireId(options.id)}`;
  const run = randomUUID();
  let renewal = 0;
  let revision = 0;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let failing = false;

  const attempt = async (): Promise<void> => {
    // Taken before the request, because the key's time starts only when the broker has it.
    const startedAt = performance.now();
    const ack = await js.publish(subject, encodeJson(options.info?.() ?? {}), {
      expect: { lastSubjectSequence: revision },
      // With the same id, a repeated renewal whose answer got lost is recognised instead of refused.
      msgID: `${run}-${renewal}`,
      timeout: REQUEST_TIMEOUT_MS,
    });
    renewal += 1;
    revision = ack.seq;
    renewedAt = startedAt;
  };
  const renew = async (): Promise<void> => {
    try {
      await attempt().catch(async (error: unknown) => {
        if (!isWrongSequence(error) || revision === 0) throw error;
        // Our key has expired. We may write it again unless another process has it now.
        revision = 0;
        await attempt();
      });
      if (failing) onStatus?.(`announced as ${options.id} again`);
      failing = false;
    } catch (error) {
      if (!failing)
        onStatus?.(`could not announce ${options.id} (${messageOf(error)}); trying again each second`);
      failing = true;
    }
  };

  const deadline = performance.now() + 2 * MEMBER_TTL_MS;
  for (;;) {
    await renew();
    if (!failing) break;
    if (performance.now() > deadline) {
      throw new Error(
        `"${options.id}" could not announce itself in ${bucket}: the broker did not accept it, or another process uses the same id. ` +
          'Check that the network runs and that no other process uses this id.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS / 4));
  }

  const loop = every(EVERY_MS, renew);
  return {
    isAlive: () => performance.now() - renewedAt < ALIVE_FOR_MS,
    async leave() {
      await loop.stop();
      renewedAt = Number.NEGATIVE_INFINITY;
      // An empty value marks a member that has left. It expires like any key.
      await js
        .publish(subject, new Uint8Array(), {
          expect: { lastSubjectSequence: revision },
          timeout: REQUEST_TIMEOUT_MS,
        })
        .catch(() => undefined);
    },
  };
}

/** Polls the bucket each second, because keys that expire send no message. */
export async function watchMembers(options: WatchOptions): Promise<Watch> {
  const { nc, bucket, onChange, onStatus } = options;
  let members: readonly Member[] = [];
  let seen = JSON.stringify(members);
  let failing = false;

  const poll = async (): Promise<void> => {
    try {
      const found = await readMembers(nc, bucket);
      failing = false;
      const text = JSON.stringify(found);
      if (text === seen) return;
      seen = text;
      members = found;
      onChange(found);
    } catch (error) {
      if (!failing)
        onStatus?.(`could not read the members of ${bucket} (${messageOf(error)}); trying again each second`);
      failing = true;
      // The broker keeps the bucket in memory, so a restart loses it.
      await ensureMembersBucket(nc, bucket).catch(() => undefined);
    }
  };

  await poll();
  const loop = every(EVERY_MS, poll);
  return { members: () => members, stop: loop.stop };
}

/** All members of a bucket at this moment, sorted by id. */
export async function readMembers(nc: NatsConnection, bucket: string): Promise<Member[]> {
  const jsm = await jetstream(nc, { timeout: REQUEST_TIMEOUT_MS }).jetstreamManager(false);
  const prefix = `$KV.${bucket}.`;
  const stream = `KV_${bucket}`;
  const info = await jsm.streams.info(stream, { subjects_filter: `${prefix}>` });
  const found = await Promise.all(
    Object.keys(info.state.subjects ?? {}).map(async (subject): Promise<Member | null> => {
      const message = await jsm.streams.getMessage(stream, { last_by_subj: subject });
      if (message === null || message.data.length === 0) return null;
      return { id: subject.slice(prefix.length), info: infoOf(message.data) };
    }),
  );
  return found.filter((member) => member !== null).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The owner of a partition: the member with the highest hash for it. When a member joins or leaves, only its partitions
 * move.
 */
export function rendezvous(partition: number, memberIds: readonly string[]): string | null {
  let owner: string | null = null;
  let highest = -1;
  for (const id of memberIds) {
    const draw = stableHash(`${partition}:${id}`);
    if (draw > highest || (draw === highest && owner !== null && id < owner)) {
      owner = id;
      highest = draw;
    }
  }
  return owner;
}

/** A device may write anything under its key. It counts as a member; its info is used only if it is an object. */
function infoOf(bytes: Uint8Array): JsonObject {
  try {
    const value = decodeJson(bytes);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

/** Runs a task at a steady pace, never twice at once. The task must not throw. */
function every(ms: number, task: () => Promise<void>): { stop(): Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const schedule = (delay: number): void => {
    timer = setTimeout(() => {
      const startedAt = performance.now();
      running = task().finally(() => {
        if (!stopped) schedule(Math.max(0, ms - (performance.now() - startedAt)));
      });
    }, delay);
  };
  schedule(ms);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

function isWrongSequence(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamWrongLastSequence;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
