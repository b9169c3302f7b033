import type { ActorDefinition, Address, Command } from '../actors/actor.ts';
import type { EventStore } from '../eventstore/port.ts';
import type { Clock } from './clock.ts';
import { bury, delayOf } from './dead-letters.ts';
import { type Decision, decideMessage, type FollowUp, followUpOf } from './decide.ts';
import {
  DONE,
  describe,
  FaultCounts,
  type Outcome,
  OvertakenError,
  outcomeOf,
  RowsUnreadableError,
} from './faults.ts';
import { type Head, streamOf } from './fold.ts';
import { givenFor } from './given.ts';
import { type OnLog, reasonOf } from './log.ts';
import type { Message } from './message.ts';
import type { RevisionRange } from './recent.ts';
import { type ActorState, isCurrent, recall, recordedEffects, rehydrate } from './rehydrate.ts';
import { SNAPSHOT_EVERY, writeSnapshot } from './snapshots.ts';
import type { Timer } from './timers.ts';
import { type Delivery, type Outgoing, type Transport, UnpublishableError } from './transport.ts';

/** Reads the read-model rows that a decision may use, with the position that they are from. */
export type ReadsProvider = (kind: string, command: Command, to: Address) => unknown;

/** The services that a mailbox needs. */
export interface Workplace {
  readonly store: EventStore;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly reads: ReadsProvider;
  readonly onLog: OnLog;
  startTimer(timer: Timer): void;
}

/** A message with all of its deliveries that wait for the same outcome. */
interface Letter {
  readonly message: Message;
  readonly deliveries: Delivery[];
}

/** The result of messages that share an append. */
interface Batch {
  readonly decided: { letter: Letter; decision: Decision; followUps: readonly FollowUp[] }[];
  /** Messages whose events are already recorded. */
  readonly seen: { letter: Letter; range: RevisionRange }[];
  readonly failed: { letter: Letter; outcome: Outcome }[];
  /** Messages whose events did not fit into this append. */
  readonly left: readonly Letter[];
  /** The actor's head once the batch is stored. */
  readonly head: Head;
}

/** Most messages that share an append. */
const BATCH = 64;
/** Most bytes of events in one append: below the 1 MiB limit of EventStoreDB 23.10, with room for its overhead. */
const APPEND_BYTES = 768 * 1024;
/** How often messages are decided again at once when another owner wrote first. */
const REFOLDS = 3;

/**
 * The messages of one actor, and their life from top to bottom: find the actor, decide, append, apply, publish,
 * acknowledge. All waiting messages are decided one after another and share one append. While their effects are
 * published, the next messages are decided.
 */
export class Mailbox {
  readonly #definition: ActorDefinition;
  readonly #id: string;
  readonly #stream: string;
  readonly #workplace: Workplace;
  /** The actor, if it is in memory. */
  #actor: ActorState | null = null;
  /** By message id, until the broker knows the outcome. */
  readonly #letters = new Map<string, Letter>();
  /** Messages that are not yet being handled, in order of arrival. */
  #waiting: Letter[] = [];
  readonly #faults = new FaultCounts();
  #usedAt = 0;
  #running = false;
  #onIdle: (() => void)[] = [];

  constructor(definition: ActorDefinition, id: string, workplace: Workplace) {
    this.#definition = definition;
    this.#id = id;
    this.#stream = streamOf(definition, id);
    this.#workplace = workplace;
  }

  /** When the last message came, by the host's clock. */
  get usedAt(): number {
    return this.#usedAt;
  }

  /** Whether nothing is in hand. */
  get idle(): boolean {
    return !this.#running && this.#letters.size === 0;
  }

  /** Resolves when nothing is in hand. */
  async settled(): Promise<void> {
    if (!this.idle) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /**
   * Takes a message. A message that is already here is not handled twice: all its deliveries get the same
   * outcome.
   */
  put(message: Message, delivery: Delivery): void {
    this.#usedAt = this.#workplace.clock.now();
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
    // Messages that arrive in the same turn share one append.
    queueMicrotask(() => void this.#run());
  }

  /** Tells the broker that everything here is still being processed. */
  working(): void {
    for (const { deliveries } of this.#letters.values()) {
      for (const delivery of deliveries) delivery.working();
    }
  }

  /** Whether the actor, if it is in memory and idle, would record nothing for a command that no device sent. */
  wouldIgnore(command: Command): boolean {
    if (!this.#actor || !this.idle) return false;
    const { snapshot } = this.#actor.head;
    const at = new Date(this.#workplace.clock.now()).toISOString();
    try {
      // There are no rows here: a command that needs them throws, and counts as one that records something.
      const given = givenFor({ messageId: 'nobody', device: null }, at, () => undefined);
      const decided = this.#definition.decide(command, snapshot, given)[Symbol.iterator]();
      return decided.next(snapshot).done === true;
    } catch {
      return false;
    }
  }

  /** Removes the actor from memory. The next message rehydrates it from its stream. */
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
      // Without an answer to the append, its result is unknown, so the actor must be folded again.
      this.forget();
      const outcome = outcomeOf(error);
      // If one of several messages is bad, the others must not fail with it.
      const tryAlone = left.length > 1 && outcome.kind !== 'wait';
      for (const letter of left) {
        if (tryAlone) await this.#handle([letter]);
        else void this.#acknowledge(letter, outcome);
      }
    }
  }

  /** Find, decide, append, apply. Starts again if another owner wrote first. */
  async #record(letters: readonly Letter[]): Promise<Batch> {
    for (let attempt = 0; attempt <= REFOLDS; attempt += 1) {
      const justFolded = this.#actor === null;
      const actor = this.#actor ?? (await this.#find());
      await this.#recallForgotten(actor, letters);
      const batch = this.#decide(actor, letters);
      if (await this.#append(actor, batch, justFolded)) {
        this.#apply(actor, batch);
        return batch;
      }
      this.forget();
    }
    throw new OvertakenError(`another owner wrote to ${this.#stream} first, ${REFOLDS + 1} times in a row`);
  }

  async #find(): Promise<ActorState> {
    const { store, clock } = this.#workplace;
    this.#actor = await rehydrate(this.#definition, this.#id, store, clock.now());
    return this.#actor;
  }

