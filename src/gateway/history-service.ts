import type { EventStore } from '../eventstore/port.ts';
import { EndpointError } from '../messaging/endpoint-error.ts';
import { type Endpoint, endpoint, type RequestContext } from '../messaging/service.ts';
import { PROJECTIONS } from '../projections/index.ts';
import type { ReadModel } from '../projections/read-model.ts';
import { diffRows, type RowsDiff } from '../replay/diff.ts';
import { foldTo } from '../replay/fold.ts';
import { lifeOf } from '../replay/life.ts';
import { liveRowsOf } from '../replay/live-rows.ts';
import { type Moment, parseMoment } from '../replay/moment.ts';
import { projectionsOf, shownRows, tablesOf } from '../replay/shows.ts';
import { type SnapshotCache, snapshotCache } from '../replay/snapshots.ts';
import { storeSource } from '../replay/source.ts';
import { verifyHistory } from '../replay/verify.ts';
import { READ_ENDPOINTS } from './read-endpoints.ts';
import type { HistoryDiffOutput } from './schemas.ts';

export interface HistoryOptions {
  readonly store: EventStore;
  readonly model: ReadModel;
  /** Folder for projection snapshots. Default: none, and each fold begins with the first event. */
  readonly replayCache?: string;
  /** Longest time for one request, in milliseconds. Default 20,000. Longer folds are for the command line. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 20_000;

/** Most bytes of rows in one answer, so that it fits in a message. */
const PAGE_BYTES = 700_000;

const SHOWN_FAULTS = 50;
const SHOWN_OFFSPRING = 500;

/** Errors that the asker can correct, with the error code for them. */
const REFUSED: Readonly<Record<string, 'bad-request' | 'not-found' | 'refused'>> = {
  MomentError: 'bad-request',
  UnknownNodeError: 'not-found',
  FoldError: 'refused',
  UnknownSchemaVersionError: 'refused',
};

/**
 * The endpoints that fold the history. They only read. One request is handled at a time, so that a large one
 * delays only requests of the same kind, and each ends after its time limit.
 */
export function historyEndpoints({
  store,
  model,
  replayCache,
  patienceMs = PATIENCE_MS,
}: HistoryOptions): readonly Endpoint[] {
  const source = storeSource(store, 'the history');
  const cache: SnapshotCache | null = replayCache === undefined ? null : snapshotCache(replayCache);
  let working = false;

  async function alone<T>(context: RequestContext, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (working) {
      throw new EndpointError('busy', 'Another request folds the history. Nothing was done.', {
        hint: 'Ask again in a moment.',
      });
    }
    working = true;
    const patience = AbortSignal.timeout(patienceMs);
    try {
      return await work(AbortSignal.any([context.signal, patience]));
    } catch (error) {
      if (patience.aborted) {
        throw new EndpointError('timeout', `Folding the history took longer than ${patienceMs} ms.`, {
          cause: error,
          hint: 'Use "dellm history" on the network’s machine, which has no time limit.',
        });
      }
      const code = error instanceof Error ? REFUSED[error.name] : undefined;
      if (code && error instanceof Error) throw new EndpointError(code, error.message, { cause: error });
      throw error;
    } finally {
      working = false;
    }
  }

  const rowsAt = async (moment: Moment, show: string, signal: AbortSignal) => {
    const tables = tablesOf(show);
    const { model, ...folded } = await foldTo({
      source,
      moment,
      projections: projectionsOf(tables),
      cache,
      signal,
    });
    return { ...folded, rows: tables.flatMap((table) => shownRows(model, table)) };
  };

  return [
    endpoint({
      ...READ_ENDPOINTS.historyAt,
      handle: ({ moment, show, after, limit }, context) =>
        alone(context, async (signal) => {
          const { last, events, rows } = await rowsAt(parseMoment(moment), show, signal);
          const { items, next } = pageOf(
            rows.map(([key, row]) => ({ key, row })),
            after,
            limit,
          );
          return { last, events, rows: [...items], next };
        }),
    }),
    endpoint({
      ...READ_ENDPOINTS.historyDiff,
      handle: ({ from, to, show, after, limit }, context) =>
        alone(context, async (signal) => {
          const [one, other] = [parseMoment(from), parseMoment(to)];
          const before = await rowsAt(one, show, signal);
          const later = await rowsAt(other, show, signal);
          const diff = diffRows(new Map(before.rows), new Map(later.rows));
          const { items, next } = pageOf(changesOf(diff), after, limit);
          return { from: before.last, to: later.last, changes: [...items], next };
        }),
    }),
    endpoint({
      ...READ_ENDPOINTS.historyWhy,
      handle: ({ node }, context) =>
        alone(context, async (signal) => {
          const { toldTo, ...life } = await lifeOf(node, { source, cache, signal });
          return {
            last: toldTo,
            life: {
              ...life,
              genome: { ...life.genome },
              parents: [...life.parents],
              mutations: [...life.mutations],
              moves: [...life.moves],
              votes: { ...life.votes, byType: [...life.votes.byType] },
              judgements: [...life.judgements],
              offspring: life.offspring.slice(0, SHOWN_OFFSPRING),
            },
          };
        }),
    }),
    endpoint({
      ...READ_ENDPOINTS.historyVerify,
      handle: ({ rows: withRows }, context) =>
        alone(context, async (signal) => {
          const live = withRows ? liveRowsOf(model, PROJECTIONS) : null;
          const found = await verifyHistory({ source, projections: PROJECTIONS, live, signal });
          const { ok, events, streams, faults, stopped, rows } = found;
          return {
            ok,
            events,
            streams,
            faults: faults.slice(0, SHOWN_FAULTS),
            stopped,
            rows: rows && {
              position: rows.position,
              projections: [...rows.projections],
              compared: rows.compared,
              differences: rows.differences
                .slice(0, SHOWN_FAULTS)
                .map((one) => ({ ...one, fields: [...one.fields] })),
            },
          };
        }),
    }),
  ];
}

/** The items after a key, at most `limit`, and as many as fit in a message. They are in the order of their keys. */
function pageOf<Item extends { readonly key: string }>(
  all: readonly Item[],
  after: string | undefined,
  limit: number,
): { readonly items: readonly Item[]; readonly next: string | null } {
  const rest = after === undefined ? all : all.filter(({ key }) => key > after);
  const items: Item[] = [];
  let bytes = 0;
  for (const item of rest) {
    bytes += Buffer.byteLength(JSON.stringify(item));
    if (items.length > 0 && (items.length === limit || bytes > PAGE_BYTES)) break;
    items.push(item);
  }
  return { items, next: items.length < rest.length ? (items.at(-1)?.key ?? null) : null };
}

function changesOf({ added, removed, changed }: RowsDiff): HistoryDiffOutput['changes'] {
  return [
    ...added.map(({ key, row }) => ({ key, change: 'added' as const, row, fields: [] })),
    ...removed.map(({ key, row }) => ({ key, change: 'removed' as const, row, fields: [] })),
    ...changed.map(({ key, fields }) => ({
      key,
      change: 'changed' as const,
      row: null,
      fields: fields.map(({ field, from, to }) => ({ field, from, to })),
    })),
  ].sort((one, other) => (one.key < other.key ? -1 : 1));
}
