import type { ActorDefinition, Command } from '../actors/actor.ts';
import { EventStoreUnavailableError } from '../eventstore/port.ts';
import { givenFor } from './given.ts';
import { handleMessages, type Outcome, type Slot, type Workplace } from './handle.ts';
import { reasonOf } from './log.ts';
import type { Message } from './plan.ts';
import { settle } from './settle.ts';
import { SNAPSHOT_EVERY, writeSnapshot } from './snapshots.ts';
import type { Delivery } from './transport.ts';

/** A message with every delivery of it that waits for the same outcome. */
interface Item {
  readonly message: Message;
  readonly deliveries: Delivery[];
}

/** Most messages that one append takes. */
const BATCH = 64;

/** Takes the messages of one actor, all that wait at a time, and tells the broker what became of them. */
export class Mailbox {
  readonly #slot: Slot;
  readonly #workplace: Workplace;
  /** By message id: what waits, in order of arrival, and what is in hand. */
  readonly #waiting = new Map<string, Item>();
  readonly #inHand = new Map<string, Item>();
  #running: Promise<void> | null = null;

  constructor(definition: ActorDefinition, id: string, workplace: Workplace) {
    this.#slot = { definition, id, actor: null };
    this.#workplace = workplace;
  }

  get idle(): boolean {
    return this.#running === null;
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** A message that is here already is not taken twice: all its deliveries get the same outcome. */
  put(message: Message, delivery: Delivery): void {
    const known = this.#inHand.get(message.messageId) ?? this.#waiting.get(message.messageId);
    if (known) {
      known.deliveries.push(delivery);
      return;
    }
    this.#waiting.set(message.messageId, { message, deliveries: [delivery] });
    this.#running ??= this.#run();
  }

  /** Tells the broker that everything here is still being worked on. */
  working(): void {
    for (const items of [this.#inHand, this.#waiting]) {
      for (const { deliveries } of items.values()) for (const delivery of deliveries) delivery.working();
    }
  }

  /** Whether the live actor, if it is at rest, would record nothing for a command of the network's own. */
  wouldIgnore(command: Command): boolean {
    const { actor, definition } = this.#slot;
    if (!actor || !this.idle) return false;
    const at = new Date(this.#workplace.clock.now()).toISOString();
    try {
      // A command that needs to look anything up is one that something comes of.
      const given = givenFor({ messageId: 'nobody', device: null }, at, () => undefined);
      const decided = definition.decide(command, actor.snapshot, given)[Symbol.iterator]();
      return decided.next(actor.snapshot).done === true;
    } catch {
      return false;
    }
  }

  /** Drops the live actor; the next message brings it back from its stream. */
  forget(): void {
    this.#slot.actor?.stop();
    this.#slot.actor = null;
  }

  async #run(): Promise<void> {
    // What arrives within the same turn shares one append.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      for (const [messageId, item] of this.#waiting) {
        if (this.#inHand.size === BATCH) break;
        this.#waiting.delete(messageId);
        this.#inHand.set(messageId, item);
      }
      await this.#handleInHand();
    }
    this.#running = null;
  }

  async #handleInHand(): Promise<void> {
    const messages = Array.from(this.#inHand.values(), (item) => item.message);
    let outcomes = new Map<string, Outcome>();
    let fallback: Outcome = { kind: 'later', reason: 'nothing was decided', bounded: true };
    try {
      outcomes = await handleMessages(this.#slot, messages, this.#workplace);
    } catch (error) {
      // Nothing is known about an append that got no answer: fold again before anything else.
      this.forget();
      const bounded = !(error instanceof EventStoreUnavailableError);
      fallback = { kind: 'later', reason: reasonOf(error), bounded };
    }
    const settling = Array.from(this.#inHand, async ([messageId, { deliveries }]) => {
      try {
        await settle(deliveries, outcomes.get(messageId) ?? fallback, this.#workplace);
      } catch (error) {
        this.#workplace.onLog('warn', `the broker was not told about a message: ${reasonOf(error)}`);
      }
      this.#inHand.delete(messageId);
    });
    await Promise.all(settling);
    await this.#snapshotIfDue();
  }

  /** Only after everything that follows was published: an owner that folds from here need not know of it. */
  async #snapshotIfDue(): Promise<void> {
    const { actor } = this.#slot;
    if (!actor || actor.revision - Math.max(actor.snapshotRevision, 0) < SNAPSHOT_EVERY) return;
    try {
      await writeSnapshot(this.#workplace.store, actor);
    } catch (error) {
      actor.snapshotRevision = actor.revision;
      this.#workplace.onLog('warn', `no snapshot of ${actor.stream}: ${reasonOf(error)}`);
    }
  }
}
