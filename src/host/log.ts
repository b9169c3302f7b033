import type { JsonObject } from '../eventstore/port.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Receives log messages. `details` are for machines; the message must make sense without them. */
export type OnLog = (level: LogLevel, message: string, details?: JsonObject) => void;

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
