import type {
  ConsumerConfig,
  ConsumerInfo,
  JetStreamClient,
  JetStreamManager,
  StreamConfig,
} from '@nats-io/jetstream';
import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { nanos } from 'nats';
import { StreamConfigError } from './errors.ts';
import { PARTITIONS, partitionFilter, requireId, workSubject } from './subjects.ts';

type StreamSpec = Pick<StreamConfig, 'name' | 'subjects' | 'retention' | 'storage'> & Partial<StreamConfig>;
type ConsumerSpec = Partial<ConsumerConfig> & { readonly durable_name: string };

export const COMMANDS = 'DELLM_CMD';
export const WORK = 'DELLM_WORK';
export const EVENTS = 'DELLM_EVT';
export const DEAD = 'DELLM_DEAD';

const DAY_MS = 24 * 60 * 60 * 1000;
/** How long `dellm.evt` keeps events. */
export const EVENTS_MAX_AGE_MS = DAY_MS;

/**
 * Size of a queue. A full queue refuses messages, and their publisher tries again. The alternative would be a full
 * disk.
 */
const QUEUE_BYTES = 1024 ** 3;
const WORK_MAX_AGE_MS = 15 * 60 * 1000;

const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;
/** The broker accepts more requests at once, but just after its start it answers 64 no faster than 16. */
const REQUESTS_AT_ONCE = 16;

const STREAMS: readonly StreamSpec[] = [
  {
    name: COMMANDS,
    description: 'Commands to actors, by partition',
    subjects: ['dellm.cmd.>'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: QUEUE_BYTES,
    duplicate_window: nanos(100),
  },
  {
    name: WORK,
    description: 'Inference work, by device',
    subjects: ['dellm.work.*'],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: QUEUE_BYTES,
    // No query waits longer than this.
    max_age: nanos(WORK_MAX_AGE_MS),
    duplicate_window: nanos(100),
  },
  {
    name: EVENTS,
    description: 'What happened within the last 24 hours; the truth is in the event store',
    subjects: ['dellm.evt.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(EVENTS_MAX_AGE_MS),
    max_bytes: 1024 ** 3,
    // The relay itself prevents duplicates. A long window would prevent filling a purged stream again.
    duplicate_window: nanos(100),
  },
  {
    name: DEAD,
    description: 'Messages that nobody could process',
    subjects: ['dellm.dead.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(7 * DAY_MS),
    max_bytes: 256 * 1024 ** 2,
  },
];

/** The durable consumer of one partition. */
export function partitionConsumer(partition: number): string {
  return `cmd-${partition}`;
}

/** The durable consumer of one device. */
export function deviceConsumer(device: string): string {
  return `work-${requireId(device)}`;
}

/**
 * Creates the four streams and the 64 partition consumers. If the broker has them with another configuration, updates
 * them and keeps their messages. Any number of processes may do this at once.
 */
export async function ensureStreams(js: JetStreamClient): Promise<void> {
  const jsm = await js.jetstreamManager();
  for (const spec of STREAMS) await ensureStream(jsm, spec);
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  await ensureConsumers(
    jsm,
    COMMANDS,
    partitions.map((partition) => ({
      durable_name: partitionConsumer(partition),
      filter_subject: partitionFilter(partition),
      max_ack_pending: 256,
      ...CONSUMER_DEFAULTS,
    })),
  );
}

/** Creates only the stream of events. The relay needs this if the broker has lost its folder. */
export async function ensureEventsStream(jsm: JetStreamManager): Promise<void> {
  for (const spec of STREAMS) if (spec.name === EVENTS) await ensureStream(jsm, spec);
}

/** Creates the consumer from which a device pulls its work. The device's own user has no permission to do so. */
export async function ensureDeviceConsumer(js: JetStreamClient, device: string): Promise<void> {
  const jsm = await js.jetstreamManager();
  await ensureConsumers(jsm, WORK, [
    {
      durable_name: deviceConsumer(device),
      filter_subject: workSubject(device),
      max_ack_pending: 256,
      ...CONSUMER_DEFAULTS,
    },
  ]);
}

const CONSUMER_DEFAULTS = {
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  // If a receiver needs longer, it calls `working()`. If it died, another one gets its messages after this time.
  ack_wait: nanos(5_000),
  max_deliver: -1,
} as const;

async function ensureStream(jsm: JetStreamManager, spec: StreamSpec): Promise<void> {
  const existing = await infoOrNull(jsm, spec.name);
  try {
    if (existing === null) await jsm.streams.add(spec);
    else if (differs(existing, spec)) await jsm.streams.update(spec.name, spec);
  } catch (error) {
    if (existing === null && hasCode(error, STREAM_NAME_IN_USE)) {
      // Another process created it in between, from another version of this list.
      await jsm.streams.update(spec.name, spec);
      return;
    }
    throw cannotMake(`stream ${spec.name}`, error);
  }
}

async function ensureConsumers(
  jsm: JetStreamManager,
  stream: string,
  specs: readonly ConsumerSpec[],
): Promise<void> {
  const existing = new Map<string, ConsumerInfo>();
  for await (const info of jsm.consumers.list(stream)) existing.set(info.name, info);
  const waiting = specs.filter((spec) => {
    const info = existing.get(spec.durable_name);
    return info === undefined || differs(info.config, spec);
  });
  const workers = Array.from({ length: REQUESTS_AT_ONCE }, async () => {
    for (let spec = waiting.pop(); spec !== undefined; spec = waiting.pop()) {
      await ensureConsumer(jsm, stream, spec, existing.get(spec.durable_name)?.config);
    }
  });
  await Promise.all(workers);
}

async function ensureConsumer(
  jsm: JetStreamManager,
  stream: string,
  spec: ConsumerSpec,
  existing: ConsumerConfig | undefined,
): Promise<void> {
  try {
    if (existing !== undefined) {
      await jsm.consumers.update(stream, spec.durable_name, spec);
      return;
    }
    await jsm.consumers.add(stream, spec as ConsumerConfig);
  } catch (error) {
    // Another process may have created it in between. Its consumer is the same unless the configuration differs.
    const info = await jsm.consumers.info(stream, spec.durable_name).catch(() => null);
    if (info !== null && !differs(info.config, spec)) return;
    throw cannotMake(`consumer ${spec.durable_name} of ${stream}`, error);
  }
}

async function infoOrNull(jsm: JetStreamManager, name: string): Promise<StreamConfig | null> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (error) {
    if (hasCode(error, STREAM_NOT_FOUND)) return null;
    throw error;
  }
}

/** Compares only the fields that are written here, because newer servers add their own. */
function differs(actual: object, wanted: object): boolean {
  const found = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(found.get(key)) !== JSON.stringify(value),
  );
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

function cannotMake(what: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StreamConfigError(
    `The broker refused the ${what}: ${reason}. Nothing was deleted. ` +
      'If the broker holds data of another project, use another broker. If an older version of DELLM created this, drain and delete it, then start again.',
    { cause },
  );
}
