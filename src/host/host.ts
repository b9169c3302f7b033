import type { ActorDefinition, Address, Command } from '../actors/actor.ts';
import { NotJsonError } from '../events/envelope.ts';
import type { EventStore } from '../eventstore/port.ts';
import { type Clock, systemClock } from './clock.ts';
import { bury } from './dead-letters.ts';
import type { OnLog } from './log.ts';
import { Mailbox, type ReadsProvider, type Workplace } from './mailbox.ts';
import { type Message, PoisonError, readMessage } from './message.ts';
import type { Timer } from './timers.ts';
import type { Delivery, Transport } from './transport.ts';

export interface HostOptions {
  readonly definitions: readonly ActorDefinition[];
  readonly store: EventStore;
  readonly transport: Transport;
  readonly reads: ReadsProvider;
  readonly startTimer: (timer: Timer) => void;
  readonly onLog: OnLog;
  /** Default: the wall clock. */
  readonly clock?: Clock;
  /** Most actors in memory, about 10 KB each. The one that was used least recently leaves first. Default 20,000. */
  readonly maxActors?: number;
}

const MAX_ACTORS = 20_000;

/** So many actors stay in memory, even if nobody uses them. */
const RESIDENT_ACTORS = 2_000;

/**
 * In milliseconds. When a new actor comes, those beyond `RESIDENT_ACTORS` that had no message for this long leave, so
 * that memory follows the load and not the history. It is longer than the default deadline of a query: when its timer fires, the actor is
 * still here and knows that the wait is over, which saves a message.
 */
const RESTING_MS = 90_000;

/**
 * The actors that live in this process. The host knows nothing of partitions: it handles every message that it
 * receives.
 */
export class Host {
  readonly #definitions: ReadonlyMap<string, ActorDefinition>;
  readonly #workplace: Workplace;
  readonly #maxActors: number;
  /** By kind and id. The one that was used least recently comes first. */
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(options: HostOptions) {
    const { definitions, store, transport, reads, startTimer, onLog, clock = systemClock } = options;
    this.#definitions = new Map(definitions.map((definition) => [definition.kind, definition]));
    this.#workplace = { store, transport, clock, reads, startTimer, onLog };
    this.#maxActors = options.maxActors ?? MAX_ACTORS;
  }

  /** How many actors are in memory. */
  get size(): number {
    return this.#mailboxes.size;
  }

  /**
   * Takes a message. The outcome (acknowledged, asked for again, or given up) is reported later on the
   * delivery.
   */
  receive(delivery: Delivery): void {
    const definition = this.#definitions.get(delivery.kind);
    const message = definition ? read(definition, delivery) : `There is no actor of kind "${delivery.kind}".`;
    if (!definition || typeof message === 'string') {
      bury([delivery], String(message), this.#workplace).catch(() => delivery.nak(0));
      return;
    }
    this.#mailboxOf(definition, delivery.id).put(message, delivery);
  }

  /** Tells the broker that all messages in hand are still being processed. To be called every few seconds. */
  working(): void {
    this.#makeRoomFor(0);
    for (const mailbox of this.#mailboxes.values()) if (!mailbox.idle) mailbox.working();
  }

  /** Whether an actor that is in memory and idle would record nothing for the command. False if that is unknown. */
  wouldIgnore(to: Address, command: Command): boolean {
    return this.#mailboxes.get(`${to.kind}/${to.id}`)?.wouldIgnore(command) ?? false;
  }

  /** Removes actors from memory, after they finish what they have in hand. Resolves when they are removed. */
  async release(belongs: (id: string) => boolean): Promise<void> {
    const leaving = [...this.#mailboxes].filter(([key]) => belongs(key.slice(key.indexOf('/') + 1)));
    await Promise.all(
      leaving.map(async ([key, mailbox]) => {
        while (!mailbox.idle) await mailbox.settled();
        mailbox.forget();
        if (this.#mailboxes.get(key) === mailbox) this.#mailboxes.delete(key);
      }),
    );
  }

  /** Resolves when nothing is in hand. */
  async settled(): Promise<void> {
    const busy = () => Array.from(this.#mailboxes.values()).filter((mailbox) => !mailbox.idle);
    for (let left = busy(); left.length > 0; left = busy()) {
      await Promise.all(left.map((mailbox) => mailbox.settled()));
    }
  }

  #mailboxOf(definition: ActorDefinition, id: string): Mailbox {
    const key = `${definition.kind}/${id}`;
    const known = this.#mailboxes.get(key);
    if (known) this.#mailboxes.delete(key);
    else this.#makeRoomFor(1);
    const mailbox = known ?? new Mailbox(definition, id, this.#workplace);
    this.#mailboxes.set(key, mailbox);
    return mailbox;
  }

  #makeRoomFor(coming: number): void {
    const rested = this.#workplace.clock.now() - RESTING_MS;
    for (const [key, mailbox] of this.#mailboxes) {
      const size = this.#mailboxes.size + coming;
      if (size <= this.#maxActors && (size <= RESIDENT_ACTORS || mailbox.usedAt > rested)) return;
      if (!mailbox.idle) continue;
      mailbox.forget();
      this.#mailboxes.delete(key);
    }
  }
}

/** The message, or the reason why it can never be processed. */
function read(definition: ActorDefinition, delivery: Delivery): Message | string {
  try {
    return readMessage(definition, delivery);
  } catch (error) {
    if (error instanceof PoisonError || error instanceof NotJsonError) return error.message;
    return `The message could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}
