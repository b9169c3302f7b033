import { happenedAt } from './happened-at.ts';
import type { PlacedEvent } from './history-file.ts';

/**
 * A moment of a history: everything that happened before it. The order of the store decides, never a clock. `event`: up
 * to and including a position. `time`: up to just before the first event with a later time. `generation`: up to and
 * including the end of that generation in every Cluster that completed it, or in one Cluster; 0 is just before the
 * first generation was opened. `end`: everything.
 */
export type Moment =
  | { readonly kind: 'event'; readonly position: number }
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'generation'; readonly generation: number; readonly cluster: string | null }
  | { readonly kind: 'end' };

/** Where a fold stops. A generation has been resolved to a position. */
export type Limit = Exclude<Moment, { kind: 'generation' }>;

/** The history does not have this moment, or the moment cannot be parsed. Nothing was done. */
export class MomentError extends Error {
  override readonly name = 'MomentError';
}

const FORMS =
  'a position ("120"), a time ("2030-01-01T12:00:00Z"), "generation:3", "generation:3@cluster", or "end"';

/** Parses a moment. Throws `MomentError`. */
export function parseMoment(text: string): Moment {
  const [kind, value] = splitOnce(text.trim());
  if (kind === '' && value === 'end') return { kind: 'end' };
  if (kind === 'event' || (kind === '' && /^\d+$/.test(value))) return eventMoment(value);
  if (kind === 'generation') {
    const [generation = '', cluster] = value.split('@');
    return generationMoment(generation, cluster ?? null);
  }
  if (kind === 'time' || kind === '') return timeMoment(value);
  throw new MomentError(`"${text}" is not a moment of a history. Use ${FORMS}.`);
}

export function eventMoment(text: string): Moment {
  const position = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(position) && position >= 1)
    return { kind: 'event', position };
  throw new MomentError(`"${text}" is not the position of an event. Use a whole number from 1.`);
}

export function timeMoment(text: string): Moment {
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return { kind: 'time', at: new Date(ms).toISOString() };
  throw new MomentError(`"${text}" is not a moment of a history. Use ${FORMS}.`);
}

export function generationMoment(text: string, cluster: string | null): Moment {
  const generation = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(generation)) {
    throw new MomentError(`"${text}" is not a generation. Use a whole number from 0.`);
  }
  return { kind: 'generation', generation, cluster };
}

/** Whether the event is after the moment. */
export function isAfter(event: PlacedEvent, limit: Limit): boolean {
  switch (limit.kind) {
    case 'event':
      return event.position > limit.position;
    case 'time':
      return happenedAt(event) > limit.at;
    case 'end':
      return false;
  }
}

/** Splits `time:…` in two, but not a time without that prefix. */
function splitOnce(text: string): readonly [kind: string, value: string] {
  const match = /^([a-z]+):(.*)$/s.exec(text);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', text];
}
