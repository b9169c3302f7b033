import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { canonicalJson, type HashedContent, SCHEMA_VERSION } from '../events/envelope.ts';
import { UnknownSchemaVersionError, versionOf } from '../events/upcasters.ts';

/**
 * The file format of histories, `history.jsonl`: one event per line in the store's order, as canonical JSON of
 * `{stream, revision, id, type, data, metadata}`, with a newline after each line, in UTF-8. There is no header and
 * nothing that belongs to the store (positions, times of writing), so the same history gives the same bytes. The file
 * alone is enough to check ids and hash chains. An event's position is its line number, from 1.
 */

/** The content of a line. */
export type HistoryEvent = HashedContent;

/** An event of a history with its position. */
export interface PlacedEvent extends HistoryEvent {
  /** The store's position, or the line number in a file. Grows from event to event. */
  readonly position: number;
}

/** A place right after an event, from which reading can continue. */
export interface Cursor {
  /** Position of that event. */
  readonly position: number;
  /** Bytes of the file up to and including that event's line; 0 if the source is not such a file. */
  readonly offset: number;
}

/** Consecutive events, at least one, and the place after them. */
export interface HistoryBatch {
  readonly events: readonly PlacedEvent[];
  readonly cursor: Cursor;
}

/** A line of a file is not an event of a history. The file was only read. */
export class HistoryFileError extends Error {
  override readonly name = 'HistoryFileError';
  readonly file: string;
  /** Line number, from 1. */
  readonly line: number;
  constructor(file: string, line: number, what: string, advice: string, cause?: unknown) {
    super(`Line ${line} of ${file} ${what}. The file was only read. ${advice}`, { cause });
    this.file = file;
    this.line = line;
  }
}

/** Bytes of one read, which is also about the size of a batch. */
const CHUNK_BYTES = 1024 * 1024;

/** Longest accepted line. The store takes appends of 1 MiB, and JSON may write a byte as six. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const MEMBERS = ['stream', 'revision', 'id', 'type', 'data', 'metadata'] as const;

const NEWLINE = 0x0a;

/** The event's line in a history file, with its newline. Throws `NotJsonError` for data that JSON cannot hold. */
export function historyLine({ stream, revision, id, type, data, metadata }: HistoryEvent): string {
  return `${canonicalJson({ stream, revision, id, type, data, metadata })}\n`;
}

/**
 * The events of a file in order, each with its line number as position.
 *
 * @throws {HistoryFileError} at a line that is cut off, not JSON, not an event, or of a later release. The events before it
 * were already returned.
 */
export async function* readHistoryFile(path: string): AsyncGenerator<PlacedEvent> {
  for await (const { events } of readHistoryBatches(path)) yield* events;
}

/** The same in batches, which is several times as fast. It may start at the end of an earlier batch. */
export async function* readHistoryBatches(
  path: string,
  after: Cursor = { position: 0, offset: 0 },
): AsyncGenerator<HistoryBatch> {
  const handle = await open(path, 'r');
  try {
    let { position, offset } = after;
    for await (const block of wholeLines(handle, path, after)) {
      const sound = isUtf8(block);
      const events: PlacedEvent[] = [];
      let start = 0;
      try {
        for (let end = block.indexOf(NEWLINE); end >= 0; end = block.indexOf(NEWLINE, start)) {
          if (!sound && !isUtf8(block.subarray(start, end))) throw notUtf8(path, position + 1);
          // Line by line: one string of the whole block would use two bytes per character if any character needs them.
          events.push(parseLine(block.toString('utf8', start, end), path, position + 1));
          position += 1;
          start = end + 1;
        }
      } catch (error) {
        if (events.length > 0) yield { events, cursor: { position, offset: offset + start } };
        throw error;
      }
      offset += block.length;
      yield { events, cursor: { position, offset } };
    }
  } finally {
    await handle.close();
  }
}

