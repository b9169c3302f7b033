import { holdsEvent } from '../eventstore/holds-event.ts';
import type { EventStore } from '../eventstore/port.ts';
import type { ReadModel } from './read-model.ts';
import { recordedOf } from './recorded.ts';

/** The streams that projections fold. */
export const CATEGORY_PREFIXES = [
  'credit-',
  'node-',
  'cluster-',
  'superCluster-',
  'query-',
  'genesis-',
  'generation-',
] as const;

export interface ProjectorOptions {
  readonly store: EventStore;
  readonly model: ReadModel;
  readonly signal: AbortSignal;
  /** Called once, when the history has been folded to its end. */
  readonly onCaughtUp?: () => void;
  /** Called when the rows come from another history, with what is done about it. */
  readonly onStatus?: (message: string) => void;
}

/** While events arrive, rows and checkpoint are committed at least this often. */
const COMMIT_EVERY_MS = 250;
const COMMIT_EVERY_EVENTS = 1000;

/**
 * Keeps the read model up to date until the signal, and then commits everything folded so far. After an error
 * nothing more is committed, because an event may have changed only some of its rows.
 */
export async function runProjector(options: ProjectorOptions): Promise<void> {
  const { store, model, signal, onCaughtUp } = options;
  await beginAnewIfForeign(options);
  let uncommitted = 0;
  let timer: NodeJS.Timeout | null = null;
  const failure = new AbortController();
  const commit = () => {
    if (timer) clearTimeout(timer);
    timer = null;
    uncommitted = 0;
    model.commit();
  };
  const commitSoon = () => {
    uncommitted += 1;
    if (uncommitted >= COMMIT_EVERY_EVENTS) commit();
    else
      timer ??= setTimeout(() => {
        try {
          commit();
        } catch (error) {
          failure.abort(error);
        }
      }, COMMIT_EVERY_MS);
  };
  const after = model.position < 0 ? {} : { after: model.position };
  try {
    // Without an event that ends the wait, a failed commit would stay unnoticed on a quiet network.
    const ends = AbortSignal.any([signal, failure.signal]);
    for await (const delivery of store.subscribe({ ...after, prefixes: CATEGORY_PREFIXES, signal: ends })) {
      failure.signal.throwIfAborted();
      if (delivery.kind === 'event') model.apply(recordedOf(delivery.event));
      else if (delivery.kind === 'checkpoint') model.skipTo(delivery.position);
      else {
        commit();
        onCaughtUp?.();
        continue;
      }
      commitSoon();
    }
    failure.signal.throwIfAborted();
    commit();
  } finally {
    if (timer) clearTimeout(timer);
  }
}

/** Positions of another history say nothing: an event after the checkpoint could stand before it here. */
async function beginAnewIfForeign({ store, model, onStatus }: ProjectorOptions): Promise<void> {
  if (model.position < 0) return;
  const { lastEvent } = model;
  if (lastEvent && (await holdsEvent(store, lastEvent))) return;
  if (lastEvent) {
    onStatus?.(
      `the read model was made from another history (event ${lastEvent.revision} of ${lastEvent.stream} is not in ` +
        'this event store); it is built again from the first event',
    );
  }
  model.clear();
}
