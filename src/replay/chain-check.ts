import { z } from 'zod';
import { effectId, eventId, eventMetadataSchema, GENESIS_HASH, hashOf } from '../events/envelope.ts';
import type { PlacedEvent } from './history-file.ts';

/**
 * A fault of a history at one event. `changed`: its content is not what was recorded. `missing`: it was removed.
 * `reordered`: it is at a place where it cannot have been stored. `repeated`: it occurs twice.
 */
export interface Fault {
  readonly kind: 'changed' | 'missing' | 'reordered' | 'repeated';
  /** Null if only the id of a missing event is known. */
  readonly stream: string | null;
  readonly revision: number | null;
  readonly type: string | null;
  /** Position of the event, or for a missing event the position where its absence shows. */
  readonly position: number;
  readonly what: string;
}

type Place = Pick<PlacedEvent, 'stream' | 'revision' | 'type' | 'position' | 'id'>;

interface Head {
  readonly place: Place | null;
  readonly revision: number;
  /** Hash of the last event; null if it cannot be used to check the next one. */
  readonly hash: string | null;
  /** Set if the last event did not follow the one before it. The next event shows which of the two was changed. */
  readonly doubted: { readonly before: Place; readonly event: Place } | null;
}

const BEFORE_FIRST: Head = { place: null, revision: -1, hash: GENESIS_HASH, doubted: null };

/** Most faults that are kept. With more, the whole history is probably foreign. */
const MAX_FAULTS = 1_000;

/** Most effects of one event that are searched to prove that a message followed from it. Genesis has the most. */
const MAX_EFFECTS = 4_096;
const MAX_PROOFS = 50;

/** Events that devices cause. They follow from a work order, whose event is in the same stream. */
const FROM_DEVICES: ReadonlySet<string> = new Set(['ModelAnswered', 'VoteCast', 'TaskFailed']);

/**
 * Checks the chain of every stream and the cause of every event, in the store's order, and collects the faults.
 *
 * It cannot find events that were removed from the end of the history or of a stream if no remaining event followed
 * from them; two neighbouring events of different streams that changed places if neither followed from the other; and a
 * history that was forged from the first event on, because nobody signs it.
 */
export class ChainCheck {
  readonly #unit: string;
  readonly #heads = new Map<string, Head>();
  readonly #faults: Fault[] = [];
  /** Missing events by `stream#revision`. An event that appears later was not missing. */
  readonly #gaps = new Map<string, Fault>();
  readonly #seen = new Set<string>();
  /** The first event that followed from an event that has not appeared yet, by the id of the latter. */
  readonly #awaited = new Map<string, { readonly event: Place; readonly messageId: string }>();
  #events = 0;

  constructor(unit: 'position' | 'line') {
    this.#unit = unit;
  }

  get events(): number {
    return this.#events;
  }

  get streams(): number {
    return this.#heads.size;
  }

  add(event: PlacedEvent): void {
    this.#events += 1;
    this.#checkCause(event);
    const head = this.#heads.get(event.stream) ?? BEFORE_FIRST;
    if (event.revision <= head.revision) this.#late(event);
    else this.#heads.set(event.stream, this.#follow(event, head));
  }

