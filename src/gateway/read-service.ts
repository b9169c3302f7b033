import type { NatsConnection } from 'nats';
import { matchesPrefixes } from '../eventstore/arguments.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { shownToStrangers } from '../messaging/confidential.ts';
import { EndpointError } from '../messaging/endpoint-error.ts';
import { readMembers } from '../messaging/membership.ts';
import { AGENTS_BUCKET, FLEETS_BUCKET } from '../messaging/permissions.ts';
import { type Endpoint, endpoint, type RequestContext } from '../messaging/service.ts';
import { balanceOf } from '../projections/credits.ts';
import { deadlines } from '../projections/deadlines.ts';
import { evolutionState } from '../projections/evolution.ts';
import { READS } from '../projections/index.ts';
import { network } from '../projections/network.ts';
import { NotFoundError, type Read } from '../projections/read.ts';
import type { ReadModel } from '../projections/read-model.ts';
import { CATEGORY_PREFIXES } from '../projections/runner.ts';
import { historyEndpoints } from './history-service.ts';
import { READ_ENDPOINTS } from './read-endpoints.ts';
import * as schemas from './schemas.ts';

export interface ReadOptions {
  readonly nc: NatsConnection;
  readonly model: ReadModel;
  readonly store: EventStore;
  readonly version: string;
  /** Folder for projection snapshots. Default: none, and each fold begins with the first event. */
  readonly replayCache?: string;
  /** Ends waiting requests. */
  readonly signal: AbortSignal;
}

/** How long a request waits for a position that the read model has not reached. In milliseconds. */
const MIN_POSITION_PATIENCE_MS = 5_000;

/** Most bytes of events in one page of history, so that it fits in a message. */
const HISTORY_PAGE_BYTES = 700_000;

const NO_HISTORY: schemas.HistoryOutput = { events: [], next: null };

/** The endpoints that read. All of them read projections or the history, never live actors. */
export function readEndpoints(options: ReadOptions): readonly Endpoint[] {
  const { model, store, replayCache } = options;
  return [
    ...READS.map((read) => rowsEndpoint(read, model)),
    statusEndpoint(options),
    viewEndpoint(options),
    historyEndpoint(store),
    ...historyEndpoints({ model, store, ...(replayCache !== undefined && { replayCache }) }),
  ];
}

/** The endpoint of a projection's read. */
function rowsEndpoint(
  { name, subject, description, input, output, answer }: Read,
  model: ReadModel,
): Endpoint {
  return endpoint({
    name,
    subject,
    description,
    input,
    output,
    async handle(request, context) {
      await untilKnown(request as { readonly minPosition?: number }, model, context);
      try {
        return answer(request, model);
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
        throw new EndpointError('not-found', error.message, { cause: error, hint: error.hint });
      }
    },
  });
}

function statusEndpoint({ nc, model, version }: ReadOptions): Endpoint {
  return endpoint({
    ...READ_ENDPOINTS.status,
    async handle(request, context) {
      await untilKnown(request, model, context);
      const fleets = await readMembers(nc, FLEETS_BUCKET);
      const devices = await readMembers(nc, AGENTS_BUCKET);
      const { accounts, treasury, escrow } = balanceOf(model);
      return {
        version,
        position: model.position,
        nodes: model.count(network, { prefix: 'node/', present: true }),
        clusters: model.count(network, { prefix: 'cluster/', present: true }),
        mode: evolutionState(model).mode,
        openQueries: model.count(deadlines, { prefix: 'query/' }),
        fleets: fleets.map(({ id }) => id),
        devices: devices.map(({ id }) => id),
        simulated: devices.filter(({ info }) => info.engine === 'simulated').map(({ id }) => id),
        trialBalance: accounts + treasury + escrow,
      };
    },
  });
}

/**
 * The rows that fleets follow. A fleet that has all changes gets its answer when there is another one, so that
 * an idle network costs little.
 */
function viewEndpoint({ model, signal }: ReadOptions): Endpoint {
  return endpoint({
    name: 'network-view',
    subject: 'dellm.view.network',
    description: 'For fleets: the rows that routing and voting read, if they have changed',
    input: schemas.ViewInput,
    output: schemas.ViewOutput,
    async handle({ since, limit, waitMs }, context) {
      if (waitMs > 0 && model.position <= since) {
        const until = AbortSignal.any([signal, context.signal, AbortSignal.timeout(waitMs)]);
        await model.reached(since + 1, until).catch(() => {});
      }
      const rows = model.changed(since, limit);
      const more = rows.length >= limit;
      return { position: more ? (rows.at(-1)?.position ?? since) : model.position, rows: [...rows], more };
    },
  });
}

function historyEndpoint(store: EventStore): Endpoint {
  return endpoint({
    ...READ_ENDPOINTS.history,
    handle: async ({ stream, after, direction, limit }) => {
      // Actor snapshots contain what their events do not show yet, such as the answers of gold tasks.
      if (stream !== undefined && !matchesPrefixes(stream, CATEGORY_PREFIXES)) return NO_HISTORY;
      const events =
        stream === undefined
          ? store.readAll({
              direction,
              limit: limit + 1,
              prefixes: CATEGORY_PREFIXES,
              ...(after !== undefined && { after }),
            })
          : store.readStream(stream, {
              direction,
              limit: limit + 1,
              ...(after !== undefined && { from: direction === 'forwards' ? after + 1 : after - 1 }),
            });
      return historyPage(events, limit, stream !== undefined);
    },
  });
}

async function untilKnown(
  { minPosition }: { readonly minPosition?: number | undefined },
  model: ReadModel,
  { signal }: RequestContext,
): Promise<void> {
  if (minPosition === undefined || model.position >= minPosition) return;
  const patience = AbortSignal.timeout(MIN_POSITION_PATIENCE_MS);
  try {
    await model.reached(minPosition, AbortSignal.any([signal, patience]));
  } catch (cause) {
    const message = `The read model is at position ${model.position} and did not reach ${minPosition} in time.`;
    throw new EndpointError('timeout', message, { cause, hint: 'Ask again, or without minPosition.' });
  }
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

async function historyPage(
  source: AsyncIterable<StoredEvent>,
  limit: number,
  byRevision: boolean,
): Promise<schemas.HistoryOutput> {
  const events: StoredEvent[] = [];
  let bytes = 0;
  let more = false;
  for await (const event of source) {
    bytes += bytesOf(event);
    if (events.length > 0 && (events.length === limit || bytes > HISTORY_PAGE_BYTES)) {
      more = true;
      break;
    }
    events.push(event);
  }
  const last = events.at(-1);
  const next = more && last ? (byRevision ? last.revision : last.position) : null;
  return {
    events: events.map((stored) => {
      const { event, omitted } = shownToStrangers(stored, Date.now());
      const { data, metadata } = event;
      return { ...event, data: { ...data }, metadata: { ...metadata }, ...(omitted !== null && { omitted }) };
    }),
    next,
  };
}
