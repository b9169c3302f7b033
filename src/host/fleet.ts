import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import type { ActorDefinition } from '../actors/actor.ts';
import type { EventStore } from '../eventstore/port.ts';
import { joinMembership, type Member, rendezvous } from '../messaging/membership.ts';
import { FLEETS_BUCKET } from '../messaging/permissions.ts';
import { PARTITIONS, partitionOf } from '../messaging/subjects.ts';
import { Host } from './host.ts';
import { type OnLog, reasonOf } from './log.ts';
import type { ReadsProvider } from './mailbox.ts';
import { NatsTransport, type PartitionConsumer } from './nats-transport.ts';
import { type OpenDeadline, Timers } from './timers.ts';

export interface FleetOptions {
  /**
   * Unique among the running fleets: 1 to 64 of `A-Z a-z 0-9 _ -`. Use a new id at each start; a successor with
   * the same id waits until its predecessor's key expires.
   */
  readonly id: string;
  readonly definitions: readonly ActorDefinition[];
  readonly store: EventStore;
  /** A connection with all rights. The streams exist (`ensureStreams`). It is not closed here. */
  readonly nats: NatsConnection;
  readonly reads: ReadsProvider;
  /** All open deadlines, as the projections know them. */
  readonly openDeadlines: () => Promise<readonly OpenDeadline[]>;
  readonly onLog: OnLog;
  /** Stops the fleet in order. */
  readonly signal: AbortSignal;
}

export interface Fleet {
  readonly id: string;
  /** The partitions that it serves now, ascending. */
  partitions(): readonly number[];
  /** How many actors are in memory. */
  actors(): number;
  /** Resolves after the signal, when everything in hand is finished. */
  readonly stopped: Promise<void>;
}

/** How often the fleet checks whether it may still serve, in milliseconds. */
const WATCH_MS = 200;
/** In milliseconds. The broker redelivers a message after 5 s without a sign of progress. */
const WORKING_MS = 2_000;
/** In milliseconds. Work that is not finished within this time after a stop is delivered again to another fleet. */
const DRAIN_MS = 10_000;

/**
 * Runs actors as one of several fleets. The fleet announces itself, serves its share of the partitions, takes
 * over partitions of a fleet that disappears, and serves none while it cannot renew its own announcement.
 * Resolves when it serves.
 */
export async function runFleet(options: FleetOptions): Promise<Fleet> {
  const { id, definitions, store, nats, reads, onLog, signal } = options;
  const transport = new NatsTransport(nats, onLog);
  const consumers = new Map<number, PartitionConsumer>();
  const timers = new Timers({
    transport,
    onLog,
    openDeadlines: options.openDeadlines,
    isMet: (to, command) => host.wouldIgnore(to, command),
    owns: (actor) => consumers.has(partitionOf(actor)),
  });
  const startTimer = timers.add.bind(timers);
  const host = new Host({
    definitions,
    store,
    transport,
    reads,
    startTimer,
    onLog,
  });
  /** The partitions of the latest change. `consumers` follows. */
  let wanted = '';
  let changing: Promise<void> = Promise.resolve();

  async function serve(partitions: readonly number[]): Promise<void> {
    const lost = [...consumers].filter(([partition]) => !partitions.includes(partition));
    for (const [partition] of lost) consumers.delete(partition);
    await Promise.all(lost.map(([, consumer]) => consumer.stop()));
    const gone = new Set(lost.map(([partition]) => partition));
    // Messages in hand may finish after the partition is lost: the expected revision keeps that correct.
    if (gone.size > 0) host.release((actor) => gone.has(partitionOf(actor))).catch(() => {});
    const gained = partitions.filter((partition) => !consumers.has(partition));
    for (const partition of gained) {
      consumers.set(
        partition,
        transport.consume(partition, (delivery) => host.receive(delivery)),
      );
    }
    onLog('info', `fleet ${id} serves ${consumers.size} of ${PARTITIONS} partitions`);
    // Not awaited, so that a slow store cannot delay the next change.
    if (gained.length > 0) void timers.sweep();
  }

  /** Changes run one after another. The same partitions again are no change. */
  function change(partitions: readonly number[]): Promise<void> {
    if (partitions.join() === wanted) return changing;
    wanted = partitions.join();
    changing = changing
      .then(() => serve(partitions))
      .catch((error: unknown) =>
        onLog('error', `fleet ${id} could not change its partitions: ${reasonOf(error)}`),
      );
    return changing;
  }

  const membership = await joinMembership({
    nc: nats,
    bucket: FLEETS_BUCKET,
    id,
    onChange: () => {},
    onStatus: (message) => onLog('warn', message),
  });
  const share = () => (membership.isAlive() ? shareOf(id, membership.members()) : []);
  await change(share());
  const watch = setInterval(() => void change(share()), WATCH_MS);
  const working = setInterval(() => host.working(), WORKING_MS);

  async function stop(): Promise<void> {
    clearInterval(watch);
    await change([]);
    timers.stop();
    await Promise.race([host.settled(), sleep(DRAIN_MS, undefined, { ref: false })]);
    clearInterval(working);
    await membership.leave();
    await nats.flush().catch(() => {});
    onLog('info', `fleet ${id} has stopped`);
  }
  const stopped = aborted(signal).then(stop);

  return {
    id,
    partitions: () => [...consumers.keys()].sort((a, b) => a - b),
    actors: () => host.size,
    stopped,
  };
}

/** The partitions of a fleet among all running fleets. */
function shareOf(id: string, members: readonly Member[]): number[] {
  const ids = members.map((member) => member.id);
  const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  return all.filter((partition) => rendezvous(partition, ids) === id);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
