import {
  CancelledError,
  DeadlineExceededError,
  NotLeaderError,
  TimeoutError,
  UnavailableError,
  UnknownError,
} from '@eventstore/db-client';
import { status } from '@grpc/grpc-js';
import { PumpCutError, PumpSilenceError } from './pump.ts';

/** One attempt got no answer in time. */
export class AttemptTimeoutError extends Error {
  override readonly name = 'AttemptTimeoutError';
  constructor(ms: number) {
    super(`No answer within ${Math.round(ms)} ms.`);
  }
}

/** The server ended the connection before it answered. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
  constructor() {
    super('The connection ended before the answer.');
  }
}

const transientCodes: ReadonlySet<number> = new Set([
  status.CANCELLED,
  status.UNKNOWN,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.ABORTED,
  status.INTERNAL,
  status.UNAVAILABLE,
]);

/**
 * Whether the same call may succeed later. If there is a gRPC code, it decides: the client wraps unknown codes
 * as `UnknownError`, also permanent ones, and passes some gRPC errors through unwrapped.
 */
export function isTransient(error: unknown): boolean {
  if (error instanceof AttemptTimeoutError || error instanceof PumpSilenceError) return true;
  if (error instanceof ConnectionLostError || error instanceof PumpCutError) return true;
  if (error instanceof NotLeaderError) return true;
  if (error instanceof Error && 'code' in error && typeof error.code === 'number') {
    return transientCodes.has(error.code);
  }
  return (
    error instanceof UnavailableError ||
    error instanceof CancelledError ||
    error instanceof DeadlineExceededError ||
    error instanceof TimeoutError ||
    error instanceof UnknownError
  );
}

/**
 * Whether a transient fault may come from a connection that is dead without an error. The client itself repairs
 * the others.
 */
export function needsNewClient(error: unknown): boolean {
  const isCancelled = error instanceof Error && 'code' in error && error.code === status.CANCELLED;
  return !(
    isCancelled ||
    error instanceof ConnectionLostError ||
    error instanceof PumpCutError ||
    error instanceof UnavailableError ||
    error instanceof NotLeaderError
  );
}
