import type { Address, Command } from '../actors/actor.ts';
import { encodeJson, type MessageIds, timerId } from '../events/envelope.ts';
import { type Clock, systemClock } from './clock.ts';
import { Heap } from './heap.ts';
import { type OnLog, reasonOf } from './log.ts';
import type { Transport } from './transport.ts';

/** A command that an actor sends to itself at a certain time. */
export interface Timer extends Pick<MessageIds, 'correlationId' | 'causationId'> {
  readonly to: Address;
  /** ISO 8601. */
  readonly dueAt: string;
  readonly command: Command;
}

/** A state that waits for a time, as a projection has it. */
export interface OpenDeadline extends Address {
  /** ISO 8601. */
  readonly dueAt: string;
  readonly command: Command;
}

export interface TimersOptions {
  readonly transport: Pick<Transport, 'publish'>;
  /** All open deadlines. Asked at the start, at a takeover and every 10 s, because timers exist in memory only. */
  readonly openDeadlines: () => Promise<readonly OpenDeadline[]>;
  /** Whether an actor in this process would record nothing for the command. Default: unknown. */
  readonly isMet?: (to: Address, command: Command) => boolean;
  /** Whether this process keeps the timers of an actor. */
  readonly owns: (id: string) => boolean;
  readonly onLog: OnLog;
  readonly clock?: Clock;
}

interface Waiting {
  readonly messageId: string;
  readonly dueMs: number;
  readonly timer: Timer | OpenDeadline;
}

const SWEEP_MS = 10_000;
const RETRY_MS = 1_000;

/**
 * Sends commands at their time. A timer that is known twice (from an effect and from a sweep, or in two fleets)
 * has one message id, so its command takes effect once.
 */
export class Timers {
  readonly #options: TimersOptions;
  readonly #clock: Clock;
  readonly #known = new Set<string>();
  readonly #waiting = new Heap<Waiting>((one, other) => one.dueMs < other.dueMs);
  #cancelWake: () => void = () => {};
  #cancelSweep: () => void = () => {};
  #stopped = false;

  constructor(options: TimersOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** How many timers wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(timer: Timer): void {
    this.#add(timer.to, timer);
  }

  /** Adds all open deadlines of actors in this process, and does so again every 10 s. */
  async sweep(): Promise<void> {
    this.#cancelSweep();
    try {
      for (const { kind, id, ...rest } of await this.#options.openDeadlines()) {
        if (this.#options.owns(id)) this.#add({ kind, id }, { kind, id, ...rest });
      }
    } catch (error) {
      this.#options.onLog('warn', `the open deadlines could not be read: ${reasonOf(error)}`);
    }
    if (this.#stopped) return;
    this.#cancelSweep();
    this.#cancelSweep = this.#clock.after(SWEEP_MS, () => {
      this.sweep().catch(() => {});
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelSweep();
    this.#cancelWake();
  }

  #add(to: Address, timer: Timer | OpenDeadline): void {
    const messageId = timerId(to, timer.dueAt, timer.command);
    if (this.#known.has(messageId) || this.#stopped) return;
    this.#known.add(messageId);
    this.#waiting.push({ messageId, dueMs: Date.parse(timer.dueAt), timer });
    this.#wake();
  }

  #wake(): void {
    this.#cancelWake();
    const next = this.#waiting.first;
    if (next && !this.#stopped) {
      this.#cancelWake = this.#clock.after(next.dueMs - this.#clock.now(), () => this.#fire());
    }
  }

  #fire(): void {
    const now = this.#clock.now();
    for (let next = this.#waiting.first; next && next.dueMs <= now; next = this.#waiting.first) {
      this.#waiting.pop();
      this.#send(next);
    }
    this.#wake();
  }

  #send(due: Waiting): void {
    const { messageId, timer } = due;
    const [to, ids] =
      'to' in timer
        ? [timer.to, timer]
        : [
            { kind: timer.kind, id: timer.id },
            { correlationId: messageId, causationId: messageId },
          ];
    // Most deadlines are met long before they are due. A command that would change nothing is not sent.
    if (this.#options.isMet?.(to, timer.command)) {
      this.#known.delete(messageId);
      return;
    }
    const { correlationId, causationId } = ids;
    const message = { messageId, correlationId, causationId, body: encodeJson(timer.command) };
    this.#options.transport.publish({ ...message, target: { kind: 'command', to } }).then(
      () => this.#known.delete(messageId),
      (error: unknown) => {
        this.#options.onLog(
          'warn',
          `${timer.command.type} for ${to.kind} ${to.id} is late: ${reasonOf(error)}`,
        );
        this.#waiting.push({ ...due, dueMs: this.#clock.now() + RETRY_MS });
        this.#wake();
      },
    );
  }
}
