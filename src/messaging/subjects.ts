import { InvalidSubjectTokenError } from './errors.ts';

/** Number of partitions for commands and their consumers. To change it, drain DELLM_CMD first. */
export const PARTITIONS = 64;

/**
 * Subjects that clients may ask: every `dellm.<name>`, and services with longer subjects. Subjects of the network's own
 * roles have more than two tokens, so a new `dellm.<name>` needs no new permission.
 */
export const CLIENT_SUBJECTS = ['dellm.*', 'dellm.ask.stream', 'dellm.history.*', 'dellm.accounts.open'];

export interface CommandTarget {
  readonly kind: string;
  readonly id: string;
}

export interface CommandSubject extends CommandTarget {
  readonly partition: number;
  /** The device whose broker user published the command, or null when a role of the network did. */
  readonly device: string | null;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
/** Every other byte is written as `=XX`, and an empty token as `=`. */
const PLAIN_TOKEN = /^[A-Za-z0-9_-]+$/;

/** Whether a text can be the id of an actor, a device or a fleet: 1 to 64 of `A-Z a-z 0-9 _ -`. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** Returns the id, or throws `InvalidSubjectTokenError`. */
export function requireId(text: string): string {
  if (!isId(text)) throw new InvalidSubjectTokenError(text);
  return text;
}

/**
 * Writes any text as one subject token without loss, so that a stream with an odd name has a subject too. Ids (see
 * `isId`) stay unchanged.
 */
export function escapeToken(text: string): string {
  if (PLAIN_TOKEN.test(text)) return text;
  if (text === '') return '=';
  let escaped = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    escaped += PLAIN_TOKEN.test(character)
      ? character
      : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

/** A 32-bit hash (FNV-1a with the finaliser of MurmurHash3). Stored data depends on it, so it must never change. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The partition (0 to 63) of an actor's id. */
export function partitionOf(id: string): number {
  return stableHash(id) % PARTITIONS;
}

/**
 * `dellm.cmd.<partition>.<kind>.<id>`, and with a device `….from.<device>`: that device's user alone may publish it.
 */
export function commandSubject(target: CommandTarget, device?: string): string {
  const subject = `dellm.cmd.${partitionOf(target.id)}.${requireId(target.kind)}.${requireId(target.id)}`;
  return device === undefined ? subject : `${subject}.from.${requireId(device)}`;
}

/** Parses a command's subject. Null if it is not one, or if the partition does not belong to the id. */
export function parseCommandSubject(subject: string): CommandSubject | null {
  const [root, space, partition, kind, id, from, device, ...rest] = subject.split('.');
  if (root !== 'dellm' || space !== 'cmd' || kind === undefined || id === undefined) return null;
  if (!isId(kind) || !isId(id) || partition !== String(partitionOf(id)) || rest.length > 0) return null;
  if (from === undefined) return { partition: partitionOf(id), kind, id, device: null };
  if (from !== 'from' || device === undefined || !isId(device)) return null;
  return { partition: partitionOf(id), kind, id, device };
}

/** All commands of one partition. */
export function partitionFilter(partition: number): string {
  return `dellm.cmd.${partition}.>`;
}

/** Inference work for one device. */
export function workSubject(device: string): string {
  return `dellm.work.${requireId(device)}`;
}

/** `dellm.evt.<category>.<id>.<Type>`. The category is the part of the stream's name before the first `-`. */
export function eventSubject(stream: string, type: string): string {
  const dash = stream.indexOf('-');
  const category = dash < 0 ? stream : stream.slice(0, dash);
  const id = dash < 0 ? '' : stream.slice(dash + 1);
  return `dellm.evt.${escapeToken(category)}.${escapeToken(id)}.${escapeToken(type)}`;
}

/** Subject under which a message that cannot be processed is kept. */
export function deadSubject(target: CommandTarget): string {
  return `dellm.dead.${escapeToken(target.kind)}.${escapeToken(target.id)}`;
}

/** Prefix of the inboxes in which gateways get the endings of queries. */
export const GATEWAY_INBOX = '_INBOX_gateway';

/**
 * Whether a subject is an inbox. Answer only there: the client names the subject of the answer, and the service may
 * publish more than the client (for example, a command).
 */
export function isInbox(subject: string | undefined): subject is string {
  return subject !== undefined && /^_INBOX(_[A-Za-z0-9_-]+)?\./.test(subject);
}
