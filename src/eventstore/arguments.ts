import type { ExpectedRevision, NewEvent } from './port.ts';
import { AppendTooLargeError } from './port.ts';

/**
 * Most bytes in one append: type, data and metadata of all its events. It is the limit of EventStoreDB 23.10.
 * Newer servers accept more, but this project never appends more.
 */
export const maxAppendBytes = 1024 * 1024;

/** Longest stream name and event type that the stores of this project accept, in bytes of UTF-8. */
export const maxNameBytes = 1024;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Size of one event as EventStoreDB counts it: two bytes per character of the type, then data and metadata. */
export function appendedBytes(event: {
  readonly type: string;
  readonly data: { readonly length: number };
  readonly metadata: { readonly length: number };
}): number {
  return event.type.length * 2 + event.data.length + event.metadata.length;
}

/** An event as stored bytes. */
export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** @throws {AppendTooLargeError} */
export function encodeEvents(stream: string, events: readonly NewEvent[]): EncodedEvent[] {
  const encoded = events.map(({ id, type, data, metadata }) => ({
    id,
    type,
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from(JSON.stringify(metadata)),
  }));
  if (encoded.reduce((sum, event) => sum + appendedBytes(event), 0) > maxAppendBytes) {
    throw new AppendTooLargeError(stream, maxAppendBytes);
  }
  return encoded;
}

/** Throws a `TypeError` for arguments that no store accepts, so that every implementation refuses the same ones. */
export function assertAppendable(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): void {
  assertStreamName(stream);
  if (events.length === 0) throw new TypeError(`An append to "${stream}" needs at least one event.`);
  for (const event of events) {
    if (!uuid.test(event.id)) {
      throw new TypeError(`The event id ${JSON.stringify(event.id)} is not a UUID in lower case.`);
    }
    assertName('event type', event.type);
  }
  if (typeof expected === 'number' && !isRevision(expected)) {
    throw new TypeError(
      `The expected revision ${expected} is not a whole number from 0; use 'no-stream' before the first event.`,
    );
  }
}

/** Names that start with `$` are reserved for the store. */
export function assertStreamName(stream: string): void {
  assertName('stream name', stream);
  if (stream.startsWith('$')) {
    throw new TypeError(
      `The stream name "${stream}" starts with "$", which is reserved for the event store.`,
    );
  }
}

/** A limit is a whole number from 1. Without one, everything is read. */
export function assertLimit(limit: number | undefined): void {
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new TypeError(`The limit ${limit} is not a whole number above 0.`);
  }
}

/** Revisions and positions are whole numbers from 0. */
export function assertPlace(what: 'revision' | 'position', place: number | undefined): void {
  if (place !== undefined && !isRevision(place)) {
    throw new TypeError(`The ${what} ${place} is not a whole number from 0.`);
  }
}

/** The filter of a store: no system streams, and, if there are prefixes, one of them. */
export function matchesPrefixes(stream: string, prefixes: readonly string[] | undefined): boolean {
  return !stream.startsWith('$') && (prefixes === undefined || prefixes.some((p) => stream.startsWith(p)));
}

function isRevision(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function assertName(what: string, name: string): void {
  if (name.length === 0) throw new TypeError(`The ${what} is empty.`);
  if (Buffer.byteLength(name) > maxNameBytes) {
    throw new TypeError(`The ${what} "${name.slice(0, 40)}…" is longer than ${maxNameBytes} bytes.`);
  }
}
