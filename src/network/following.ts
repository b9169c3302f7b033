import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection } from 'nats';
import type { z } from 'zod';
import type { NetworkView } from '../actors/network-view.ts';
import { decodeJson, encodeJson } from '../events/envelope.ts';
import { ViewOutput } from '../gateway/schemas.ts';
import { type OnLog, reasonOf } from '../host/log.ts';
import type { OpenDeadline } from '../host/timers.ts';
import { DeadlinesOutput } from '../projections/deadlines.ts';
import { type LiveDevice, NetworkViewBuilder } from '../projections/network-view.ts';

export interface Follower {
  view(): NetworkView;
  /** Resolves when the view has everything that the read model had at the first request, or at the signal. */
  readonly caughtUp: Promise<void>;
  setDevices(devices: readonly LiveDevice[]): void;
}

/** Least time between two requests for changes. A decision may be based on rows that are this old. */
const FOLLOW_EVERY_MS = 150;
/** If nothing has changed, the read model answers later by up to this time: an idle network makes few requests. */
const WAIT_MS = 1_000;
const PAGE_ROWS = 400;
const REQUEST_TIMEOUT_MS = 2_000;

/**
 * Keeps a view of the network from the read model's changes, until the signal. While nobody answers, the view
 * stays as it is.
 */
export function followNetwork(options: {
  readonly nc: NatsConnection;
  readonly onLog: OnLog;
  readonly signal: AbortSignal;
}): Follower {
  const { nc, onLog, signal } = options;
  const builder = new NetworkViewBuilder();
  let silent = false;
  let catchUp = (): void => {};
  const caughtUp = new Promise<void>((resolve) => {
    catchUp = resolve;
  });
  // At the signal, the last request may still be waiting for its answer.
  signal.addEventListener('abort', () => catchUp(), { once: true });

  async function follow(): Promise<void> {
    let since = -1;
    while (!signal.aborted) {
      let more = false;
      try {
        const asked = { since, limit: PAGE_ROWS, waitMs: WAIT_MS };
        const page = await request(nc, 'dellm.view.network', asked, ViewOutput);
        builder.change(page.rows as Parameters<typeof builder.change>[0], page.position);
        since = page.position;
        more = page.more;
        if (!more) catchUp();
        if (silent) onLog('info', 'the read model answers again');
        silent = false;
      } catch (error) {
        if (!silent && !signal.aborted) onLog('warn', `the read model does not answer: ${reasonOf(error)}`);
        silent = true;
      }
      if (!more) await pause(FOLLOW_EVERY_MS, signal);
    }
    catchUp();
  }
  void follow();
  return {
    view: () => builder.view,
    caughtUp,
    setDevices: (devices) => builder.setDevices(devices),
  };
}

/** All open deadlines, page by page. */
export async function openDeadlines(nc: NatsConnection): Promise<readonly OpenDeadline[]> {
  const all: OpenDeadline[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page: z.infer<typeof DeadlinesOutput> = await request(
      nc,
      'dellm.view.deadlines',
      { after },
      DeadlinesOutput,
    );
    all.push(...page.deadlines);
    after = page.next;
  }
  return all;
}

async function request<T>(
  nc: NatsConnection,
  subject: string,
  body: object,
  schema: z.ZodType<T>,
): Promise<T> {
  const answer = await nc.request(subject, encodeJson(body), { timeout: REQUEST_TIMEOUT_MS });
  return schema.parse(decodeJson(answer.data));
}

/** Waits for `ms` milliseconds, or until the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
