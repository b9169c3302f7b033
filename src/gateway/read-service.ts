import type { NatsConnection } from 'nats';
import { UNITS_PER_CREDIT } from '../actors/account/credits.ts';
import { correctnessOf, rowScore } from '../actors/super-cluster/matrix.ts';
import { NEW_TRUST, needsReplication, trustOf } from '../actors/verifier/trust.ts';
import { matchesPrefixes } from '../eventstore/arguments.ts';
import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import { shownToStrangers } from '../messaging/confidential.ts';
import { EndpointError } from '../messaging/endpoint-error.ts';
import { readMembers } from '../messaging/membership.ts';
import { AGENTS_BUCKET, FLEETS_BUCKET } from '../messaging/permissions.ts';
import { type Endpoint, endpoint, type RequestContext } from '../messaging/service.ts';
import { credits } from '../projections/credits.ts';
import { deadlines } from '../projections/deadlines.ts';
import { network, uptimeOf } from '../projections/network.ts';
import { VIEW_PROJECTIONS } from '../projections/network-view.ts';
import { performanceMatrix } from '../projections/performance-matrix.ts';
import { queryTrace, type TraceRow } from '../projections/query-trace.ts';
import type { ReadModel } from '../projections/read-model.ts';
import { CATEGORY_PREFIXES } from '../projections/runner.ts';
import { trust } from '../projections/trust.ts';
import { type Ending, endingBody } from '../sagas/query/ending.ts';
import { evolutionOf, evolutionState } from './evolution-overview.ts';
import { historyEndpoints } from './history-service.ts';
import { PAGE_LIMIT } from './limits.ts';
import { READ_ENDPOINTS } from './read-endpoints.ts';
import * as schemas from './schemas.ts';

export interface ReadOptions {
  readonly nc: NatsConnection;
  readonly model: ReadModel;
  readonly store: EventStore;
  readonly version: string;
  /** Where folds of history are kept. Default: nowhere, and each begins with the first event. */
  readonly replayCache?: string;
}

/** How long a reader waits for a position that the read model has not reached. */
const MIN_POSITION_PATIENCE_MS = 5_000;

/** Bytes of events in one page of history, so that it fits in a message. */
const HISTORY_PAGE_BYTES = 700_000;

/** Bytes of a query with its steps: later steps are left out, so that it fits in a message. */
const QUERY_BYTES = 600_000;

const NO_HISTORY: schemas.HistoryOutput = { events: [], next: null };

