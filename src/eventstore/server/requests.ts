import type shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import { maxNameBytes } from '../arguments.ts';
import type { ExpectedRevision } from '../port.ts';
import { invalid, unimplemented } from './refusal.ts';
import type { ProposedEvent } from './storage.ts';

export type Place = 'start' | 'end' | number;

export interface EventFilter {
  readonly matches: (event: { readonly stream: string; readonly type: string }) => boolean;
  /** A subscription reports a checkpoint after this many considered events. */
  readonly checkpointInterval: number;
}

export interface ReadRequest {
  /** `undefined` reads `$all`. */
  readonly stream: string | undefined;
  readonly from: Place;
  readonly backwards: boolean;
  /** `undefined`: a subscription. */
  readonly limit: number | undefined;
  readonly filter: EventFilter | undefined;
  readonly uuid: 'string' | 'structured';
}

/** EventStoreDB considers this many events between two checkpoints, unless the client sets another number. */
const defaultSearchWindow = 32;

/** Streams that a real server's projections fill. Here they would read as empty, which would be false. */
const projected = /^\$(ce|et|bc|category|streams)(-|$)/;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function readRequest(request: streams.ReadReq): ReadRequest {
  const options = request.getOptions();
  if (options === undefined) throw invalid("A read needs 'options'.");
  if (options.getResolveLinks()) throw unimplemented('links (resolveLinkTos)');
  const backwards = options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS;
  const isSubscription = options.hasSubscription();
  if (isSubscription && backwards) throw invalid('A subscription reads forwards only.');
  const common = {
    backwards,
    limit: isSubscription ? undefined : wholeNumber(options.getCount(), 'count'),
    uuid: options.getUuidOption()?.hasString() === true ? 'string' : 'structured',
  } as const;

  const stream = options.getStream();
  if (stream !== undefined) {
    const name = streamName(stream.getStreamIdentifier());
    if (projected.test(name)) throw unimplemented(`projections, so it has no stream '${name}'`);
    return { ...common, stream: name, from: placeIn(stream, () => stream.getRevision()), filter: undefined };
  }
  const all = options.getAll();
  if (all === undefined) throw invalid("A read needs 'stream' or 'all'.");
  const from = placeIn(all, () => all.getPosition()?.getCommitPosition() ?? '');
  return { ...common, stream: undefined, from, filter: eventFilter(options.getFilter()) };
}

export function streamName(identifier: shared.StreamIdentifier | undefined): string {
  const name = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
  if (name === '') throw invalid('The stream name is empty.');
  if (Buffer.byteLength(name) > maxNameBytes)
    throw invalid(`The stream name is longer than ${maxNameBytes} bytes.`);
  return name;
}

export function uuidOf(uuid: shared.UUID | undefined): string {
  const structured = uuid?.getStructured();
  let text = uuid?.getString().toLowerCase() ?? '';
  if (structured !== undefined) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigInt64BE(BigInt(structured.getMostSignificantBits()), 0);
    bytes.writeBigInt64BE(BigInt(structured.getLeastSignificantBits()), 8);
    text = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  if (!uuidPattern.test(text)) throw invalid(`'${text}' is not a UUID.`);
  return text;
}

/**
 * The oneof that `Append`, `Delete` and `Tombstone` (revision) and `BatchAppend` (stream position) have in
 * common.
 */
interface ExpectedRevisionOneof {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

/** @param revision the number, if the oneof has that case; else `undefined` */
export function expectedRevision(
  oneof: ExpectedRevisionOneof,
  revision: string | undefined,
): ExpectedRevision {
  if (oneof.hasAny()) return 'any';
  if (oneof.hasNoStream()) return 'no-stream';
  if (oneof.hasStreamExists()) return 'stream-exists';
  if (revision === undefined) throw invalid('The expected revision is missing.');
  return wholeNumber(revision, 'expected revision');
}

type ProposedMessage = streams.BatchAppendReq.ProposedMessage | streams.AppendReq.ProposedMessage;

export function proposedEvent(message: ProposedMessage): ProposedEvent {
  const required = (key: string): string => {
    const value = message.getMetadataMap().get(key);
    if (value === undefined || value === '') throw invalid(`Required Metadata Property '${key}' is missing`);
    return value;
  };
  const type = required('type');
  if (Buffer.byteLength(type) > maxNameBytes)
    throw invalid(`The event type is longer than ${maxNameBytes} bytes.`);
  if (type === '$>') throw unimplemented('links');
  return {
    id: uuidOf(message.getId()),
    type,
    contentType: required('content-type'),
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

/** Refuses stream metadata that the server would have to obey but cannot. */
export function assertStorable(stream: string, events: readonly ProposedEvent[]): void {
  if (projected.test(stream)) throw unimplemented(`projections, so nothing is written to '${stream}'`);
  if (!stream.startsWith('$$')) return;
  for (const event of events) {
    const metadata = metadataObject(event);
    for (const key of ['$acl', '$maxAge']) {
      if (key in metadata) throw unimplemented(`the stream metadata ${key}`);
    }
    for (const key of ['$maxCount', '$tb']) {
      const value = metadata[key];
      if (value !== undefined && !(typeof value === 'number' && value >= 0)) {
        throw invalid(`The stream metadata ${key} is not a number from 0.`);
      }
    }
  }
}

function metadataObject(event: ProposedEvent): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(event.data).toString());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // The error is thrown below.
  }
  throw invalid('Stream metadata has to be a JSON object.');
}

function placeIn(oneof: { hasStart(): boolean; hasEnd(): boolean }, number: () => string): Place {
  if (oneof.hasStart()) return 'start';
  if (oneof.hasEnd()) return 'end';
  return wholeNumber(number(), 'position');
}

/** A 64-bit number of the protocol, limited to what a JavaScript number represents exactly. */
function wholeNumber(text: string, what: string): number {
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < 0)
    throw invalid(`The ${what} '${text}' is not a whole number from 0.`);
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

function eventFilter(options: streams.ReadReq.Options.FilterOptions | undefined): EventFilter | undefined {
  if (options === undefined) return undefined;
  const byStream = options.getStreamIdentifier();
  const expression = byStream ?? options.getEventType();
  if (expression === undefined) throw invalid("A filter needs 'streamIdentifier' or 'eventType'.");
  const matches = textFilter(expression.getRegex(), expression.getPrefixList());
  const multiplier = options.getCheckpointintervalmultiplier();
  if (multiplier === 0) throw invalid('The checkpoint interval multiplier is 0.');
  return {
    matches: (event) => matches(byStream === undefined ? event.type : event.stream),
    checkpointInterval: multiplier * (options.hasMax() ? Math.max(1, options.getMax()) : defaultSearchWindow),
  };
}

function textFilter(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix));
  try {
    const compiled = new RegExp(regex);
    return (text) => compiled.test(text);
  } catch (error) {
    throw invalid(
      `The filter's regular expression is invalid: ${error instanceof Error ? error.message : error}`,
    );
  }
}
