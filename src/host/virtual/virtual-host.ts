import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type ActorDefinition,
  type Address,
  type Command,
  CommandRefusedError,
  type DomainEvent,
} from '../../actors/actor.ts';
import {
  answersId,
  canonicalJson,
  deviceMessageId,
  effectId,
  eventMetadataSchema,
  hashOf,
  type MessageIds,
  timerId,
} from '../../events/envelope.ts';
import type { ActorKind } from '../../events/kinds.ts';
import type { WorkOrder } from '../../events/node.ts';
import { upcast } from '../../events/upcasters.ts';
import type { StoredEvent } from '../../eventstore/port.ts';
import { type CausedEffect, causedEffects, decideMessage } from '../decide.ts';
import { firstHead, type Head, streamOf, takeEvent, UnhandledEventError } from '../fold.ts';
import { givenFor } from '../given.ts';
import { Heap } from '../heap.ts';
import type { Message } from '../message.ts';

/**
 * What a device sends back for a work order. `afterMs`: how long it takes in virtual time, whole milliseconds,
 * at least 1.
 */
export interface Answered {
  readonly to: Address;
  readonly command: Command;
  readonly afterMs: number;
}

export interface VirtualHostOptions {
  readonly definitions: readonly ActorDefinition[];
  /** The virtual time of the beginning, ISO 8601. */
  readonly startAt: string;
  /** Reads the read-model rows that a decision may use, as of the last event that was passed to `onEvent`. */
  readonly reads: () => unknown;
  /** Called for every event and its content (see `SealedEvent`) in the order of positions, before its effects. */
  readonly onEvent: (event: StoredEvent, content: string) => void;
  /**
   * Runs inference. A result that is not a promise is taken without a turn of the event loop. The result must
   * depend only on the work order and the device. A rejection ends the run.
   */
  readonly work: (order: WorkOrder, device: string) => Answered | Promise<Answered>;
  /** Called for replies to clients. Default: they are dropped. */
  readonly onReply?: (subject: string, body: object) => void;
  /**
   * Called for commands that an actor refused, which a live network records as dead letters. Default: they are
   * dropped.
   */
  readonly onRefused?: (message: Message, reason: string) => void;
  /** Virtual time that a command takes from one actor to another, in milliseconds. Default 1. */
  readonly hopMs?: number;
  /** Most work orders that `work` handles at the same time. Default 64. */
  readonly inFlight?: number;
  /**
   * Encodes and validates every command as on the wire, so that a command that its receiver cannot read is an
   * error. Costs about as much as deciding. Default false.
   */
  readonly strict?: boolean;
}

export interface RestoreOptions {
  /**
   * Whether commands that followed from the event may not have arrived. Those that have recorded nothing are
   * sent again, and so are work orders of any age without an answer. Default: no event; use it for a history
   * that ends when nothing was in flight. In a live network a command may come twice, and the second one
   * records nothing. So return true only for events that are not older than the messages in flight: the state
   * may have changed since.
   */
  readonly maySendAgain?: (event: StoredEvent) => boolean;
}

/** An actor failed to decide a message. The fault is in the actor, not in the sender. The run is over. */
export class VirtualRunError extends Error {
  override readonly name = 'VirtualRunError';
}

interface Queued extends Message {
  readonly due: number;
  readonly sequence: number;
}

interface Armed {
  readonly due: number;
  /** The same time, as the event has it. */
  readonly dueAt: string;
  readonly to: Address;
  readonly command: Command;
  readonly correlationId: string;
  readonly causationId: string;
  /** The command as canonical JSON; null until it is needed. */
  text: string | null;
}

interface Actor {
  readonly definition: ActorDefinition;
  readonly stream: string;
}

/** After this many messages, the event loop gets a turn. */
const STEPS_PER_TURN = 4_096;

/**
 * Runs actors in virtual time, on one thread, without a broker or a clock. The definitions, ids and events are
 * the same as in a live network. Events at the same instant have one order, which depends only on the messages:
 * first messages in the order in which they were sent, then timers by their contents. So the same messages give
 * the same history byte for byte, also after a restore of a history in which nothing was in flight.
 *
 * A timer stays in memory until it is due, even if its deadline was met. If the caller never advances time,
 * timers accumulate.
 */
