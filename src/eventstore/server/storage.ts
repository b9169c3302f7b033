import { randomUUID } from 'node:crypto';
import type Database from 'libsql';
import { appendedBytes } from '../arguments.ts';
import { checkCommit } from '../commit-check.ts';
import type { ExpectedRevision } from '../port.ts';

/** An event that a client wants to append. `id` is a UUID in lower case. */
export interface ProposedEvent {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** An event as it is stored; `created` in milliseconds since 1970. */
export interface EventRow extends ProposedEvent {
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly created: number;
}

export type WriteOutcome =
  | { readonly kind: 'stored'; readonly revision: number; readonly position: number }
  | { readonly kind: 'conflict'; readonly current: number }
  | { readonly kind: 'deleted' };

/** The revisions that a read of the stream shows. None if `first > last`. */
export interface VisibleRange {
  readonly first: number;
  readonly last: number;
  readonly tombstone: boolean;
}

/**
 * EventStoreDB gives a tombstone the highest revision. Here it is the highest that a JavaScript number
 * represents.
 */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;

const tombstoneType = '$streamDeleted';

/** `$tb` (truncate before) of a softly deleted stream in EventStoreDB: the largest 64-bit integer. */
const softDeleteMark = '9223372036854775807';

/** Most turns of the event loop that a commit waits while more writes arrive. */
const longestGathering = 32;

/** Number of streams whose last revision and metadata are cached. */
const cachedHeads = 50_000;

interface StreamMetadata {
  readonly $maxCount?: number;
  readonly $tb?: number;
}

interface Head {
  lastRevision: number;
  readonly tombstone: boolean;
  readonly metadata: StreamMetadata | undefined;
}

interface WaitingWrite {
  readonly write: () => WriteOutcome;
  readonly resolve: (outcome: WriteOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The log of events in SQLite, with EventStoreDB's rules. Writes that arrive together share one transaction, so
 * that one flush to disk acknowledges all of them. Reads are synchronous and see only committed events.
 */
export class Storage {
  /** Number of commits so far. */
  commits = 0;
  readonly #database: Database.Database;
  readonly #statements: ReturnType<typeof prepareStatements>;
  readonly #heads = new Map<string, Head>();
  readonly #waiting: WaitingWrite[] = [];
  readonly #listeners = new Set<() => void>();
  #end: number;
  #gathering = false;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#statements = prepareStatements(database);
    this.#end = this.#statements.lastPosition();
  }

  append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly ProposedEvent[],
  ): Promise<WriteOutcome> {
    return this.#enqueue(() => this.#append(stream, expected, events));
  }

  /** Deletes softly: the stream reads as not found, and a later append continues its revisions. */
  delete(stream: string, expected: ExpectedRevision): Promise<WriteOutcome> {
    return this.#enqueue(() => {
      const refused = this.#refusal(stream, expected);
      if (refused !== undefined) return refused;
      const kept = JSON.stringify({ ...this.#head(stream).metadata, $tb: 0 });
      const text = kept.replace('"$tb":0', `"$tb":${softDeleteMark}`);
      return this.#writeMetadata(stream, text);
    });
  }

