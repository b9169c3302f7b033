import { hash } from 'node:crypto';
import { z } from 'zod';

/**
 * Version of all event shapes that this release writes. A release that changes a shape increments it, and
 * `upcasters.ts` converts older events.
 */
export const SCHEMA_VERSION = 2;

/** `prevHash` of the first event of a stream. */
export const GENESIS_HASH = '0'.repeat(64);

/** Streams with this prefix are a cache of the host. Only their last event is kept, so they have no hash chain. */
export const SNAPSHOT_PREFIX = 'snapshot-';

const NAMESPACE = 'b5a1f0c2-6f4e-5d3b-9a87-2c1e5d0f7a46';
const NAMESPACE_BYTES = Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex');

/** The digit with the variant of RFC 9562: its two high bits are 10. */
const VARIANTS = ['8', '9', 'a', 'b'];

/** Keys as JSON text. The same few hundred keys occur again and again. */
const names = new Map<string, string>();
const MOST_NAMES = 2_000;

/** Strings that need no escaping in JSON. */
const PLAIN = /^[ !#-[\]-~]{0,100}$/;

/** What every event carries besides its data, from the first release on. */
export const eventMetadataSchema = z.object({
  schemaVersion: z.int().positive(),
  /** Id of the message whose handling recorded this event. */
  messageId: z.string().min(1),
  /** Id of the event that this message followed from; the message's own id if it came from outside. */
  causationId: z.string().min(1),
  /** Id of the message that began the flow. */
  correlationId: z.string().min(1),
  /** Hash of the event before it in the stream (SHA-256, hex), or `GENESIS_HASH`. */
  prevHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type EventMetadata = z.infer<typeof eventMetadataSchema>;

/** The part of a stored event that its hash covers. Position and time of writing are not included. */
export interface HashedContent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  readonly data: object;
  readonly metadata: object;
}

/**
 * Header names of a command on the wire. Its body is the JSON of `{ type, data }`. The message id is not in
 * `Nats-Msg-Id`, because the broker would drop a later message with the same id from any sender, and ids can be
 * computed from events.
 */
export const HEADER = {
  messageId: 'Dellm-Message',
  correlationId: 'Dellm-Correlation',
  causationId: 'Dellm-Causation',
} as const;

/** An event that is decided but not stored. `dataText` is the canonical JSON of its data. */
export interface UnsealedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly dataText: string;
  /** The ids of the message that led to it. */
  readonly ids: MessageIds;
  readonly prevHash: string;
}

export interface Seal {
  /** The same as `eventId` returns. */
  readonly id: string;
  readonly metadata: EventMetadata;
  readonly metadataText: string;
  /** Canonical JSON of the whole event, which is the text that is hashed. */
  readonly content: string;
  /** The same as `hashOf` returns. */
  readonly hash: string;
}

/** The ids in the headers of every message. */
export interface MessageIds {
  /** The same for every retry and redelivery. */
  readonly messageId: string;
  readonly correlationId: string;
  readonly causationId: string;
}

/** A value that JSON cannot represent exactly, or bytes that are not JSON. */
export class NotJsonError extends Error {
  override readonly name = 'NotJsonError';
}

export type ChainReport =
  | { readonly ok: true; readonly events: number }
  | { readonly ok: false; readonly stream: string; readonly revision: number; readonly reason: string };

/**
 * JSON with sorted keys and without whitespace, so that equal values give equal text. Properties that are
 * `undefined` are left out, as in JSON. Throws `NotJsonError` for anything else that JSON would change or lose
 * (NaN, dates, maps, holes …).
 */
export function canonicalJson(value: unknown): string {
  const text = write(value);
  if (text === null) throw notJson(value);
  return text;
}

/** UUIDv5 (RFC 9562) of a name within a namespace, which is also a UUID. */
export function uuid5(namespace: string, name: string): string {
  const named = Buffer.allocUnsafe(16 + Buffer.byteLength(name));
  if (namespace === NAMESPACE) NAMESPACE_BYTES.copy(named);
  else named.write(namespace.replaceAll('-', ''), 'hex');
  named.write(name, 16);
  const hex = hash('sha1', named);
  const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A UUID that depends only on the parts. */
export function uuidOf(...parts: readonly unknown[]): string {
  return uuid5(NAMESPACE, canonicalJson(parts));
}

/**
 * Id of an event. It is the same for every retry of an append, and different if the event's place or content
 * differs. The store's idempotency compares only ids: with an id made from the message alone, a *different*
 * append of a second owner would seem to succeed.
 */
export function eventId(
  stream: string,
  revision: number,
  type: string,
  data: object,
  messageId: string,
): string {
  return idOfText(stream, revision, type, canonicalJson(data), messageId);
}

/** Returns an event's id, metadata and hash, all made from one canonical text of its data. */
export function sealEvent(event: UnsealedEvent): Seal {
  const { stream, revision, type, dataText, ids, prevHash } = event;
  const { messageId, causationId, correlationId } = ids;
  const id = idOfText(stream, revision, type, dataText, messageId);
  const metadata = { schemaVersion: SCHEMA_VERSION, messageId, causationId, correlationId, prevHash };
  const metadataText = canonicalJson(metadata);
  const content = contentOf(stream, revision, id, type, dataText, metadataText);
  return { id, metadata, metadataText, content, hash: hash('sha256', content) };
}

/** Id of the message for the effect with index `index` of an event. */
export function effectId(event: string, index: number): string {
  return uuid5(event, String(index));
}

/** Id of the message that a timer sends. It is the same in every process that knows the deadline. */
export function timerId(
  to: { readonly kind: string; readonly id: string },
  dueAt: string,
  command: object,
): string {
  return uuidOf('timer', to.kind, to.id, dueAt, command);
}

/** Id of the message with which a device answers a work order. */
export function answersId(orderId: string): string {
  return uuidOf('answers', orderId);
}

/**
 * Id that the network gives a device's message. A device may choose any id; this one cannot be equal to that of
 * a message of the network or of another device.
 */
export function deviceMessageId(device: string, messageId: string): string {
  return uuidOf('from', device, messageId);
}

/** A number in [0, 1) that depends only on the parts. */
export function drawOf(...parts: readonly unknown[]): number {
  const digest = hash('sha256', canonicalJson(parts), 'buffer');
  return Number(digest.readBigUInt64BE() >> 11n) / 2 ** 53;
}

/** SHA-256 (hex) of an event's content. The next event of the stream has it as `prevHash`. */
export function hashOf({ stream, revision, id, type, data, metadata }: HashedContent): string {
  return hash('sha256', contentOf(stream, revision, id, type, canonicalJson(data), canonicalJson(metadata)));
}

/**
 * Checks streams from their first event and reports the first fault: missing events, a broken chain, invalid
 * metadata, or an id that does not match its content. Takes the events of one stream, or of many in the store's
 * order. The last event of a stream is protected only by its own id, since no later event has its hash.
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

/** Encodes the body of a message. Throws `NotJsonError`. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(canonicalJson(value));
}

/**
 * Decodes the body of a message. Throws `NotJsonError` for invalid UTF-8, which is never replaced, and for
 * invalid JSON.
 */
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

/** The same as `uuidOf(stream, revision, type, data, messageId)`. */
function idOfText(
  stream: string,
  revision: number,
  type: string,
  dataText: string,
  messageId: string,
): string {
  const place = `${JSON.stringify(stream)},${revision},${JSON.stringify(type)}`;
  return uuid5(NAMESPACE, `[${place},${dataText},${JSON.stringify(messageId)}]`);
}

/** Canonical JSON of `{ stream, revision, id, type, data, metadata }`. */
function contentOf(
  stream: string,
  revision: number,
  id: string,
  type: string,
  dataText: string,
  metadataText: string,
): string {
  const content = `"data":${dataText},"id":${JSON.stringify(id)},"metadata":${metadataText}`;
  const place = `"revision":${revision},"stream":${JSON.stringify(stream)},"type":${JSON.stringify(type)}`;
  return `{${content},${place}}`;
}

/** The text of a value; null if JSON cannot represent it. */
function write(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return PLAIN.test(value) ? `"${value}"` : JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      return Number.isFinite(value) ? JSON.stringify(value) : null;
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return writeArray(value);
      if (isPlain(value)) return writeObject(value);
  }
  return null;
}

function writeArray(values: readonly unknown[]): string | null {
  let text = '[';
  // By index, because other iteration skips holes.
  for (let index = 0; index < values.length; index += 1) {
    const item = write(values[index]);
    if (item === null) return null;
    text += index === 0 ? item : `,${item}`;
  }
  return `${text}]`;
}

function writeObject(value: Readonly<Record<string, unknown>>): string | null {
  let text = '{';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    const written = write(member);
    if (written === null) return null;
    text += text === '{' ? `${nameOf(key)}${written}` : `,${nameOf(key)}${written}`;
  }
  return `${text}}`;
}

/** The JSON text of a key with its colon. */
function nameOf(key: string): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${JSON.stringify(key)}:`;
  if (names.size < MOST_NAMES) names.set(key, name);
  return name;
}

/** The error for the first value that JSON cannot represent, with its path. */
function notJson(value: unknown, path = ''): NotJsonError {
  if (value !== null && typeof value === 'object' && (Array.isArray(value) || isPlain(value))) {
    const isArray = Array.isArray(value);
    const members: readonly (readonly [string, unknown])[] = isArray
      ? Array.from(value, (item, index) => [`${path}[${index}]`, item])
      : Object.keys(value)
          .sort()
          .map((key) => [`${path}.${key}`, value[key]]);
    for (const [place, member] of members) {
      if (member === undefined && !isArray) continue;
      if (write(member) === null) return notJson(member, place);
    }
  }
  const what =
    typeof value === 'number'
      ? String(value)
      : typeof value === 'object'
        ? (value?.constructor?.name ?? 'a foreign object')
        : typeof value;
  return new NotJsonError(`${path || 'The value'} is ${what}, not JSON.`);
}

function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
