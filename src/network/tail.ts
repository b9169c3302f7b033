import type { NatsConnection } from 'nats';
import { decodeJson } from '../events/envelope.ts';
import { HistoryEvent, HistoryOutput } from '../gateway/schemas.ts';
import { eventSubject } from '../messaging/subjects.ts';
import { request } from './client.ts';

/** An event. Data that is too long for a message is null; then only the store has it. */
export type TailedEvent = Omit<HistoryEvent, 'data'> & { readonly data: HistoryEvent['data'] | null };

export interface TailOptions {
  /** Only this stream. Default: all. */
  readonly stream?: string;
  /** Number of past events to begin with. */
  readonly limit: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const PAGE_EVENTS = 200;

const Relayed = HistoryEvent.extend({ data: HistoryEvent.shape.data.nullable() });

/**
 * The last events of the history, then new ones as the relay publishes them, in the order of the store. It
 * subscribes before it reads the past, so that nothing is missed. An event that arrives both ways is yielded
 * once.
 */
export async function* tailHistory(nc: NatsConnection, options: TailOptions): AsyncGenerator<TailedEvent> {
  const { stream, limit, signal } = options;
  const subject = stream === undefined ? 'dellm.evt.>' : eventSubject(stream, '_').replace(/_$/, '*');
  const events = nc.subscribe(subject);
  const stop = (): void => events.unsubscribe();
  signal.addEventListener('abort', stop, { once: true });
  try {
    if (signal.aborted) return;
    await nc.flush();
    let givenTo = -1;
    for (const event of await lastEvents(nc, stream, limit)) {
      yield event;
      givenTo = event.position;
    }
    for await (const message of events) {
      const event = Relayed.parse(decodeJson(message.data));
      if (event.position > givenTo) yield event;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** The last events of the history or of one stream, oldest first. */
async function lastEvents(
  nc: NatsConnection,
  stream: string | undefined,
  limit: number,
): Promise<readonly HistoryEvent[]> {
  const found: HistoryEvent[] = [];
  for (let after: number | null = null; found.length < limit; ) {
    const page: HistoryOutput = await request(
      nc,
      'dellm.history',
      {
        direction: 'backwards',
        limit: Math.min(PAGE_EVENTS, limit - found.length),
        ...(stream !== undefined && { stream }),
        ...(after !== null && { after }),
      },
      HistoryOutput,
    );
    found.push(...page.events);
    if (page.next === null) break;
    after = page.next;
  }
  return found.reverse();
}