  /** A message that comes again may have been recorded so long ago that the actor has forgotten it. */
  async #recallForgotten(actor: ActorState, letters: readonly Letter[]): Promise<void> {
    const { recent } = actor;
    if (recent.complete || actor.head.revision < 0) return;
    const again = letters.filter(
      ({ message, deliveries }) =>
        recent.get(message.messageId) === undefined && deliveries.some(({ attempt }) => attempt > 1),
    );
    if (again.length === 0) return;
    const ids = new Set(again.map(({ message }) => message.messageId));
    const since = Math.min(...again.flatMap(({ deliveries }) => deliveries.map(({ sentAt }) => sentAt)));
    const { store, clock } = this.#workplace;
    await recall(ids, since, actor, this.#stream, store, clock.now());
  }

  /** Decides each message on the state after the messages before it. A message that throws changes nothing. */
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
   * Whether the batch is stored: all its events at the exact expected revision. A batch without events is valid
   * if nobody else wrote. Unless the state was just read, this is checked against the stream, because a second
   * owner may have written; refusing or ignoring a message is a decision, too.
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

  /** Gives the actor the state that was decided on. */
  #apply(actor: ActorState, { decided, seen, head }: Batch): void {
    const now = this.#workplace.clock.now();
    // A message that comes again is not forgotten while its effects are refused.
    for (const { letter, range } of seen) {
      actor.recent.add(letter.message.messageId, range.first, range.last, now);
    }
    let first = actor.head.revision + 1;
    for (const { letter, decision } of decided) {
      const last = decision.head.revision;
      if (last >= first) actor.recent.add(letter.message.messageId, first, last, now);
      first = last + 1;
    }
    actor.head = head;
  }

  /** Publishes the effects of each message and then acknowledges it. The messages do not wait for each other. */
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
      // The event is recorded, so its effects must go out, however long that takes.
      return { kind: 'wait', reason: `an effect was not published: ${describe(error)}` };
    }
  }

  /**
   * Publishes the effects of recorded messages again. Their owner may have died, or the broker may have been
   * away, before all were published.
   */
  async #publishAgain(seen: Batch['seen']): Promise<void> {
    const { store } = this.#workplace;
    const ranges = new Map(seen.map(({ letter, range }) => [letter.message.messageId, range]));
    try {
      const effects = await recordedEffects(this.#definition, this.#id, store, ranges);
      const again = seen.map(({ letter }) => {
        const { messageId, to } = letter.message;
        const followUps = (effects.get(messageId) ?? []).map((caused) => followUpOf(to, caused));
        return { letter, followUps };
      });
      for (const { letter, followUps } of again) {
        void this.#publish(followUps).then((outcome) => this.#acknowledge(letter, outcome));
      }
    } catch (error) {
      const { kind, reason } = outcomeOf(error);
      // As in `#publish`: only a stream that is gone ends the tries.
      const outcome: Outcome = { kind: kind === 'poison' ? kind : 'wait', reason };
      for (const { letter } of seen) void this.#acknowledge(letter, outcome);
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

  /**
   * Records an effect that the broker can never take, for people to look at. It must not block the rest
   * forever.
   */
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
        this.#faults.forget(messageId);
      } else {
        const attempt = Math.max(...deliveries.map((delivery) => delivery.attempt));
        const delay =
          outcome.kind === 'wait' ? delayOf(attempt) : this.#faults.delayAfter(messageId, outcome.kind);
        if (delay === null) {
          if (await bury(deliveries, outcome.reason, this.#workplace)) this.#faults.forget(messageId);
        } else {
          onLog('warn', `a message to ${to.kind} ${to.id} must wait: ${outcome.reason}`, { attempt });
          for (const delivery of deliveries) delivery.nak(delay);
        }
      }
    } catch (error) {
      onLog('warn', `the broker was not told about a message: ${reasonOf(error)}`);
    }
    this.#letters.delete(messageId);
    this.#tellIfIdle();
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
   * Effects of the last events may not be published yet. That is safe: an owner that folds from this snapshot
   * also reads the messages before it (`recallBefore` in `rehydrate.ts`).
   */
  async #takeSnapshot(): Promise<void> {
    const actor = this.#actor;
    if (!actor) return;
    const { store, onLog } = this.#workplace;
    actor.snapshotRevision = actor.head.revision;
    try {
      await writeSnapshot(store, this.#stream, this.#definition.machine, actor.head);
    } catch (error) {
      onLog('warn', `no snapshot of ${this.#stream}: ${reasonOf(error)}`);
    }
  }
}