  /** Deletes for good: the stream accepts no more events. */
  tombstone(stream: string, expected: ExpectedRevision): Promise<WriteOutcome> {
    return this.#enqueue(() => {
      const refused = this.#refusal(stream, expected);
      if (refused !== undefined) return refused;
      const event = systemEvent(tombstoneType, '');
      const position = this.#insert(stream, tombstoneRevision, event, Date.now());
      this.#heads.delete(stream);
      return { kind: 'stored', revision: tombstoneRevision, position };
    });
  }

  visibleRange(stream: string): VisibleRange {
    const { lastRevision, metadata, tombstone } = this.#head(stream);
    // Metadata streams show only their last event, as with `$maxCount` 1.
    const maxCount = stream.startsWith('$$') ? 1 : (metadata?.$maxCount ?? Infinity);
    const first = Math.max(0, metadata?.$tb ?? 0, lastRevision + 1 - maxCount);
    return { first, last: lastRevision, tombstone };
  }

  streamPage(stream: string, revision: number, limit: number, backwards: boolean): EventRow[] {
    const { streamForwards, streamBackwards } = this.#statements;
    return (backwards ? streamBackwards : streamForwards)(stream, revision, limit);
  }

  /** Forwards: from this position. Backwards: from the position before it. */
  allPage(position: number, limit: number, backwards: boolean): EventRow[] {
    const { allForwards, allBackwards } = this.#statements;
    return (backwards ? allBackwards : allForwards)(position, limit);
  }

  /** A position after every committed event. */
  get end(): number {
    return this.#end + 1;
  }

  /** Calls `listener` once, after the next commit. Returns a function that cancels this. */
  onceCommitted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #enqueue(write: () => WriteOutcome): Promise<WriteOutcome> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject });
      if (this.#gathering) return;
      this.#gathering = true;
      this.#gather(0);
    });
  }

  /** Waits while more writes arrive, then commits them all. */
  #gather(turn: number): void {
    const joined = this.#waiting.length;
    setImmediate(() => {
      if (this.#waiting.length > joined && turn < longestGathering) this.#gather(turn + 1);
      else this.flush();
    });
  }

  /** Commits all waiting writes now. */
  flush(): void {
    this.#gathering = false;
    this.#commit(this.#waiting.splice(0));
  }

  #commit(writes: readonly WaitingWrite[]): void {
    if (writes.length === 0) return;
    const endBefore = this.#end;
    let outcomes: WriteOutcome[];
    try {
      this.#database.exec('begin immediate');
      outcomes = writes.map(({ write }) => write());
      this.#database.exec('commit');
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('rollback');
      this.#heads.clear();
      this.#end = endBefore;
      const [only, ...others] = writes;
      if (others.length === 0) only?.reject(error);
      // One bad write must not make the others fail.
      else for (const write of writes) this.#commit([write]);
      return;
    }
    this.commits += 1;
    for (const [i, outcome] of outcomes.entries()) writes[i]?.resolve(outcome);
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }

  #append(stream: string, expected: ExpectedRevision, events: readonly ProposedEvent[]): WriteOutcome {
    const ids = events.map((event) => event.id);
    const decision = this.#decide(stream, expected, ids);
    const head = this.#head(stream);
    switch (decision.kind) {
      case 'deleted':
        return { kind: 'deleted' };
      case 'conflict':
        return { kind: 'conflict', current: head.lastRevision };
      case 'idempotent': {
        const position = this.#statements.positionOf(stream, decision.revision);
        return { kind: 'stored', revision: decision.revision, position };
      }
      case 'append': {
        if (isSoftlyDeleted(head)) {
          const metadata = { ...head.metadata, $tb: head.lastRevision + 1 };
          this.#writeMetadata(stream, JSON.stringify(metadata));
        }
        return this.#insertAll(stream, events);
      }
    }
  }

  #insertAll(stream: string, events: readonly ProposedEvent[]): WriteOutcome {
    const head = this.#head(stream);
    const created = Date.now();
    let revision = head.lastRevision;
    for (const event of events) {
      revision += 1;
      this.#insert(stream, revision, event, created);
    }
    head.lastRevision = revision;
    // The metadata belongs to another stream, whose head must be read again.
    if (stream.startsWith('$$')) this.#heads.delete(stream.slice(2));
    return { kind: 'stored', revision, position: this.#end };
  }

  #insert(stream: string, revision: number, event: ProposedEvent, created: number): number {
    // Like the byte offsets in EventStoreDB's log: increasing, never consecutive.
    this.#end += 64 + stream.length + appendedBytes(event);
    this.#statements.insert(this.#end, stream, revision, event, created);
    return this.#end;
  }

  #writeMetadata(stream: string, text: string): WriteOutcome {
    return this.#insertAll(`$$${stream}`, [systemEvent('$metadata', text)]);
  }

  /** For deletes, which have no event ids that could repeat. */
  #refusal(stream: string, expected: ExpectedRevision): WriteOutcome | undefined {
    const decision = this.#decide(stream, expected, [randomUUID()]);
    if (decision.kind === 'append') return undefined;
    if (decision.kind === 'deleted') return { kind: 'deleted' };
    return { kind: 'conflict', current: this.#head(stream).lastRevision };
  }

  #decide(stream: string, expected: ExpectedRevision, ids: readonly string[]) {
    const head = this.#head(stream);
    return checkCommit(
      {
        lastRevision: head.lastRevision,
        deleted: head.tombstone ? 'tombstone' : isSoftlyDeleted(head) ? 'soft' : 'no',
        hasMetadata: head.metadata !== undefined,
        idAt: (revision) => this.#statements.idAt(stream, revision),
        revisionOf: (id) => this.#statements.revisionOf(id, stream),
      },
      expected,
      ids,
    );
  }

  #head(stream: string): Head {
    const cached = this.#heads.get(stream);
    if (cached !== undefined) return cached;
    const last = this.#statements.last(stream);
    const head: Head = {
      lastRevision: last?.revision ?? -1,
      tombstone: last?.type === tombstoneType,
      metadata: stream.startsWith('$$') ? undefined : this.#metadataOf(stream),
    };
    if (this.#heads.size >= cachedHeads) this.#heads.delete(this.#heads.keys().next().value ?? '');
    this.#heads.set(stream, head);
    return head;
  }

  #metadataOf(stream: string): StreamMetadata | undefined {
    const [event] = this.streamPage(`$$${stream}`, tombstoneRevision, 1, true);
    if (event === undefined) return undefined;
    const parsed: unknown = JSON.parse(Buffer.from(event.data).toString());
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  }
}

