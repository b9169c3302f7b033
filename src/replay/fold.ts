import { generations } from '../projections/generations.ts';
import type { AnyProjection } from '../projections/projection.ts';
import { recordedOf } from '../projections/recorded.ts';
import { happenedAt } from './happened-at.ts';
import type { Cursor, PlacedEvent } from './history-file.ts';
import { MemoryModel } from './memory-model.ts';
import { isAfter, type Limit, type Moment, MomentError } from './moment.ts';
import type { FoldedEvent, Progress } from './progress.ts';
import { loadSnapshot, type SnapshotCache, saveSnapshot } from './snapshots.ts';
import type { HistorySource } from './source.ts';

export interface FoldOptions {
  readonly source: HistorySource;
  readonly moment: Moment;
  readonly projections: readonly AnyProjection[];
  /** Cache with the rows of earlier folds; null to fold always from the first event. */
  readonly cache: SnapshotCache | null;
  readonly signal?: AbortSignal;
  /** Called from time to time with the number of folded events. */
  readonly onProgress?: (events: number) => void;
}

/** The rows at a moment. */
export interface Folded {
  readonly model: MemoryModel;
  /** The last event that belongs to the moment; null before the first. */
  readonly last: FoldedEvent | null;
  /** Number of events up to the moment. */
  readonly events: number;
  /** The latest time of any of these events; empty if none has a time. */
  readonly latestAt: string;
}

/** An event cannot be folded, so its content cannot be what was recorded. */
export class FoldError extends Error {
  override readonly name = 'FoldError';
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  constructor({ stream, revision, position, type }: PlacedEvent, unit: string, cause: unknown) {
    super(
      `Revision ${revision} of ${stream} (a ${type}, ${unit} ${position}) cannot be folded: ` +
        `${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed. ` +
        '"dellm history verify" says what is wrong with the history.',
      { cause },
    );
    this.stream = stream;
    this.revision = revision;
    this.position = position;
  }
}

const BEGINNING: Progress = {
  last: null,
  events: 0,
  latestAt: '',
  cursor: { position: 0, offset: 0 },
};

/**
 * Folds a history up to a moment. Throws `MomentError` if the history does not have it, `FoldError`, and any error of
 * the source.
 */
export async function foldTo(options: FoldOptions): Promise<Folded> {
  const { source, moment, projections, cache, signal, onProgress } = options;
  const limit = moment.kind === 'generation' ? await endOfGeneration(options, moment) : moment;
  const model = new MemoryModel(projections);
  let { last, events, latestAt, cursor } =
    (cache && (await restored(cache, source, model, limit))) ?? BEGINNING;
  let snapshotDue = cache ? nextMultiple(events, cache.every) : Number.POSITIVE_INFINITY;
  const folded = (event: PlacedEvent | null): Folded => ({
    model,
    last: event ? placeOf(event) : last,
    events,
    latestAt,
  });
  for await (const batch of source.batches(cursor)) {
    signal?.throwIfAborted();
    let latest: PlacedEvent | null = null;
    for (const event of batch.events) {
      if (isAfter(event, limit)) return folded(latest);
      applyTo(model, event, source.unit);
      events += 1;
      latest = event;
      const at = happenedAt(event);
      if (at > latestAt) latestAt = at;
    }
    cursor = batch.cursor;
    last = latest ? placeOf(latest) : last;
    onProgress?.(events);
    if (cache && events >= snapshotDue) {
      await saveSnapshot(cache, source, model, { last, events, latestAt, cursor });
      snapshotDue = nextMultiple(events, cache.every);
    }
  }
  if (limit.kind === 'event' && limit.position > cursor.position)
    throw beyondTheEnd(source, limit.position, cursor, events);
  return folded(null);
}

/** Folds one event. An error names the event. */
export function applyTo(model: MemoryModel, event: PlacedEvent, unit: string): void {
  try {
    model.apply(recordedOf(event));
  } catch (error) {
    if (error instanceof Error && error.name === 'UnknownSchemaVersionError') throw error;
    throw new FoldError(event, unit, error);
  }
}

function restored(
  cache: SnapshotCache,
  source: HistorySource,
  model: MemoryModel,
  limit: Limit,
): Promise<Progress | null> {
  return loadSnapshot(cache, source, model, ({ cursor, latestAt }) => {
    if (limit.kind === 'event') return cursor.position <= limit.position;
    return limit.kind === 'end' || latestAt <= limit.at;
  });
}

/** The position where a generation ended. */
async function endOfGeneration(
  options: FoldOptions,
  { generation, cluster }: Extract<Moment, { kind: 'generation' }>,
): Promise<Limit> {
  const { model } = await foldTo({ ...options, moment: { kind: 'end' }, projections: [generations] });
  const rows = [...model.rows(generations).values()];
  const chosen = cluster === null ? rows : rows.filter((row) => row.cluster === cluster);
  if (generation === 0) {
    const opened = chosen.flatMap((row) => (row.kind === 'cluster' ? [row.openedAt] : []));
    if (opened.length === 0) return { kind: 'end' };
    return { kind: 'event', position: opened.reduce((one, other) => Math.min(one, other)) - 1 };
  }
  const ended = chosen.flatMap((row) => (row.kind === 'end' ? [row] : []));
  const ends = ended.filter((row) => row.generation === generation);
  if (ends.length > 0) return { kind: 'event', position: greatest(ends.map(({ position }) => position)) };
  const last = greatest(ended.map((row) => row.generation));
  const where = cluster === null ? 'in any Cluster' : `in the Cluster "${cluster}"`;
  throw new MomentError(
    `Generation ${generation} has not ended ${where} of ${options.source.label}. ` +
      (last === 0 ? 'No generation has ended yet.' : `The last one that has ended is ${last}.`),
  );
}

function beyondTheEnd(
  source: HistorySource,
  wanted: number,
  { position }: Cursor,
  events: number,
): MomentError {
  const { unit, label } = source;
  const last = events === 0 ? 'it has no event' : `its last event is at ${unit} ${position}`;
  return new MomentError(`There is no event at ${unit} ${wanted} of ${label}: ${last}.`);
}

function placeOf(event: PlacedEvent): FoldedEvent {
  const { stream, revision, id, position } = event;
  return { stream, revision, id, position, at: happenedAt(event) };
}

/** The greatest number; 0 if there is none. */
function greatest(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.max(one, other), 0);
}

function nextMultiple(count: number, every: number): number {
  return (Math.floor(count / every) + 1) * every;
}
