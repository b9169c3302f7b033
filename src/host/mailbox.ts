import type { ActorDefinition, Address, Command } from '../actors/actor.ts';
import {
  AppendTooLargeError,
  type EventStore,
  EventStoreUnavailableError,
  StreamDeletedError,
} from '../eventstore/port.ts';
import { NatsUnavailableError } from '../messaging/errors.ts';
import type { Clock } from './clock.ts';
import { bury, delayOf } from './dead-letters.ts';
import { type Decision, decideMessage, type FollowUp, followUpOf } from './decide.ts';
import { type Head, streamOf } from './fold.ts';
import { givenFor } from './given.ts';
import { type OnLog, reasonOf } from './log.ts';
import type { Message } from './message.ts';
import type { RevisionRange } from './recent.ts';
import { type ActorState, isCurrent, recordedEffects, rehydrate } from './rehydrate.ts';
import { SNAPSHOT_EVERY, writeSnapshot } from './snapshots.ts';
import type { Timer } from './timers.ts';
import { type Delivery, type Outgoing, type Transport, UnpublishableError } from './transport.ts';

/** Gives the read-model rows that a decision may use, with the position that they are from. */
export type ReadsProvider = (kind: string, command: Command, to: Address) => unknown;

/** What messages are handled with. */
export interface Workplace {
  readonly store: EventStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly reads: ReadsProvider;
  readonly onLog: OnLog;
  startTimer(timer: Timer): void;
}

/** A message with every delivery of it that waits for the same outcome. */
interface Letter {
  readonly message: Message;
  readonly deliveries: Delivery[];
}

/** What messages that share an append come to. */
interface Batch {
  readonly decided: { letter: Letter; decision: Decision; followUps: readonly FollowUp[] }[];
  /** Their events are recorded already. */
  readonly seen: { letter: Letter; range: RevisionRange }[];
  readonly failed: { letter: Letter; outcome: Outcome }[];
  /** They did not fit in. */
  readonly left: readonly Letter[];
  /** Where the actor stands once the batch is stored. */
  readonly head: Head;
}

/**
 * What becomes of a message. `wait`: it comes again until the store and the broker are back. `fault`: nobody foresaw
 * what happened; the message has a few tries. `poison`: no try can succeed.
 */
type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'wait' | 'fault' | 'poison'; readonly reason: string };

/** Most messages that share an append. */
const BATCH = 64;
/** Most bytes of events that one append takes: below the 1 MiB of EventStoreDB 23.10, with room for its own overhead. */
const APPEND_BYTES = 768 * 1024;
/** How often messages are decided again at once when somebody else wrote first. */
const REFOLDS = 3;
/** With so many faults that nobody foresaw a message is given up. */
const MAX_FAULTS = 3;

const DONE: Outcome = { kind: 'done' };

/** Other owners of the actor keep writing first. */
class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/** The rows that a decision asked for could not be read. */
class RowsUnreadableError extends Error {
  override readonly name = 'RowsUnreadableError';
}

/**
 * The messages of one actor, and their life from top to bottom: find the actor, decide, append, apply, publish,
 * acknowledge. All messages that wait are decided one after another and share one append; while what follows from them
 * is published, the next ones are decided.
 */
export class Mailbox {
  readonly #definition: ActorDefinition;
  readonly #id: string;
  readonly #stream: string;
  readonly #workplace: Workplace;
  /** The actor, when it is in memory. */
  #actor: ActorState | null = null;
  /** By message id, until the broker knows what became of it. */
  readonly #letters = new Map<string, Letter>();
  /** Those that nobody has taken in hand, in order of arrival. */
  #waiting: Letter[] = [];
  /** Faults so far of messages that will be delivered again, by message id. */
  readonly #faults = new Map<string, number>();
  #running = false;
  #onIdle: (() => void)[] = [];

