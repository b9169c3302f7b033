import type { AnyProjection } from '../projections/projection.ts';
import { ChainCheck, type Fault } from './chain-check.ts';
import { diffRows } from './diff.ts';
import { applyTo } from './fold.ts';
import type { PlacedEvent } from './history-file.ts';
import { type LiveRows, throughJson } from './live-rows.ts';
import { MemoryModel } from './memory-model.ts';
import type { HistorySource } from './source.ts';

export interface VerifyOptions {
  readonly source: HistorySource;
  readonly projections: readonly AnyProjection[];
  /** Rows to compare with, or null. */
  readonly live: LiveRows | null;
  readonly signal?: AbortSignal;
  /** Called from time to time with the number of checked events. */
  readonly onProgress?: (events: number) => void;
}

export interface Verification {
  readonly ok: boolean;
  readonly events: number;
  readonly streams: number;
  /** Faults of events, in the order of the history. */
  readonly faults: readonly Fault[];
  /** Why the history could not be read or folded to its end; null if it could. */
  readonly stopped: string | null;
  readonly rows: RowsComparison | null;
}

export interface RowsComparison {
  readonly label: string;
  readonly position: number;
  readonly projections: readonly string[];
  /** Number of rows that were compared. */
  readonly compared: number;
  readonly differences: readonly RowDifference[];
}

/** A row of the read model that differs from the fold of the history. */
export interface RowDifference {
  readonly projection: string;
  readonly key: string;
  /** The fields that differ; empty if the row is only on one side. */
  readonly fields: readonly string[];
  readonly what: 'differs' | 'only in the read model' | 'only in the history';
}

const MAX_DIFFERENCES = 200;

/**
 * Checks every event from the first one: chain, id, cause, order and fold. Compares the folded rows with those of a
 * read model. Uses no cache. Rejects only with the signal's reason.
 */
export async function verifyHistory(options: VerifyOptions): Promise<Verification> {
  const { source, projections, live, signal, onProgress } = options;
  const check = new ChainCheck(source.unit);
  const model = new MemoryModel(projections.filter(({ name }) => live === null || live.rows.has(name)));
  let stopped: string | null = null;
  let folding = true;
  let whole = false;
  let rows: RowsComparison | null = null;
  let lastFound = live?.lastEvent == null;
  const fold = (event: PlacedEvent): void => {
    if (live && folding && !rows && event.position > live.position) rows = compare(model, live);
    if (live?.lastEvent?.id === event.id && live.lastEvent.position === event.position) lastFound = true;
    if (!folding) return;
    try {
      applyTo(model, event, source.unit);
    } catch (error) {
      folding = false;
      stopped = messageOf(error);
    }
  };
  try {
    for await (const { events } of source.batches()) {
      signal?.throwIfAborted();
      for (const event of events) {
        check.add(event);
        fold(event);
      }
      onProgress?.(check.events);
    }
    whole = true;
  } catch (error) {
    signal?.throwIfAborted();
    stopped = messageOf(error);
  }
  const faults = [...check.finish({ whole })];
  if (live && whole && folding) rows ??= compare(model, live);
  if (live?.lastEvent && whole && !lastFound) faults.push(lastMissing(live.lastEvent, live.label));
  const same = rows === null || rows.differences.length === 0;
  return {
    ok: faults.length === 0 && stopped === null && same,
    events: check.events,
    streams: check.streams,
    faults,
    stopped,
    rows,
  };
}

function compare(model: MemoryModel, live: LiveRows): RowsComparison {
  const differences: RowDifference[] = [];
  let compared = 0;
  for (const projection of model.projections) {
    const { name } = projection;
    const liveRows = live.rows.get(name) ?? new Map();
    compared += liveRows.size;
    const { added, removed, changed } = diffRows(throughJson(model.rows(projection)), liveRows);
    for (const { key } of added)
      differences.push({ projection: name, key, fields: [], what: 'only in the read model' });
    for (const { key } of removed)
      differences.push({ projection: name, key, fields: [], what: 'only in the history' });
    for (const { key, fields } of changed)
      differences.push({
        projection: name,
        key,
        fields: fields.map(({ field }) => field),
        what: 'differs',
      });
  }
  const projections = [...live.rows.keys()];
  const { label, position } = live;
  return { label, position, projections, compared, differences: differences.slice(0, MAX_DIFFERENCES) };
}

function lastMissing(
  { stream, revision, position, id }: NonNullable<LiveRows['lastEvent']>,
  label: string,
): Fault {
  const what = `it is missing (id ${id}): ${label} was folded from it`;
  return { kind: 'missing', stream, revision, type: null, position, what };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