export class VirtualHost {
  readonly #definitions: ReadonlyMap<string, ActorDefinition>;
  readonly #byCategory: ReadonlyMap<string, ActorDefinition>;
  readonly #options: VirtualHostOptions;
  readonly #hopMs: number;
  readonly #heads = new Map<string, Head>();
  readonly #messages = new Heap<Queued>(isBefore);
  readonly #timers = new Heap<Armed>(isDueBefore);
  readonly #thinking = new Set<Promise<void>>();
  /** Work orders that wait until fewer are in progress. */
  readonly #waiting: (() => void)[] = [];
  #failure: { readonly error: unknown } | null = null;
  #lastFired: Armed | null = null;
  #now: number;
  #at: string;
  #sequence = 0;
  #position = 0;
  #handled = 0;

  constructor(options: VirtualHostOptions) {
    const { definitions, startAt, hopMs = 1 } = options;
    this.#options = options;
    this.#definitions = new Map(definitions.map((definition) => [definition.kind, definition]));
    this.#byCategory = new Map(definitions.map((definition) => [definition.category, definition]));
    if (!Number.isInteger(hopMs) || hopMs < 1) {
      throw new RangeError(`A hop takes at least one whole millisecond, not ${hopMs}.`);
    }
    this.#hopMs = hopMs;
    this.#now = Date.parse(startAt);
    if (Number.isNaN(this.#now)) throw new RangeError(`"${startAt}" is not a time to begin at.`);
    this.#at = new Date(this.#now).toISOString();
  }

  /** Virtual time, in milliseconds since 1970. */
  get now(): number {
    return this.#now;
  }

  /** The same as ISO 8601. */
  get at(): string {
    return this.#at;
  }

  /** Position of the last event; 0 before the first. */
  get position(): number {
    return this.#position;
  }

  /** How many messages were handled, how many timers wait, and how many actors there are. */
  get figures(): { readonly handled: number; readonly timers: number; readonly actors: number } {
    return { handled: this.#handled, timers: this.#timers.size, actors: this.#heads.size };
  }

  /** The state of an actor; undefined before its first event. */
  head(kind: ActorKind, id: string): Head | undefined {
    return this.#heads.get(streamOf(this.#definitionOf(kind), id));
  }

  /**
   * Sends a command from outside, now or at a later virtual time. Throws if the actor cannot read it. The
   * message id must be the same in every rerun.
   */
  send(to: Address, command: Command, messageId: string, dueMs = this.#now): void {
    const read = this.#definitionOf(to.kind).commands.parse(command);
    const ids = { messageId, correlationId: messageId, causationId: messageId };
    this.#enqueue(to, read, ids, null, dueMs, this.#nextSequence());
  }

  /**
   * Runs until no command is in flight, no inference is running and no timer is due. Virtual time is then the
   * time of the last message or timer. When the signal aborts, rejects with its reason, between two messages.
   */
  async runUntilQuiet(signal?: AbortSignal): Promise<void> {
    await this.#run(null, signal);
  }

  /** Runs until virtual time is `ms`, including everything that is due at `ms`. */
  async advanceTo(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms < this.#now) throw new RangeError(`Virtual time is already ${this.#at}. It never goes back.`);
    await this.#run(ms, signal);
    this.#goTo(ms);
  }

  /**
   * Restores a history as it is stored, in the order of positions, at the time at which the host begins.
   * `onEvent` is not called. Timers that the events set are armed if they are due later than now. Streams
   * without a definition are ignored.
   */
  restore(events: Iterable<StoredEvent>, { maySendAgain }: RestoreOptions = {}): void {
    const lasts = new Map<string, StoredEvent>();
    /**
     * What to do again, by message id. `answersFor` maps the ids that an answer may have to the id of its work
     * order.
     */
    const again = new Map<string, () => void>();
    const answersFor = new Map<string, string>();
    for (const event of events) {
      this.#position = Math.max(this.#position + 1, event.position);
      const actor = this.#actorOf(event.stream);
      if (!actor) continue;
      const { definition, stream } = actor;
      const id = stream.slice(definition.category.length + 1);
      const head = this.#heads.get(stream) ?? firstHead(definition, id);
      if (event.revision !== head.revision + 1) {
        throw new UnhandledEventError(
          `${stream} continues at revision ${event.revision} after ${head.revision}: events are missing.`,
        );
      }
      const { messageId, correlationId } = eventMetadataSchema.parse(event.metadata);
      const lifted: DomainEvent = { type: event.type, data: upcast(event) };
      const snapshot = takeEvent(definition, stream, event.revision, lifted, head.snapshot);
      this.#heads.set(stream, { revision: event.revision, eventId: event.id, hash: head.hash, snapshot });
      lasts.set(stream, event);

      again.delete(answersFor.get(messageId) ?? messageId);
      const to = { kind: definition.kind, id };
      const maySend = maySendAgain?.(event) ?? false;
      for (const caused of causedEffects(definition, lifted, snapshot, {
        eventId: event.id,
        correlationId,
      })) {
        const { effect, index } = caused;
        if (effect.kind === 'timer') {
          if (Date.parse(effect.dueAt) > this.#now) this.#follow(to, caused);
          continue;
        }
        const isWork = effect.kind === 'work' && maySendAgain !== undefined;
        if (!isWork && (effect.kind !== 'command' || !maySend)) continue;
        const followUpId = effectId(event.id, index);
        again.set(followUpId, () => this.#follow(to, caused));
        if (!isWork) continue;
        const answers = answersId(followUpId);
        answersFor.set(answers, followUpId);
        // The history may come from a live network, which names messages by device.
        answersFor.set(deviceMessageId(effect.device, answers), followUpId);
      }
    }
    for (const [stream, event] of lasts) {
      const head = this.#heads.get(stream);
      if (head) this.#heads.set(stream, { ...head, hash: hashOf(event) });
    }
    for (const follow of again.values()) follow();
  }

  async #run(until: number | null, signal: AbortSignal | undefined): Promise<void> {
    for (let steps = 1; ; steps += 1) {
      signal?.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      const message = this.#messages.first;
      const timer = this.#timers.first;
      const next = Math.min(message?.due ?? Number.POSITIVE_INFINITY, timer?.due ?? Number.POSITIVE_INFINITY);
      if (this.#thinking.size > 0 && next > this.#now) {
        // A result of inference may be the next message.
        await Promise.all(this.#thinking);
        continue;
      }
      const isOver = until === null ? message === undefined && next > this.#now : next > until;
      if (isOver) return;
      // A timer may be set for a time that has passed.
      this.#goTo(Math.max(this.#now, next));
      if (message?.due === next) {
        this.#messages.pop();
        this.#handle(message);
      } else if (timer) {
        this.#timers.pop();
        this.#fire(timer);
      }
      if (steps % STEPS_PER_TURN === 0) await nextTurn();
    }
  }

  #handle(message: Message): void {
    this.#handled += 1;
    const definition = this.#definitionOf(message.to.kind);
    const { id } = message.to;
    const stream = streamOf(definition, id);
    const head = this.#heads.get(stream) ?? firstHead(definition, id);
    const decision = this.#decide(definition, head, message);
    if (decision === null || decision.sealed.length === 0) return;
    this.#heads.set(stream, decision.head);
    let { revision } = head;
    for (const { event, content } of decision.sealed) {
      revision += 1;
      this.#position += 1;
      const { id, type, data, metadata } = event;
      const [position, created] = [this.#position, this.#at];
      this.#options.onEvent({ stream, revision, position, created, id, type, data, metadata }, content);
    }
    for (const caused of decision.effects) this.#follow(message.to, caused);
  }

  #decide(definition: ActorDefinition, head: Head, message: Message) {
    try {
      return decideMessage(definition, head, message, givenFor(message, this.#at, this.#options.reads));
    } catch (error) {
      if (error instanceof CommandRefusedError) {
        this.#options.onRefused?.(message, error.message);
        return null;
      }
      const { kind, id } = message.to;
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new VirtualRunError(
        `${message.command.type} to ${kind} ${id} at ${this.#at} (after event ${this.#position}) failed: ${what}`,
        { cause: error },
      );
    }
  }

  #follow(from: Address, { effect, index, eventId, correlationId }: CausedEffect): void {
    if (effect.kind === 'timer') {
      const { dueAt, command } = effect;
      const due = Date.parse(dueAt);
      this.#timers.push({ due, dueAt, to: from, command, correlationId, causationId: eventId, text: null });
      return;
    }
    if (effect.kind === 'reply') {
      this.#options.onReply?.(effect.subject, effect.body);
      return;
    }
    const messageId = effectId(eventId, index);
    if (effect.kind === 'work') {
      this.#think(effect.body, effect.device, { messageId, correlationId, causationId: eventId });
      return;
    }
    const command = this.#options.strict ? this.#asOnTheWire(effect.to, effect.command) : effect.command;
    const ids = { messageId, correlationId, causationId: eventId };
    this.#enqueue(effect.to, command, ids, null, this.#now + this.#hopMs, this.#nextSequence());
  }

  /**
   * Starts inference. The answer's order among all messages is fixed now, so it does not matter when it arrives
   * in real time.
   */
  #think(order: WorkOrder, device: string, ids: MessageIds): void {
    const issuedAt = this.#now;
    const sequence = this.#nextSequence();
    const take = ({ to, command, afterMs }: Answered) => {
      if (!Number.isInteger(afterMs) || afterMs < 1) {
        throw new RangeError(`An answer takes at least one whole millisecond, not ${afterMs}.`);
      }
      const read = this.#options.strict ? this.#asOnTheWire(to, command) : command;
      const { messageId, correlationId } = ids;
      const answers = { messageId: answersId(messageId), correlationId, causationId: messageId };
      this.#enqueue(to, read, answers, device, issuedAt + afterMs, sequence);
    };
    const fail = (error: unknown) => {
      this.#failure ??= { error };
    };
    this.#waiting.push(() => {
      try {
        const answered = this.#options.work(order, device);
        if (!(answered instanceof Promise)) return take(answered);
        const thought = answered
          .then(take)
          .catch(fail)
          .then(() => {
            this.#thinking.delete(thought);
            this.#startThinking();
          });
        this.#thinking.add(thought);
      } catch (error) {
        fail(error);
      }
    });
    this.#startThinking();
  }

  #startThinking(): void {
    const inFlight = this.#options.inFlight ?? 64;
    while (this.#failure === null && this.#thinking.size < inFlight) {
      const start = this.#waiting.shift();
      if (!start) return;
      start();
    }
  }

  /**
   * A timer that is known twice fires once. Both come one after the other, because timers are ordered by
   * everything that they contain.
   */
  #fire(timer: Armed): void {
    const { to, command, correlationId, causationId, dueAt } = timer;
    if (this.#lastFired && isSame(this.#lastFired, timer)) return;
    this.#lastFired = timer;
    let messageId: string | null = null;
    this.#handle({
      to,
      device: null,
      command,
      correlationId,
      causationId,
      // Most deadlines were met long before. Their timers record nothing and need no id.
      get messageId() {
        messageId ??= timerId(to, dueAt, command);
        return messageId;
      },
    });
  }

  #enqueue(
    to: Address,
    command: Command,
    ids: MessageIds,
    device: string | null,
    due: number,
    sequence: number,
  ): void {
    if (due < this.#now) throw new RangeError(`Virtual time is already ${this.#at}. It never goes back.`);
    const { messageId, correlationId, causationId } = ids;
    this.#messages.push({ to, device, command, messageId, correlationId, causationId, due, sequence });
  }

  #asOnTheWire(to: Address, command: Command): Command {
    return this.#definitionOf(to.kind).commands.parse(JSON.parse(canonicalJson(command)));
  }

  #goTo(ms: number): void {
    if (ms === this.#now) return;
    this.#now = ms;
    this.#at = new Date(ms).toISOString();
  }

  #nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  #definitionOf(kind: string): ActorDefinition {
    const definition = this.#definitions.get(kind);
    if (!definition) throw new VirtualRunError(`There is no actor of kind "${kind}".`);
    return definition;
  }

  #actorOf(stream: string): Actor | null {
    const definition = this.#byCategory.get(stream.slice(0, stream.indexOf('-')));
    return definition ? { definition, stream } : null;
  }
}

function isBefore(one: Queued, other: Queued): boolean {
  return one.due === other.due ? one.sequence < other.sequence : one.due < other.due;
}

/**
 * Orders by time, then by everything that the timer contains. The order in which timers were armed and restarts
 * make no difference.
 */
function isDueBefore(one: Armed, other: Armed): boolean {
  if (one.due !== other.due) return one.due < other.due;
  if (one.to.kind !== other.to.kind) return one.to.kind < other.to.kind;
  if (one.to.id !== other.to.id) return one.to.id < other.to.id;
  return textOf(one) < textOf(other);
}

function isSame(one: Armed, other: Armed): boolean {
  return (
    one.due === other.due &&
    one.to.kind === other.to.kind &&
    one.to.id === other.to.id &&
    textOf(one) === textOf(other)
  );
}

function textOf(timer: Armed): string {
  timer.text ??= canonicalJson(timer.command);
  return timer.text;
}
