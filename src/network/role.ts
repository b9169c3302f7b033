import type { NatsConnection } from 'nats';
import type { EventStore } from '../eventstore/port.ts';
import type { OnLog } from '../host/log.ts';
import { type Running, type Supervised, supervise } from '../host/supervise.ts';

/** The account that pays and earns on a single laptop. */
export const OWNER = 'owner';

/** What every role of the network is given. */
export interface RoleContext {
  /** A connection of the network's user. Not closed by the role. */
  readonly nc: NatsConnection;
  readonly store: EventStore;
  readonly onLog: OnLog;
  /** Ends the role in order. */
  readonly signal: AbortSignal;
}

/** A role that does its work. */
export interface RunningRole {
  /** Settles when the role has ended: after the signal, or with what went wrong. */
  readonly ended: Promise<void>;
}

/**
 * Keeps a role running: one that ends before it is stopped is started again. `signal` ends its first start, which then
 * rejects.
 */
export function superviseRole(
  name: string,
  onLog: OnLog,
  start: (signal: AbortSignal) => Promise<RunningRole>,
  signal?: AbortSignal,
): Promise<Supervised<Running>> {
  return supervise({
    name,
    onLog,
    signal,
    async start(unwanted) {
      const abort = new AbortController();
      const giveUp = (): void => abort.abort(unwanted.reason);
      unwanted.addEventListener('abort', giveUp, { once: true });
      try {
        const role = await start(abort.signal);
        return {
          exited: role.ended,
          async stop() {
            abort.abort();
            await role.ended.catch(() => {});
          },
        };
      } catch (error) {
        // What it has started by now ends, too.
        abort.abort();
        throw error;
      } finally {
        unwanted.removeEventListener('abort', giveUp);
      }
    },
  });
}
