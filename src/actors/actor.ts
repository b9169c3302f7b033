import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import type { z } from 'zod';

/** What has happened: past tense, PascalCase. It is also what the machine of the actor receives. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/** What shall happen: imperative, PascalCase. It names its natural key (a queryId, taskId, transferId …). */
export interface Command {
  readonly type: string;
  readonly data: object;
}

export interface Address {
  readonly kind: ActorKind;
  readonly id: string;
}

export type ActorKind = 'account' | 'node' | 'cluster' | 'superCluster' | 'query' | 'genesis' | 'generation';

/** Effects are data. The host carries them out after the event that they follow from is stored. */
export type Effect =
  | { readonly kind: 'command'; readonly to: Address; readonly command: Command }
  /** Inference for the agent of a device. `body` is the work order, `key` its natural key. */
  | { readonly kind: 'work'; readonly device: string; readonly body: object }
  /** Sends `command` to the same actor at `dueAt` (ISO 8601) or soon after; also after a restart. */
  | { readonly kind: 'timer'; readonly dueAt: string; readonly command: Command }
  /** A plain NATS message to whoever waits; it may be gone, so nothing depends on it. */
  | { readonly kind: 'reply'; readonly subject: string; readonly body: object };

/** Everything that `decide` may know besides the command and the state. What it uses, it records in its events. */
export interface Given<Reads = unknown> {
  /** The host's clock (ISO 8601). */
  readonly at: string;
  /** A UUID, the same at every retry of the same message for the same purpose. */
  id(purpose: string): string;
  /** A number in [0, 1), the same at every retry of the same message for the same purpose and index. */
  draw(purpose: string, index?: number): number;
  /** The device that signed the message (its NATS user), or null when it came from a role of the network itself. */
  readonly device: string | null;
  /** Read-model rows, and the store's position that they are from. */
  readonly reads: Reads;
}

/**
 * The events of a decision in their order: an array, or a generator where what comes next depends on the state after
 * an earlier event. `yield event` gives that state back. The host folds each event once, for the decision and for good.
 */
export type Decided<E extends DomainEvent, Snapshot> = Iterable<E, unknown, Snapshot>;

/**
 * An actor: an event-sourced aggregate whose lifecycle is an XState machine. Three pure functions make it.
 *
 * - `decide` gives the events that follow from a command: none if they have happened already (by natural key).
 *   Each event must be one that the machine can take in the state it then has.
 * - `machine` takes recorded events, the same for rehydration and for live ones. No invoke, no after, no I/O.
 * - `react` gives the effects of one recorded event, and `snapshot` is the state right after it.
 */
export interface ActorDefinition<
  Machine extends AnyStateMachine = AnyStateMachine,
  C extends Command = Command,
  E extends DomainEvent = DomainEvent,
  Reads = unknown,
> {
  readonly kind: ActorKind;
  /** Streams are named `<category>-<id>`. */
  readonly category: string;
  readonly machine: Machine;
  /** Validates commands from outside this process. */
  readonly commands: z.ZodType<C>;
  decide(command: C, snapshot: SnapshotFrom<Machine>, given: Given<Reads>): Decided<E, SnapshotFrom<Machine>>;
  react(event: E, snapshot: SnapshotFrom<Machine>): readonly Effect[];
}

/** A command that this state can never take: the sender is at fault. The host records it as poison and goes on. */
export class CommandRefusedError extends Error {
  override readonly name = 'CommandRefusedError';
}