  /**
   * All faults in the order of their positions, followed by missing events of which only the id is known. The latter
   * may be the same as some of the former. If the history could not be read to its end, faults that later events would
   * decide are left out.
   */
  finish({ whole }: { readonly whole: boolean }): readonly Fault[] {
    if (!whole) return this.#sorted();
    for (const { doubted } of this.#heads.values()) {
      if (doubted) this.#doubt(doubted.event, doubted.before, 'either');
    }
    return [...this.#sorted(), ...this.#missingCauses()];
  }

  #missingCauses(): readonly Fault[] {
    return [...this.#awaited].slice(0, MAX_PROOFS).flatMap(([id, { event, messageId }]): Fault[] => {
      if (!followsFrom(messageId, id)) return [];
      const { stream, revision, type, position } = event;
      const what =
        `the event with the id ${id} is missing; revision ${revision} of ${stream} (a ${type}, ` +
        `${this.#unit} ${position}) followed from it. Unless it is listed above, the end of its stream or the whole stream was removed`;
      return [{ kind: 'missing', stream: null, revision: null, type: null, position, what }];
    });
  }

  #sorted(): readonly Fault[] {
    return [...this.#faults, ...this.#gaps.values()].sort((one, other) => one.position - other.position);
  }

  #follow(event: PlacedEvent, head: Head): Head {
    const place = placeOf(event);
    for (let revision = head.revision + 1; revision < event.revision; revision += 1) {
      this.#missing(event, revision);
      if (this.#gaps.size >= MAX_FAULTS) break;
    }
    const metadata = eventMetadataSchema.safeParse(event.metadata);
    if (!metadata.success) {
      const reasons = z.prettifyError(metadata.error).replace(/\s+/g, ' ');
      this.#changed(place, `its metadata are not valid: ${reasons}`);
      return { place, revision: event.revision, hash: null, doubted: null };
    }
    const { prevHash, messageId } = metadata.data;
    if (event.id !== eventId(event.stream, event.revision, event.type, event.data, messageId)) {
      this.#changed(place, 'its id does not belong to its content');
      return { place, revision: event.revision, hash: null, doubted: null };
    }
    const next: Head = { place, revision: event.revision, hash: hashOf(event), doubted: null };
    const isNext = event.revision === head.revision + 1;
    if (!isNext || head.hash === null) return next;
    const follows = prevHash === head.hash;
    if (head.doubted) {
      const { before, event: doubted } = head.doubted;
      this.#doubt(doubted, before, follows ? 'before' : 'event');
      return next;
    }
    if (follows) return next;
    if (head.place === null) {
      this.#changed(place, 'it is the first event of its stream but names an event before it');
      return { ...next, hash: null };
    }
    return { ...next, doubted: { before: head.place, event: place } };
  }

  /**
   * An event's `prevHash` is not the hash of the event before it. `who` is the one that the next event shows to be
   * changed.
   */
  #doubt(event: Place, before: Place, who: 'before' | 'event' | 'either'): void {
    if (who === 'before') {
      this.#changed(before, `revision ${event.revision} was recorded after different content of this event`);
    } else if (who === 'event') {
      this.#changed(event, 'its prevHash is not the hash of the event before it');
    } else {
      this.#changed(
        before,
        `revision ${event.revision}, the last of the stream, was recorded after different content of this event (or its prevHash was changed)`,
      );
    }
  }

  #missing({ stream, position }: PlacedEvent, revision: number): void {
    const after = this.#heads.get(stream)?.place;
    const where = after ? `${this.#unit} ${after.position} and ${position}` : `the beginning and ${position}`;
    this.#gaps.set(`${stream}#${revision}`, {
      kind: 'missing',
      stream,
      revision,
      type: null,
      position,
      what: `it is missing between ${where}`,
    });
  }

  /** The event has a revision that the stream has already passed. */
  #late(event: PlacedEvent): void {
    const place = placeOf(event);
    const gap = `${event.stream}#${event.revision}`;
    const missed = this.#gaps.get(gap);
    const base = { stream: place.stream, revision: place.revision, type: place.type };
    if (!missed) {
      this.#note({
        ...base,
        kind: 'repeated',
        position: place.position,
        what: 'its stream already had this revision',
      });
      return;
    }
    this.#gaps.delete(gap);
    const id = idOf(event);
    if (id !== null && id !== event.id) this.#changed(place, 'its id does not belong to its content');
    this.#note({
      ...base,
      kind: 'reordered',
      position: missed.position,
      what: `it is at ${this.#unit} ${place.position}, after later revisions of its stream from ${this.#unit} ${missed.position} on`,
    });
  }

  /** An event must be stored after the event that it followed from. */
  #checkCause(event: PlacedEvent): void {
    const waiting = this.#awaited.get(event.id);
    if (waiting) {
      this.#awaited.delete(event.id);
      const { stream, revision, type, position } = waiting.event;
      this.#note({
        kind: 'reordered',
        stream,
        revision,
        type,
        position,
        what:
          `it followed from revision ${event.revision} of ${event.stream} (a ${event.type}), ` +
          `which comes only later, at ${this.#unit} ${event.position}`,
      });
    }
    this.#seen.add(event.id);
    if (FROM_DEVICES.has(event.type)) return;
    const { causationId, messageId } = event.metadata as Readonly<Record<string, unknown>>;
    if (typeof causationId !== 'string' || typeof messageId !== 'string' || causationId === messageId) return;
    if (this.#seen.has(causationId) || this.#awaited.has(causationId)) return;
    this.#awaited.set(causationId, { event: placeOf(event), messageId });
  }

  #changed({ stream, revision, type, position }: Place, what: string): void {
    this.#note({ kind: 'changed', stream, revision, type, position, what });
  }

  #note(fault: Fault): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push(fault);
  }
}

/** Whether the message is one of the event's effects. If so, the event was stored once. */
function followsFrom(messageId: string, event: string): boolean {
  if (!/^[0-9a-f-]{36}$/.test(event)) return false;
  for (let index = 0; index < MAX_EFFECTS; index += 1) if (effectId(event, index) === messageId) return true;
  return false;
}

/** The id that belongs to the content; null if the metadata have no message id. */
function idOf({ stream, revision, type, data, metadata }: PlacedEvent): string | null {
  const { messageId } = metadata as Readonly<Record<string, unknown>>;
  return typeof messageId === 'string' ? eventId(stream, revision, type, data, messageId) : null;
}

function placeOf({ stream, revision, type, position, id }: PlacedEvent): Place {
  return { stream, revision, type, position, id };
}
