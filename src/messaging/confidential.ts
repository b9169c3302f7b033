import type { JsonObject, StoredEvent } from '../eventstore/port.ts';

/** An event as outsiders may see it, and what was left out. */
export interface Shown {
  readonly event: StoredEvent;
  /** Path of the field that was left out; null if nothing was. */
  readonly omitted: string | null;
}

/** Path of a gold task's known answer. */
const EXPECTED = 'data.task.expected';

/**
 * Hides the known answer of a gold task until the task is due. `nowMs` is in milliseconds since 1970.
 */
export function shownToStrangers(event: StoredEvent, nowMs: number): Shown {
  if (event.type !== 'GoldTaskIssued') return { event, omitted: null };
  const { task, dueAt } = event.data;
  // If the deadline cannot be read, the answer is never shown.
  if (typeof dueAt === 'string' && Date.parse(dueAt) <= nowMs) return { event, omitted: null };
  const shown: JsonObject = { ...(isObject(task) ? task : {}), expected: null };
  return { event: { ...event, data: { ...event.data, task: shown } }, omitted: EXPECTED };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
