import { happenedAt } from './happened-at.ts';
import type { PlacedEvent } from './history-file.ts';

/**
 * A moment of a history: what has happened up to then. The order of the store decides, never the clocks.
 * `event`: up to and with everything that stands at or before a position. `time`: up to right before the first event that
 * says that it happened later. `generation`: up to and with the end of that generation in every Cluster that had one, or
 * in one Cluster; 0 is right before the first generation was judged. `end`: everything.
 */
export type Moment =
  | { readonly kind: 'event'; readonly position: number }
  | { readonly kind: 'time'; readonly at: string }
  | { readonly kind: 'generation'; readonly generation: number; readonly cluster: string | null }
  | { readonly kind: 'end' };

/** Where a fold stops: a generation has become a position. */
export type Limit = Exclude<Moment, { kind: 'generation' }>;

/** A moment that this history does not have, or that cannot be read. Nothing was done. */
export class MomentError extends Error {
  override readonly name = 'MomentError';
}

const FORMS =
  'a position ("120"), a time ("2030-01-01T12:00:00Z"), "generation:3", "generation:3@cluster", or "end"';

/** A moment as people write it. Throws `MomentError`. */
export function parseMoment(text: string): Moment {
  const [kind, value] = splitOnce(text.trim());
  if (kind === '' && value === 'end') return { kind: 'end' };
  if (kind === 'event' || (kind === '' && /^\d+$/.test(value))) return eventMoment(value);
  if (kind === 'generation') {
    const [generation = '', cluster] = value.split('@');
    return generationMoment(generation, cluster ?? null);
  }
  if (kind === 'time' || kind === '') return timeMoment(value);
  throw new MomentError(`"${text}" is no moment of a history. It is ${FORMS}.`);
}

export function eventMoment(text: string): Moment {
  const position = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(position) && position >= 1)
    return { kind: 'event', position };
  throw new MomentError(`"${text}" is no position of an event: it is a whole number from 1.`);
}

export function timeMoment(text: string): Moment {
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return { kind: 'time', at: new Date(ms).toISOString() };
  throw new MomentError(`"${text}" is no moment of a history. It is ${FORMS}.`);
}

export function generationMoment(text: string, cluster: string | null): Moment {
  const generation = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(generation)) {
    throw new MomentError(`"${text}" is no generation: it is a whole number from 0.`);
  }
  return { kind: 'generation', generation, cluster };
}

/** Whether the event comes after everything that belongs to the moment. */
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

/** `time:…` in two, but not the colons of a time without its word. */
function splitOnce(text: string): readonly [kind: string, value: string] {
  const match = /^([a-z]+):(.*)$/s.exec(text);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', text];
}