/** The event whose line ends at the place; null if no line ends there. */
export async function eventBefore(path: string, { position, offset }: Cursor): Promise<PlacedEvent | null> {
  if (offset <= 0) return null;
  const handle = await open(path, 'r');
  try {
    if ((await handle.stat()).size < offset) return null;
    for (let wanted = 64 * 1024; ; wanted *= 4) {
      const start = Math.max(0, offset - wanted);
      const bytes = await readFully(handle, start, offset - start);
      if (bytes.at(-1) !== NEWLINE) return null;
      const before = bytes.lastIndexOf(NEWLINE, bytes.length - 2);
      if (before >= 0 || start === 0) {
        return parseLine(bytes.toString('utf8', before + 1, bytes.length - 1), path, position);
      }
      if (wanted > MAX_LINE_BYTES) return null;
    }
  } catch (error) {
    if (error instanceof HistoryFileError) return null;
    throw error;
  } finally {
    await handle.close();
  }
}

/** Blocks of bytes that contain whole lines. */
async function* wholeLines(handle: FileHandle, path: string, after: Cursor): AsyncGenerator<Buffer> {
  let { position, offset } = after;
  let rest: Buffer = Buffer.alloc(0);
  for (;;) {
    const chunk = await readFully(handle, offset, CHUNK_BYTES);
    offset += chunk.length;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const block = bytes.subarray(0, end);
      yield block;
      position += countOf(block);
    }
    rest = bytes.subarray(end);
    if (rest.length > MAX_LINE_BYTES) {
      throw new HistoryFileError(
        path,
        position + 1,
        `is longer than ${MAX_LINE_BYTES} bytes, which is too long for an event`,
        'Is the file a history.jsonl, as "dellm history export" writes it?',
      );
    }
    if (chunk.length > 0) continue;
    if (rest.length > 0) {
      throw new HistoryFileError(
        path,
        position + 1,
        'is cut off: it has no end of line',
        `Export the history again, or remove that line to read the ${position} events before it.`,
      );
    }
    return;
  }
}

/** Reads this many bytes, or as many as there are. */
async function readFully(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function notUtf8(path: string, line: number): HistoryFileError {
  return new HistoryFileError(path, line, 'is not UTF-8', 'It is damaged. Export the history again.');
}

function parseLine(text: string, path: string, line: number): PlacedEvent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HistoryFileError(path, line, 'is not JSON', 'It is damaged. Export the history again.', cause);
  }
  const fault = faultOf(value);
  if (fault !== null) {
    const advice = 'Each line must be an event, as "dellm history export" writes it.';
    throw new HistoryFileError(path, line, `is not an event of a history: ${fault}`, advice);
  }
  // `faultOf` has checked every member, and nobody else uses the object.
  const event = value as HistoryEvent & { position: number };
  const version = versionIn(event.metadata);
  if (version > SCHEMA_VERSION) {
    const cause = new UnknownSchemaVersionError(event.type, version);
    throw new HistoryFileError(
      path,
      line,
      `has a ${event.type} of schema version ${version}, and this release reads versions up to ${SCHEMA_VERSION}`,
      'Read it with the release that wrote it, or a later one.',
      cause,
    );
  }
  event.position = line;
  return event;
}

function faultOf(value: unknown): string | null {
  if (!isObject(value)) return 'it is not an object';
  const { stream, revision, id, type, data, metadata } = value;
  if (typeof stream !== 'string' || stream === '') return 'it has no stream';
  if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || revision < 0)
    return 'it has no revision';
  if (typeof id !== 'string' || id === '') return 'it has no id';
  if (typeof type !== 'string' || type === '') return 'it has no type';
  if (!isObject(data)) return 'it has no data';
  if (!isObject(metadata)) return 'it has no metadata';
  let members = 0;
  for (const _member in value) members += 1;
  if (members === MEMBERS.length) return null;
  const foreign = Object.keys(value).find((name) => !(MEMBERS as readonly string[]).includes(name));
  return `it has an unknown member "${foreign?.slice(0, 40)}"`;
}

/** Checks this release's version first, because it is by far the most frequent one. */
function versionIn(metadata: object): number {
  return 'schemaVersion' in metadata && metadata.schemaVersion === SCHEMA_VERSION
    ? SCHEMA_VERSION
    : versionOf(metadata);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countOf(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NEWLINE); at >= 0; at = block.indexOf(NEWLINE, at + 1)) count += 1;
  return count;
}