  constructor(definition: ActorDefinition, id: string, workplace: Workplace) {
    this.#definition = definition;
    this.#id = id;
    this.#stream = streamOf(definition, id);
    this.#workplace = workplace;
  }

  /** Whether nothing is in hand. */
  get idle(): boolean {
    return !this.#running && this.#letters.size === 0;
  }

  /** Resolves when nothing is in hand any more. */
  async settled(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Takes a message. One that is here already is not taken twice: all its deliveries get the same outcome. */
  put(message: Message, delivery: Delivery): void {
    const known = this.#letters.get(message.messageId);
    if (known) {
      known.deliveries.push(delivery);
      return;
    }
    const letter: Letter = { message, deliveries: [delivery] };
    this.#letters.set(message.messageId, letter);
    this.#waiting.push(letter);
    if (this.#running) return;
    this.#running = true;
    // What arrives within the same turn shares one append.
    queueMicrotask(() => void this.#run());
  }

  /** Tells the broker that everything here is still being worked on. */
  working(): void {
    for (const { deliveries } of this.#letters.values()) {
      for (const delivery of deliveries) delivery.working();
    }
  }

  /** Whether the actor, if it is in memory and at rest, would record nothing for a command of the network's own. */
  wouldIgnore(command: Command): boolean {
    if (!this.#actor || !this.idle) return false;
    const { snapshot } = this.#actor.head;
    const at = new Date(this.#workplace.clock.now()).toISOString();
    try {
      // A command that needs to look anything up is one that something comes of.
      const given = givenFor({ messageId: 'nobody', device: null }, at, () => undefined);
      const decided = this.#definition.decide(command, snapshot, given)[Symbol.iterator]();
      return decided.next(snapshot).done === true;
    } catch {
      return false;
    }
  }

  /** Lets go of the actor; the next message brings it back from its stream. */
  forget(): void {
    this.#actor = null;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const letters = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      await this.#handle(letters);
      if (this.#isSnapshotDue()) await this.#takeSnapshot();
    }
    this.#running = false;
    this.#tellIfIdle();
  }

  async #handle(letters: readonly Letter[]): Promise<void> {
    let left = letters;
    try {
      while (left.length > 0) {
        const batch = await this.#record(left);
        this.#conclude(batch);
        left = batch.left;
      }
    } catch (error) {
      // Nothing is known about an append that got no answer: fold again before anything else.
      this.forget();
      const outcome = outcomeOf(error);
      // Where one of several is bad, the others must not suffer.
      const tryAlone = left.length > 1 && outcome.kind !== 'wait';
      for (const letter of left) {
        if (tryAlone) await this.#handle([letter]);
        else void this.#acknowledge(letter, outcome);
      }
    }
  }

  /** Find, decide, append, apply: again from the beginning where somebody else wrote first. */
  async #record(letters: readonly Letter[]): Promise<Batch> {
    for (let attempt = 0; attempt <= REFOLDS; attempt += 1) {
      const justFolded = this.#actor === null;
      const actor = this.#actor ?? (await this.#find());
      const batch = this.#decide(actor, letters);
      if (await this.#append(actor, batch, justFolded)) {
        this.#apply(actor, batch);
        return batch;
      }
      this.forget();
    }
    throw new OvertakenError(`somebody else wrote to ${this.#stream} first, ${REFOLDS + 1} times in a row`);
  }

  async #find(): Promise<ActorState> {
    const { store, clock } = this.#workplace;
    this.#actor = await rehydrate(this.#definition, this.#id, store, clock.now());
    return this.#actor;
  }

  /** Message after message, each on the state that the ones before it lead to. One that throws changes nothing. */
  #decide({ head: before, recent }: ActorState, letters: readonly Letter[]): Batch {
    const decided: Batch['decided'] = [];
    const seen: Batch['seen'] = [];
    const failed: Batch['failed'] = [];
    const at = new Date(this.#workplace.clock.now()).toISOString();
    let head = before;
    let bytes = 0;
    for (const [index, letter] of letters.entries()) {
      const { message } = letter;
      const range = recent.get(message.messageId);
      if (range) {
        seen.push({ letter, range });
        continue;
      }
      try {
        const given = givenFor(message, at, () => this.#rowsFor(message));
        const decision = decideMessage(this.#definition, head, message, given);
        if (bytes > 0 && bytes + decision.bytes > APPEND_BYTES) {
          return { decided, seen, failed, left: letters.slice(index), head };
        }
        const followUps = decision.effects.map((caused) => followUpOf(message.to, caused));
        decided.push({ letter, decision, followUps });
        head = decision.head;
        bytes += decision.bytes;
      } catch (error) {
        const kind = error instanceof RowsUnreadableError ? 'fault' : 'poison';
        failed.push({ letter, outcome: { kind, reason: describe(error) } });
      }
    }
    return { decided, seen, failed, left: [], head };
  }

  #rowsFor({ to, command }: Message): unknown {
    try {
      return this.#workplace.reads(to.kind, command, to);
    } catch (cause) {
      throw new RowsUnreadableError(`for ${command.type}: ${reasonOf(cause)}`, { cause });
    }
  }

  /**
   * Whether the batch is stored: all its events at the exact expected revision, or nobody else wrote where it has none.
   * A state that was not read just now is then checked against the stream: a second owner may have gone on, and refusing
   * or passing over a message is a decision like any other.
   */
  async #append({ head }: ActorState, { decided, failed }: Batch, justFolded: boolean): Promise<boolean> {
    const { store } = this.#workplace;
    const events = decided.flatMap(({ decision }) => decision.sealed.map(({ event }) => event));
    if (events.length === 0) {
      const nothingDecided = decided.length === 0 && failed.length === 0;
      return justFolded || nothingDecided || isCurrent(this.#stream, head, store);
    }
    const expected = head.revision < 0 ? 'no-stream' : head.revision;
    const { outcome } = await store.append(this.#stream, events, expected);
    return outcome === 'appended';
  }

  /** The state that was decided on is the state that the actor has. */
  #apply(actor: ActorState, { decided, head }: Batch): void {
    const now = this.#workplace.clock.now();
    let first = actor.head.revision + 1;
    for (const { letter, decision } of decided) {
      const last = decision.head.revision;
      if (last >= first) actor.recent.add(letter.message.messageId, first, last, now);
      first = last + 1;
    }
    actor.head = head;
  }

  /** Publishes what follows from each message and then acknowledges it, without waiting for one another. */
  #conclude({ decided, seen, failed }: Batch): void {
    for (const { letter, outcome } of failed) void this.#acknowledge(letter, outcome);
    for (const { letter, followUps } of decided) {
      if (followUps.length === 0) void this.#acknowledge(letter, DONE);
      else void this.#publish(followUps).then((outcome) => this.#acknowledge(letter, outcome));
    }
    if (seen.length > 0) void this.#publishAgain(seen);
  }

  async #publish(followUps: readonly FollowUp[]): Promise<Outcome> {
    try {
      await Promise.all(followUps.map((followUp) => this.#carryOut(followUp)));
      return DONE;
    } catch (error) {
      const { kind, reason } = outcomeOf(error);
      return { kind, reason: `what follows was not published: ${reason}` };
    }
  }

  /** Their owner may have died, or the broker may have been away, before all that follows from them was published. */
  async #publishAgain(seen: Batch['seen']): Promise<void> {
    const { store } = this.#workplace;
    const ranges = new Map(seen.map(({ letter, range }) => [letter.message.messageId, range]));
    try {
      const effects = await recordedEffects(this.#definition, this.#id, store, ranges);
      for (const { letter } of seen) {
        const { messageId, to } = letter.message;
        const followUps = (effects.get(messageId) ?? []).map((caused) => followUpOf(to, caused));
        void this.#publish(followUps).then((outcome) => this.#acknowledge(letter, outcome));
      }
    } catch (error) {
      for (const { letter } of seen) void this.#acknowledge(letter, outcomeOf(error));
    }
  }

  async #carryOut(followUp: FollowUp): Promise<void> {
    const { transport, startTimer } = this.#workplace;
    if (followUp.kind === 'timer') {
      startTimer(followUp.timer);
      return;
    }
    try {
      await transport.publish(followUp.message);
    } catch (error) {
      if (!(error instanceof UnpublishableError)) throw error;
      await this.#giveUp(followUp.message, error.message);
    }
  }

  /** An effect that the broker can never take must not hold up the rest for ever: it is kept for people to look at. */
  async #giveUp(effect: Outgoing, reason: string): Promise<void> {
    const { transport, onLog } = this.#workplace;
    const { target, messageId, causationId, correlationId, body } = effect;
    onLog('error', `an effect was given up: ${reason}`, { messageId, causationId });
    const { kind, id } = target.kind === 'command' ? target.to : { kind: target.kind, id: messageId };
    const details = { messageId, causationId, correlationId, bytes: body.length };
    await transport.recordDead({ kind, id, reason, details });
  }

  async #acknowledge({ message: { messageId, to }, deliveries }: Letter, outcome: Outcome): Promise<void> {
    const { onLog } = this.#workplace;
    try {
      if (outcome.kind === 'done') {
        for (const delivery of deliveries) delivery.ack();
        this.#faults.delete(messageId);
      } else if (this.#isHopeless(messageId, outcome)) {
        if (await bury(deliveries, outcome.reason, this.#workplace)) this.#faults.delete(messageId);
      } else {
        const attempt = Math.max(...deliveries.map((delivery) => delivery.attempt));
        onLog('warn', `a message to ${to.kind} ${to.id} must wait: ${outcome.reason}`, { attempt });
        for (const delivery of deliveries) delivery.nak(delayOf(attempt));
      }
    } catch (error) {
      onLog('warn', `the broker was not told about a message: ${reasonOf(error)}`);
    }
    this.#letters.delete(messageId);
    this.#tellIfIdle();
  }

  /** Deliveries are not what counts: a message may have waited for a store or a broker many times before its first fault. */
  #isHopeless(messageId: string, { kind }: Outcome): boolean {
    if (kind !== 'fault') return kind === 'poison';
    const faults = (this.#faults.get(messageId) ?? 0) + 1;
    this.#faults.set(messageId, faults);
    return faults >= MAX_FAULTS;
  }

  #tellIfIdle(): void {
    if (!this.idle) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #isSnapshotDue(): boolean {
    if (!this.#actor) return false;
    const { head, snapshotRevision } = this.#actor;
    return head.revision - Math.max(snapshotRevision, 0) >= SNAPSHOT_EVERY;
  }

  /**
   * What follows from the last events may not be published yet: an owner that folds from here knows their messages, since
   * it looks further back for those.
   */
  async #takeSnapshot(): Promise<void> {
    const actor = this.#actor;
    if (!actor) return;
    const { store, onLog } = this.#workplace;
    const isFirst = actor.snapshotRevision < 0;
    actor.snapshotRevision = actor.head.revision;
    try {
      await writeSnapshot(store, this.#stream, this.#definition.machine, actor.head, isFirst);
    } catch (error) {
      onLog('warn', `no snapshot of ${this.#stream}: ${reasonOf(error)}`);
    }
  }
}

/** A store or a broker that is away comes back, and so does the turn of an owner that was too late. */
function outcomeOf(error: unknown): { kind: 'wait' | 'fault' | 'poison'; reason: string } {
  if (error instanceof AppendTooLargeError || error instanceof StreamDeletedError) {
    return { kind: 'poison', reason: describe(error) };
  }
  const passes =
    error instanceof EventStoreUnavailableError ||
    error instanceof NatsUnavailableError ||
    error instanceof OvertakenError;
  return { kind: passes ? 'wait' : 'fault', reason: describe(error) };
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
