import { hash } from 'node:crypto';
import { z } from 'zod';

/**
 * Version of all event shapes that this release writes. It is the first, so nothing has to be lifted when it is read; a
 * release that changes a shape writes the next number, and brings what lifts older ones.
 */
export const SCHEMA_VERSION = 1;

/** `prevHash` of the first event of a stream. */
export const GENESIS_HASH = '0'.repeat(64);

/** Streams of this prefix are a cache of the host: only their last event is kept, so they have no chain. */
export const SNAPSHOT_PREFIX = 'snapshot-';

const NAMESPACE = 'b5a1f0c2-6f4e-5d3b-9a87-2c1e5d0f7a46';

/** What every event carries besides its data, from the first release on. */
export const eventMetadataSchema = z.object({
  schemaVersion: z.int().positive(),
  /** Id of the message whose handling recorded this event. */
  messageId: z.string().min(1),
  /** Id of the event that this message followed from; the message's own id where it came from outside. */
  causationId: z.string().min(1),
  /** Id of the message that began it all. */
  correlationId: z.string().min(1),
  /** Hash of the event before it in the stream (SHA-256, hex), or `GENESIS_HASH`. */
  prevHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type EventMetadata = z.infer<typeof eventMetadataSchema>;

/** The part of a stored event that its hash covers: neither its position in the store nor when it was written. */
export interface HashedContent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

/**
 * Header names of a command on the wire. Its body is the JSON of `{ type, data }`. The message id is not `Nats-Msg-Id`:
 * the broker would drop a later message of that id, whoever sent the first, and ids can be worked out from events.
 */
export const HEADER = {
  messageId: 'Dellm-Message',
  correlationId: 'Dellm-Correlation',
  causationId: 'Dellm-Causation',
} as const;

/** What travels in the headers of every message. */
export interface MessageIds {
  /** Stays the same over every retry and redelivery. */
  readonly messageId: string;
  readonly correlationId: string;
  readonly causationId: string;
}

/** A value that JSON cannot hold without changing it, or bytes that are no JSON. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
}

export type ChainReport =
  | { readonly ok: true; readonly events: number }
  | { readonly ok: false; readonly stream: string; readonly revision: number; readonly reason: string };

/**
 * JSON with sorted keys and no blanks, so that equal values give equal text. Properties that are `undefined` are left
 * out, as JSON does it; everything else that JSON would change or lose (NaN, dates, maps, holes …) is a `NotJsonError`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '');
}

/** UUIDv5 (RFC 9562) of a name within a namespace, which is a UUID itself. */
export function uuid5(namespace: string, name: string): string {
  const prefix = Buffer.from(namespace.replaceAll('-', ''), 'hex');
  const digest = hash('sha1', Buffer.concat([prefix, Buffer.from(name)]), 'buffer');
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A UUID that depends on all the parts and nothing else. */
export function uuidOf(...parts: readonly unknown[]): string {
  return uuid5(NAMESPACE, canonicalJson(parts));
}

/**
 * Id of an event: the same over every retry of one append, another one as soon as place or content differ. The store's
 * idempotency compares ids only, so an id made from the message alone would let a second owner's *different* append
 * look successful.
 */
export function eventId(
  stream: string,
  revision: number,
  type: string,
  data: object,
  messageId: string,
): string {
  return uuidOf(stream, revision, type, data, messageId);
}

/** Id of the message that follows from an event: the `index`-th of its effects. */
export function effectId(event: string, index: number): string {
  return uuid5(event, String(index));
}

/** A number in [0, 1) that depends on all the parts and nothing else. */
export function drawOf(...parts: readonly unknown[]): number {
  const digest = hash('sha256', canonicalJson(parts), 'buffer');
  return Number(digest.readBigUInt64BE() >> 11n) / 2 ** 53;
}

/** SHA-256 (hex) of an event's content; the next event of the stream carries it as `prevHash`. */
export function hashOf({ stream, revision, id, type, data, metadata }: HashedContent): string {
  return hash('sha256', canonicalJson({ stream, revision, id, type, data, metadata }));
}

/**
 * Checks streams from their first event on and names the first bad event: a gap, a broken chain, foreign metadata, or
 * an id that does not belong to its content. Takes the events of one stream or of many in the store's order.
 * The last event of a stream has no successor that vouches for it beyond its own id.
 */
export async function verifyChain(
  events: AsyncIterable<HashedContent> | Iterable<HashedContent>,
): Promise<ChainReport> {
  const heads = new Map<string, { readonly revision: number; readonly hash: string }>();
  let count = 0;
  for await (const event of events) {
    if (event.stream.startsWith(SNAPSHOT_PREFIX)) continue;
    const head = heads.get(event.stream) ?? { revision: -1, hash: GENESIS_HASH };
    const reason = faultOf(event, head);
    if (reason !== null) return { ok: false, stream: event.stream, revision: event.revision, reason };
    heads.set(event.stream, { revision: event.revision, hash: hashOf(event) });
    count += 1;
  }
  return { ok: true, events: count };
}

/** The body of a command on the wire. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

/** The value of a message's body. Throws `NotJsonError` on bad UTF-8 (never replaces it) and on bad JSON. */
export function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new NotJsonError(`The message (${bytes.length} bytes) is not JSON in UTF-8.`, { cause });
  }
}

function faultOf(event: HashedContent, head: { revision: number; hash: string }): string | null {
  if (event.revision !== head.revision + 1) return `follows revision ${head.revision}: events are missing`;
  const metadata = eventMetadataSchema.safeParse(event.metadata);
  if (!metadata.success) return `metadata: ${z.prettifyError(metadata.error)}`;
  if (metadata.data.prevHash !== head.hash) return 'prevHash is not the hash of the event before it';
  const id = eventId(event.stream, event.revision, event.type, event.data, metadata.data.messageId);
  return event.id === id ? null : 'the id does not belong to the content';
}

function write(value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new NotJsonError(`${path || 'The value'} is ${value}, not JSON.`);
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) {
        return `[${Array.from(value, (item, index) => write(item, `${path}[${index}]`)).join(',')}]`;
      }
      if (isPlain(value)) return writeObject(value, path);
  }
  const what = typeof value === 'object' ? (value?.constructor?.name ?? 'a foreign object') : typeof value;
  throw new NotJsonError(`${path || 'The value'} is ${what}, not JSON.`);
}

function writeObject(value: Readonly<Record<string, unknown>>, path: string): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${write(member, `${path}.${key}`)}`);
  }
  return `{${members.join(',')}}`;
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
