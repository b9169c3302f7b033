import type { Address, Command } from '../actors/actor.ts';
import { encodeJson, type MessageIds } from '../events/envelope.ts';
import { type Clock, systemClock } from './clock.ts';
import type { DeadLetter, Delivery, Outgoing, Transport } from './transport.ts';

export interface LocalTransportOptions {
  /** Default: the wall clock. */
  readonly clock?: Clock;
  /** Called for every message that does not go to an actor. */
  readonly onMessage?: (message: Outgoing) => void;
}

/** A command as the queue keeps it until it is acknowledged. */
interface Queued {
  readonly to: { readonly kind: string; readonly id: string };
  readonly device: string | null;
  readonly headers: Delivery['headers'];
  readonly body: Uint8Array;
  readonly sentAt: number;
  attempt: number;
}

/**
 * A work queue in this process's memory. It keeps those promises of JetStream that the host relies on: a
 * command stays until it is acknowledged or ended, and a new receiver gets every command that is left again. It
 * does not remove duplicates.
 */
export class LocalTransport implements Transport {
  readonly deadLetters: DeadLetter[] = [];
  readonly #clock: Clock;
  readonly #onMessage: (message: Outgoing) => void;
  readonly #queue = new Set<Queued>();
  #receive: ((delivery: Delivery) => void) | null = null;
  #emptied: (() => void)[] = [];

  constructor(options: LocalTransportOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#onMessage = options.onMessage ?? (() => {});
  }

  /** How many commands are not yet acknowledged. */
  get pending(): number {
    return this.#queue.size;
  }

  /** Delivers all commands to `receive` from now on. Acknowledgements from an earlier receiver are ignored. */
  attach(receive: (delivery: Delivery) => void): void {
    this.#receive = receive;
    for (const queued of this.#queue) this.#deliver(queued, 0);
  }

  /** Sends a command from outside. */
  send(to: Address, command: Command, ids: MessageIds, device: string | null = null): void {
    this.sendRaw(to, encodeJson(command), ids, device);
  }

  /** Sends any bytes as a command. */
  sendRaw(
    to: { readonly kind: string; readonly id: string },
    body: Uint8Array,
    headers: Delivery['headers'],
    device: string | null = null,
  ): void {
    const queued: Queued = { to, device, headers, body, sentAt: this.#clock.now(), attempt: 0 };
    this.#queue.add(queued);
    this.#deliver(queued, 0);
  }

  async publish({ target, body, messageId, correlationId, causationId }: Outgoing): Promise<void> {
    if (target.kind === 'command') this.sendRaw(target.to, body, { messageId, correlationId, causationId });
    else this.#onMessage({ target, body, messageId, correlationId, causationId });
  }

  async recordDead(letter: DeadLetter): Promise<void> {
    this.deadLetters.push(letter);
  }

  /** Resolves when every command is acknowledged or ended. */
  async emptied(): Promise<void> {
    if (this.#queue.size > 0) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  #deliver(queued: Queued, delayMs: number): void {
    const receive = this.#receive;
    if (receive === null) return;
    this.#clock.after(delayMs, () => {
      if (this.#receive !== receive || !this.#queue.has(queued)) return;
      queued.attempt += 1;
      const end = () => {
        if (this.#receive === receive) this.#remove(queued);
      };
      receive({
        kind: queued.to.kind,
        id: queued.to.id,
        device: queued.device,
        headers: queued.headers,
        body: queued.body,
        sentAt: queued.sentAt,
        attempt: queued.attempt,
        ack: end,
        term: end,
        nak: (ms) => {
          if (this.#receive === receive) this.#deliver(queued, ms);
        },
        working: () => {},
      });
    });
  }

  #remove(queued: Queued): void {
    this.#queue.delete(queued);
    if (this.#queue.size > 0) return;
    const waiting = this.#emptied;
    this.#emptied = [];
    for (const resolve of waiting) resolve();
  }
}
