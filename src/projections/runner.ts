import type { EventStore, StoredEvent } from '../eventstore/port.ts';
import type { NetworkEvent, Recorded } from './projection.ts';
import type { ReadModel } from './read-model.ts';

/** The streams that projections fold. */
export const CATEGORY_PREFIXES = [
  'credit-',
  'node-',
  'cluster-',
  'superCluster-',
  'query-',
  'genesis-',
] as const;

export interface ProjectorOptions {
  readonly store: EventStore;
  readonly model: ReadModel;
  readonly signal: AbortSignal;
  /** Called once, when the history has been folded to its end. */
  readonly onCaughtUp?: () => void;
}

/** Rows and checkpoint are committed at least this often while events come in. */
const COMMIT_EVERY_MS = 20;
const COMMIT_EVERY_EVENTS = 1000;

/** Keeps the read model up to date, until the signal. Ends with everything folded so far committed. */
export async function runProjector({ store, model, signal, onCaughtUp }: ProjectorOptions): Promise<void> {
  let uncommitted = 0;
  let timer: NodeJS.Timeout | null = null;
  let failed: unknown = null;
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
          failed = error;
        }
      }, COMMIT_EVERY_MS);
  };
  const after = model.position < 0 ? {} : { after: model.position };
  try {
    for await (const delivery of store.subscribe({ ...after, prefixes: CATEGORY_PREFIXES, signal })) {
      if (failed) throw failed;
      if (delivery.kind === 'event') model.apply(recordedOf(delivery.event));
      else if (delivery.kind === 'checkpoint') model.skipTo(delivery.position);
      else {
        commit();
        onCaughtUp?.();
        continue;
      }
      commitSoon();
    }
  } finally {
    commit();
  }
}

/** A stored event as the folds see it. What is in the store was checked when it was appended. */
export function recordedOf(event: StoredEvent): Recorded {
  const { stream, revision, position, type, data, metadata } = event;
  const { correlationId } = metadata;
  const domainEvent = { type, data } as unknown as NetworkEvent;
  return {
    ...domainEvent,
    stream,
    revision,
    position,
    correlationId: typeof correlationId === 'string' ? correlationId : '',
  };
}
