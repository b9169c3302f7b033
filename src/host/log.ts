import type { JsonObject } from '../eventstore/port.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where the host tells what it does. `details` are for a machine to read; the message alone must make sense. */
export type OnLog = (level: LogLevel, message: string, details?: JsonObject) => void;

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
