import type { JsonObject, StoredEvent } from '../eventstore/port.ts';

/** An event as strangers may see it, and what was left out of it. */
export interface Shown {
  readonly event: StoredEvent;
  /** Path of what was left out; null: nothing. */
  readonly omitted: string | null;
}

/** What stands in the place of a known answer. */
const EXPECTED = 'data.task.expected';

/**
 * An event without what would spoil it: the known answer of a gold task is nobody's business until the task is due,
 * whoever listens. `nowMs` in milliseconds since 1970.
 */
export function shownToStrangers(event: StoredEvent, nowMs: number): Shown {
  if (event.type !== 'GoldTaskIssued') return { event, omitted: null };
  const { task, dueAt } = event.data;
  // What is due at no time that can be read is never shown.
  if (typeof dueAt === 'string' && Date.parse(dueAt) <= nowMs) return { event, omitted: null };
  const shown: JsonObject = { ...(isObject(task) ? task : {}), expected: null };
  return { event: { ...event, data: { ...event.data, task: shown } }, omitted: EXPECTED };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