function isSoftlyDeleted(head: Head): boolean {
  return (head.metadata?.$tb ?? 0) >= Number(softDeleteMark);
}

function systemEvent(type: string, text: string): ProposedEvent {
  return {
    id: randomUUID(),
    type,
    contentType: 'application/json',
    data: Buffer.from(text),
    metadata: Buffer.alloc(0),
  };
}

/** libsql returns the blobs of `.all()` as ArrayBuffers. */
interface RawRow extends Omit<EventRow, 'data' | 'metadata' | 'contentType'> {
  readonly content_type: string;
  readonly data: ArrayBuffer;
  readonly metadata: ArrayBuffer;
}

function prepareStatements(database: Database.Database) {
  const insert = database.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const lastPosition = database.prepare('select coalesce(max(position), 0) as position from events');
  const last = database.prepare(
    'select revision, type from events where stream = ? order by revision desc limit 1',
  );
  const at = database.prepare('select id, position from events where stream = ? and revision = ?');
  const byId = database.prepare('select max(revision) as revision from events where id = ? and stream = ?');
  const page = (condition: string, order: string) => {
    const statement = database.prepare(`select * from events where ${condition} order by ${order} limit ?`);
    return (...parameters: unknown[]): EventRow[] => (statement.all(...parameters) as RawRow[]).map(eventRow);
  };
  return {
    insert: (position: number, stream: string, revision: number, event: ProposedEvent, created: number) => {
      const { id, type, contentType, data, metadata } = event;
      insert.run(position, stream, revision, id, type, contentType, created, data, metadata);
    },
    lastPosition: () => (lastPosition.get() as { position: number }).position,
    last: (stream: string) => last.get(stream) as { revision: number; type: string } | undefined,
    idAt: (stream: string, revision: number) => (at.get(stream, revision) as { id: string } | undefined)?.id,
    positionOf: (stream: string, revision: number) =>
      (at.get(stream, revision) as { position: number } | undefined)?.position ?? 0,
    revisionOf: (id: string, stream: string) =>
      (byId.get(id, stream) as { revision: number | null }).revision ?? undefined,
    streamForwards: page('stream = ? and revision >= ?', 'revision'),
    streamBackwards: page('stream = ? and revision <= ?', 'revision desc'),
    allForwards: page('position >= ?', 'position'),
    allBackwards: page('position < ?', 'position desc'),
  };
}

function eventRow(raw: RawRow): EventRow {
  return {
    position: raw.position,
    stream: raw.stream,
    revision: raw.revision,
    id: raw.id,
    type: raw.type,
    contentType: raw.content_type,
    created: raw.created,
    data: new Uint8Array(raw.data),
    metadata: new Uint8Array(raw.metadata),
  };
}
