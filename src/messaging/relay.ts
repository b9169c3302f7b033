import type { JetStreamManager } from '@nats-io/jetstream';
import { JetStreamApiCodes, JetStreamApiError, jetstream } from '@nats-io/jetstream';
import type { MsgHdrs, NatsConnection } from 'nats';
import { SNAPSHOT_PREFIX } from '../events/envelope.ts';
import { type EventPlace, holdsEvent } from '../eventstore/holds-event.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { shownToStrangers } from './confidential.ts';
import { publishStored } from './stored.ts';
import { EVENTS, EVENTS_MAX_AGE_MS, ensureEventsStream } from './streams.ts';
import { eventSubject } from './subjects.ts';

export interface RelayOptions {
  readonly store: EventStore;
  /** A connection of the network's user. */
  readonly nc: NatsConnection;
  /** Ends the relay. */
  readonly signal: AbortSignal;
  /** Only streams whose name starts with one of these. Default: all but snapshots. */
  readonly prefixes?: readonly string[];
  /** Called with every problem and what the relay does about it. */
  readonly onStatus?: (message: string) => void;
}

/** Headers of a message on `dellm.evt`. */
export const EVENT_HEADER = {
  /** The event's id. */
  id: 'Nats-Msg-Id',
  stream: 'Dellm-Stream',
  revision: 'Dellm-Revision',
  position: 'Dellm-Position',
  /**
   * `data` if the event was too long for a message; the body then has `"data": null`. Otherwise the path of a field
   * that outsiders may not see, which is null in the body. The event's id and the next event's hash belong to the whole
   * event.
   */
  omitted: 'Dellm-Omitted',
} as const;

/** The progress of the stream of events: its last sequence, and the store position of that message. */
interface Checkpoint {
  readonly lastSequence: number;
  readonly after: number | undefined;
}

/**
 * The message that must be last in the stream when the next one is stored. The sequence alone is not enough. If another
 * relay published first, the first of many messages under way is refused, and a later one could match by chance. The id
 * before the very first message is left out, because a restarted broker does not know it.
 */
interface Predecessor {
  readonly lastSequence: number;
  readonly lastMsgID?: string;
}

const IN_FLIGHT = 256;
const REQUEST_TIMEOUT_MS = 2_000;
const PAUSE_MS = { first: 100, longest: 2_000 } as const;
const STREAM_WRONG_LAST_MESSAGE_ID = 10070;
/** Bytes of a message that are reserved for headers and subject. */
const HEADER_ROOM = 8 * 1024;

/**
 * Publishes every stored event on `dellm.evt`, in the store's order, until the signal ends it. No other part of the
 * network publishes there.
 *
 * The last message in the stream is its checkpoint. Each message is published on the condition that it follows the one
 * before, so two relays at once cause neither gaps nor duplicates. On any problem (another relay published, an answer
 * is missing, the broker has lost its folder) it reads the checkpoint again. It fills an empty stream with the events
 * of the last 24 hours. If the stream holds the events of another history, it empties the stream first.
 */
export async function runRelay(options: RelayOptions): Promise<void> {
  const { nc, signal, onStatus } = options;
  const js = jetstream(nc, { timeout: REQUEST_TIMEOUT_MS });
  let pause: number = PAUSE_MS.first;
  while (!signal.aborted) {
    let published = 0;
    try {
      const jsm = await js.jetstreamManager();
      const checkpoint = await readCheckpoint(jsm, options);
      await relayFrom(checkpoint, options, () => {
        published += 1;
      });
    } catch (error) {
      if (signal.aborted) return;
      pause = published > 0 ? PAUSE_MS.first : Math.min(pause * 2, PAUSE_MS.longest);
      onStatus?.(`relay: ${reasonOf(error)}; reading the checkpoint again`);
      await sleep(pause, signal);
    }
  }
}

async function relayFrom(
  checkpoint: Checkpoint,
  { store, nc, signal, prefixes }: RelayOptions,
  onPublished: () => void,
): Promise<void> {
  const stop = new AbortController();
  let inFlight = 0;
  let answered = (): void => {};
  let doubt: unknown;
  let follows: Predecessor = { lastSequence: checkpoint.lastSequence };
  const maxBytes = (nc.info?.max_payload ?? 1024 ** 2) - HEADER_ROOM;

  const publish = async (event: StoredEvent, follows: Predecessor): Promise<void> => {
    inFlight += 1;
    try {
      const ack = await publishEvent(nc, event, follows, maxBytes);
      if (ack.duplicate) throw new Error(`the broker already has event ${event.id}`);
      onPublished();
    } catch (error) {
      doubt ??= error;
      stop.abort();
    }
    inFlight -= 1;
    answered();
  };
  /** Resolves when no more than so many messages wait for their answers. */
  const atMost = async (count: number): Promise<void> => {
    while (inFlight > count) {
      await new Promise<void>((resolve) => {
        answered = resolve;
      });
    }
  };

  const subscription = store.subscribe({
    ...(checkpoint.after === undefined ? {} : { after: checkpoint.after }),
    ...(prefixes === undefined ? {} : { prefixes }),
    signal: AbortSignal.any([signal, stop.signal]),
  });
  try {
    for await (const delivery of subscription) {
      if (doubt !== undefined) break;
      if (delivery.kind !== 'event' || delivery.event.stream.startsWith(SNAPSHOT_PREFIX)) continue;
      if (inFlight === IN_FLIGHT) await atMost(IN_FLIGHT - 1);
      if (doubt !== undefined) break;
      void publish(delivery.event, follows);
      follows = { lastSequence: follows.lastSequence + 1, lastMsgID: delivery.event.id };
    }
  } finally {
    await atMost(0);
  }
  if (doubt !== undefined) throw doubt;
}