/** The endpoints that read: all of them from projections or the history, never from live actors. */
export function readEndpoints({ nc, model, store, version, replayCache }: ReadOptions): readonly Endpoint[] {
  const fresh = async (minPosition: number | undefined, { signal }: RequestContext): Promise<void> => {
    if (minPosition === undefined) return;
    try {
      await model.reached(
        minPosition,
        AbortSignal.any([signal, AbortSignal.timeout(MIN_POSITION_PATIENCE_MS)]),
      );
    } catch (cause) {
      const message = `The read model is at position ${model.position} and did not reach ${minPosition} in time.`;
      throw new EndpointError('timeout', message, { cause, hint: 'Ask again, or without minPosition.' });
    }
  };
  return [
    endpoint({
      ...READ_ENDPOINTS.query,
      async handle({ queryId, steps: wanted, minPosition }, context) {
        await fresh(minPosition, context);
        const row = model.row(queryTrace, queryId);
        if (!row) {
          throw new EndpointError('not-found', `There is no query "${queryId}".`, {
            hint: 'Ask it with dellm.ask, or see whether the id is right.',
          });
        }
        const { ending, steps, omitted, account, question, askedAt, status } = row;
        const result = ending === null ? null : schemas.AskOutput.parse(endingBody(endingOf(row), queryId));
        const query = { queryId, account, question, askedAt, status, result };
        const shown = wanted ? firstWithin(QUERY_BYTES - bytesOf(query), steps) : [];
        return {
          position: model.position,
          query: {
            ...query,
            steps: shown.map((step) => ({ ...step, data: { ...step.data } })),
            omitted: omitted + steps.length - shown.length,
          },
        };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.matrix,
      async handle({ after, limit, resource, minPosition }, context) {
        await fresh(minPosition, context);
        const prefix = resource === undefined ? '' : `${resource}/`;
        const rows = model.rows(performanceMatrix, { prefix, limit: limit + 1, ...(after && { after }) });
        const cells = rows.slice(0, limit).map(([key, cell]) => ({
          key,
          resource: cell.resource,
          taskType: cell.taskType,
          score: rowScore(cell),
          correctness: correctnessOf(cell),
          latencyMs: cell.latencyMs,
          answers: cell.n,
        }));
        return { position: model.position, cells, next: nextOf(rows, limit) };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.trust,
      async handle({ after, limit, minPosition }, context) {
        await fresh(minPosition, context);
        const all = model.rows(network, { limit: limit + 1, ...(after && { after }) });
        const rows = all.slice(0, limit).map(([key, resource]) => {
          const record = model.row(trust, key) ?? NEW_TRUST;
          const uptime = resource.kind === 'node' ? uptimeOf(resource) : 1;
          return {
            key,
            trust: trustOf(record, uptime),
            judged: record.total,
            correct: record.valid,
            streak: record.streak,
            uptime,
            proven: !needsReplication(record, 1),
          };
        });
        return { position: model.position, rows, next: nextOf(all, limit) };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.credits,
      async handle({ account, after, limit, minPosition }, context) {
        await fresh(minPosition, context);
        const one = account === undefined ? undefined : model.row(credits, `account/${account}`);
        if (account !== undefined && !one) {
          throw new EndpointError('not-found', `There is no account "${account}".`, {
            hint: 'Open it with dellm.accounts.open; it starts with 100 credits.',
          });
        }
        const rows = one
          ? [[`account/${account}`, one] as const]
          : model.rows(credits, { prefix: 'account/', limit: limit + 1, ...(after && { after }) });
        const accounts = rows.slice(0, limit).flatMap(([, row]) => {
          if (row.kind !== 'account') return [];
          const { available, reserved, earned, spent, penalised } = row;
          return [
            {
              account: row.account,
              available: inCredits(available),
              reserved: inCredits(reserved),
              earned: inCredits(earned),
              spent: inCredits(spent),
              penalised: inCredits(penalised),
            },
          ];
        });
        return { position: model.position, accounts, balance: balanceOf(model), next: nextOf(rows, limit) };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.nodes,
      async handle({ after, limit, cluster, all: withRetired, minPosition }, context) {
        await fresh(minPosition, context);
        const all = model
          .rows(network, { prefix: 'node/', limit: Number.MAX_SAFE_INTEGER, ...(after && { after }) })
          .filter(
            ([, row]) =>
              row.kind === 'node' &&
              (cluster === undefined || row.cluster === cluster) &&
              (withRetired || row.status !== 'retired'),
          );
        const nodes = all.slice(0, limit).flatMap(([key, row]) => {
          if (row.kind !== 'node') return [];
          const { id, species, device, generation, status, inFlight, answered, missed, genome } = row;
          return [
            {
              id,
              species,
              cluster: row.cluster,
              device,
              specialization: genome.specialization,
              models: [genome.modelA, genome.modelB] as [string, string],
              generation,
              status,
              parents: [...row.parents],
              inFlight,
              answered,
              missed,
              trust: trustOf(model.row(trust, key) ?? NEW_TRUST, uptimeOf(row)),
            },
          ];
        });
        return { position: model.position, nodes, next: nextOf(all, limit) };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.evolution,
      async handle({ after, limit, minPosition }, context) {
        await fresh(minPosition, context);
        const all = model
          .rows(network, { prefix: 'cluster/', limit: Number.MAX_SAFE_INTEGER, ...(after && { after }) })
          .flatMap(([key, row]) =>
            row.kind === 'cluster' && row.status === 'formed' ? [[key, row] as const] : [],
          );
        const shown = all.slice(0, limit).map(([, row]) => row);
        return { position: model.position, ...evolutionOf(model, shown), next: nextOf(all, limit) };
      },
    }),
    endpoint({
      ...READ_ENDPOINTS.history,
      handle: async ({ stream, after, direction, limit }) => {
        // Cached states hold what their events do not show yet, such as the answers of gold tasks.
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
    }),
    ...historyEndpoints({ model, store, ...(replayCache !== undefined && { replayCache }) }),
    endpoint({
      ...READ_ENDPOINTS.status,
      async handle({ minPosition }, context) {
        await fresh(minPosition, context);
        const fleets = await readMembers(nc, FLEETS_BUCKET);
        const devices = await readMembers(nc, AGENTS_BUCKET);
        const { accounts, treasury, escrow } = balanceOf(model);
        return {
          version,
          position: model.position,
          ...sizeOf(model),
          mode: evolutionState(model).mode,
          openQueries: model.count(deadlines, 'query/'),
          fleets: fleets.map(({ id }) => id),
          devices: devices.map(({ id }) => id),
          simulated: devices.filter(({ info }) => info.engine === 'simulated').map(({ id }) => id),
          trialBalance: accounts + treasury + escrow,
        };
      },
    }),
    endpoint({
      name: 'network-view',
      subject: 'dellm.view.network',
      description: 'For fleets: the rows that routing and voting look at, as far as they have changed',
      input: schemas.ViewInput,
      output: schemas.ViewOutput,
      handle: async ({ since, limit }) => {
        const rows = model.changed(VIEW_PROJECTIONS, since, limit);
        const more = rows.length >= limit;
        return { position: more ? (rows.at(-1)?.position ?? since) : model.position, rows: [...rows], more };
      },
    }),
    endpoint({
      name: 'deadlines',
      subject: 'dellm.view.deadlines',
      description: 'For fleets: what the actors are waiting for, and until when',
      input: schemas.DeadlinesInput,
      output: schemas.DeadlinesOutput,
      handle: async ({ after }) => {
        const rows = model.rows(deadlines, { after, limit: PAGE_LIMIT.most + 1 });
        const due = rows.slice(0, PAGE_LIMIT.most).flatMap(([, { kind, id, waiting }]) =>
          Object.values(waiting).map(({ dueAt, command }) => ({
            kind,
            id,
            dueAt,
            command: { type: command.type, data: { ...command.data } },
          })),
        );
        return { deadlines: due, next: nextOf(rows, PAGE_LIMIT.most) };
      },
    }),
  ];
}

/** Who is there: Nodes that are not retired, Clusters that were not dissolved. */
function sizeOf(model: ReadModel): { nodes: number; clusters: number } {
  const rows = model.rows(network, { limit: Number.MAX_SAFE_INTEGER }).map(([, row]) => row);
  return {
    nodes: rows.filter((row) => row.kind === 'node' && row.status !== 'retired').length,
    clusters: rows.filter((row) => row.kind === 'cluster' && row.status !== 'dissolved').length,
  };
}

/** The first items, as many as have so many bytes together. */
function firstWithin<T>(maxBytes: number, items: readonly T[]): readonly T[] {
  let bytes = 0;
  const end = items.findIndex((item) => {
    bytes += bytesOf(item);
    return bytes > maxBytes;
  });
  return end < 0 ? items : items.slice(0, end);
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function nextOf(rows: readonly (readonly [string, unknown])[], limit: number): string | null {
  return rows.length > limit ? (rows[limit - 1]?.[0] ?? null) : null;
}

function balanceOf(model: ReadModel): { accounts: number; treasury: number; escrow: number } {
  const row = model.row(credits, 'totals');
  const { accounts, treasury, escrow } =
    row?.kind === 'totals' ? row : { accounts: 0, treasury: 0, escrow: 0 };
  return { accounts: inCredits(accounts), treasury: inCredits(treasury), escrow: inCredits(escrow) };
}

function inCredits(units: number): number {
  return units / UNITS_PER_CREDIT;
}

function endingOf(row: TraceRow): Ending {
  const type = { answered: 'QueryAnswered', unknown: 'QueryDeclined', expired: 'QueryExpired' }[
    row.status as 'answered' | 'unknown' | 'expired'
  ];
  return { type, data: row.ending } as Ending;
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