function publishEvent(nc: NatsConnection, event: StoredEvent, follows: Predecessor, maxBytes: number) {
  const { stream, revision, position, id, type } = event;
  const shown = shownToStrangers(event, Date.now());
  let { omitted } = shown;
  let body = Buffer.from(JSON.stringify(shown.event));
  if (body.length > maxBytes) {
    omitted = 'data';
    body = Buffer.from(JSON.stringify({ ...event, data: null }));
  }
  const headers = {
    [EVENT_HEADER.id]: id,
    [EVENT_HEADER.stream]: encodeURI(stream),
    [EVENT_HEADER.revision]: String(revision),
    [EVENT_HEADER.position]: String(position),
    ...(omitted !== null && { [EVENT_HEADER.omitted]: omitted }),
    'Nats-Expected-Last-Sequence': String(follows.lastSequence),
    ...(follows.lastMsgID !== undefined && { 'Nats-Expected-Last-Msg-Id': follows.lastMsgID }),
  };
  return publishStored(nc, { subject: eventSubject(stream, type), body, headers }, REQUEST_TIMEOUT_MS);
}

async function readCheckpoint(jsm: JetStreamManager, options: RelayOptions): Promise<Checkpoint> {
  const { last_seq: lastSequence, messages } = await eventsState(jsm);
  const last = messages > 0 ? await jsm.streams.getMessage(EVENTS, { last_by_subj: 'dellm.evt.>' }) : null;
  // The last message may have been deleted.
  if (last === null) {
    return { lastSequence, after: await positionBefore(Date.now() - EVENTS_MAX_AGE_MS, options) };
  }
  const place = placeOf(last.header);
  if (place === null) {
    throw new Error(
      `message ${last.seq} of ${EVENTS} does not name its event, so another program publishes there: stop that program, then purge the stream`,
    );
  }
  if (await holdsEvent(options.store, place)) {
    // More may have been published between the two answers.
    return { lastSequence: Math.max(lastSequence, last.seq), after: place.position };
  }
  options.onStatus?.(
    `${EVENTS} holds events of another history (event ${place.revision} of ${place.stream} is not in this event store); ` +
      'it will be emptied and filled with the last 24 hours of this history',
  );
  // Up to here only: another relay may have published more since.
  await jsm.streams.purge(EVENTS, { seq: last.seq + 1 });
  return readCheckpoint(jsm, options);
}

/** The place of a message's event in its history; null if no relay published the message. */
function placeOf(header: MsgHdrs): EventPlace | null {
  const number = (name: string): number => Number(header.get(name) || Number.NaN);
  const revision = number(EVENT_HEADER.revision);
  const position = number(EVENT_HEADER.position);
  const id = header.get(EVENT_HEADER.id);
  if (!Number.isSafeInteger(revision) || !Number.isSafeInteger(position) || id === '') return null;
  try {
    const stream = decodeURI(header.get(EVENT_HEADER.stream));
    return stream === '' ? null : { stream, revision, position, id };
  } catch {
    return null;
  }
}

async function eventsState(jsm: JetStreamManager) {
  try {
    return (await jsm.streams.info(EVENTS)).state;
  } catch (error) {
    if (!hasCode(error, JetStreamApiCodes.StreamNotFound)) throw error;
    await ensureEventsStream(jsm);
    return (await jsm.streams.info(EVENTS)).state;
  }
}

/** The position of the last event that was stored before a time (milliseconds since 1970). */
async function positionBefore(
  time: number,
  { store, prefixes, signal }: RelayOptions,
): Promise<number | undefined> {
  const newestFirst = store.readAll({
    direction: 'backwards',
    ...(prefixes === undefined ? {} : { prefixes }),
  });
  for await (const event of newestFirst) {
    signal.throwIfAborted();
    if (Date.parse(event.created) < time) return event.position;
  }
  return undefined;
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

function reasonOf(error: unknown): string {
  if (
    hasCode(error, JetStreamApiCodes.StreamWrongLastSequence) ||
    hasCode(error, STREAM_WRONG_LAST_MESSAGE_ID)
  ) {
    return 'another relay published first';
  }
  return `the broker or the event store failed (${error instanceof Error ? error.message : String(error)})`;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
