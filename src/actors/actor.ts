import type { AnyStateMachine, SnapshotFrom } from 'xstate';
import type { z } from 'zod';
import {
  type ActorKind,
  COMMANDS,
  type CommandOf,
  type EventOf,
  openedBy,
  type PassDeadlineOf,
} from '../events/kinds.ts';
import type { WorkOrder } from '../events/node.ts';
import type { Reply } from '../events/reply.ts';

/** What has happened: past tense, PascalCase. It is also what the machine of the actor receives. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/**
 * What shall happen: imperative, PascalCase. It names its natural key (a queryId, taskId, transferId …). This is how the
 * host knows commands, whose actors have validated them; actors themselves write and take `CommandOf<Kind>`.
 */
export interface Command {
  readonly type: string;
  readonly data: object;
}

export interface Address<Kind extends ActorKind = ActorKind> {
  readonly kind: Kind;
  readonly id: string;
}

/**
 * Effects are data. The host carries them out after the event that they follow from is stored. This is how the host
 * knows them; those of an actor are `EffectOf<Kind>`.
 */
export type Effect = CommandEffect | WorkEffect | TimerEffect | ReplyEffect;

/** What an actor of a kind sends, and the timers of its own waits. */
export type EffectOf<Kind extends ActorKind> = MessageEffect | TimerEffect<PassDeadlineOf<Kind>>;

/** What an actor sends: `react` gives these. */
export type MessageEffect = SentCommand | WorkEffect | ReplyEffect<Reply>;

/** A command to an actor that takes it. */
export type SentCommand = {
  [Kind in ActorKind]: CommandEffect<Address<Kind>, CommandOf<Kind>>;
}[ActorKind];

export interface CommandEffect<To extends Address = Address, Sent extends Command = Command> {
  readonly kind: 'command';
  readonly to: To;
  readonly command: Sent;
}

/** Inference for the agent of a device. The natural key of the work order is its taskId. */
export interface WorkEffect {
  readonly kind: 'work';
  readonly device: string;
  readonly body: WorkOrder;
}

/** Sends `command` to the same actor at `dueAt` (ISO 8601) or soon after; also after a restart. */
export interface TimerEffect<Passed extends Command = Command> {
  readonly kind: 'timer';
  readonly dueAt: string;
  readonly command: Passed;
}

/** A plain NATS message to whoever waits; it may be gone, so nothing depends on it. */
export interface ReplyEffect<Body extends object = object> {
  readonly kind: 'reply';
  readonly subject: string;
  readonly body: Body;
}

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
 *
 * Without parameters it is any actor, as the host handles it: with commands that have been read by `commands`.
 */
export interface ActorDefinition<
  Machine extends AnyStateMachine = AnyStateMachine,
  C extends Command = Command,
  E extends DomainEvent = DomainEvent,
  Reads = unknown,
  F extends Effect = Effect,
> {
  readonly kind: ActorKind;
  /** Streams are named `<category>-<id>`. */
  readonly category: string;
  readonly machine: Machine;
  /** Validates commands from outside this process. */
  readonly commands: z.ZodType<C>;
  decide(command: C, snapshot: SnapshotFrom<Machine>, given: Given<Reads>): Decided<E, SnapshotFrom<Machine>>;
  react(event: E, snapshot: SnapshotFrom<Machine>): readonly F[];
}

/** An actor of a kind: it has an answer to every command of its kind, and an effect or none for each of its events. */
export type DefinitionOf<
  Kind extends ActorKind,
  Machine extends AnyStateMachine,
  Reads = unknown,
> = ActorDefinition<Machine, CommandOf<Kind>, EventOf<Kind>, Reads, EffectOf<Kind>>;

/** What is told of the actor of a kind; the rest is known by its kind. */
export interface ActorParts<Kind extends ActorKind, Machine extends AnyStateMachine, Reads>
  extends Pick<DefinitionOf<Kind, Machine, Reads>, 'category' | 'machine' | 'decide'> {
  /** What is sent after an event. */
  react(event: EventOf<Kind>, snapshot: SnapshotFrom<Machine>): readonly MessageEffect[];
}

/** The actor of a kind, with the commands that it takes and the timers of what it waits for. */
export function defineActor<Kind extends ActorKind, Machine extends AnyStateMachine, Reads = unknown>(
  kind: Kind,
  parts: ActorParts<Kind, Machine, Reads>,
): DefinitionOf<Kind, Machine, Reads> {
  return {
    kind,
    commands: COMMANDS[kind],
    ...parts,
    // Timers come last: ids of messages are made of their places among the effects.
    react: (event, snapshot) => [...parts.react(event, snapshot), ...timersOf(kind, event)],
  };
}

function timersOf<Kind extends ActorKind>(
  kind: Kind,
  event: EventOf<Kind>,
): readonly TimerEffect<PassDeadlineOf<Kind>>[] {
  const wait = openedBy(kind, event);
  if (wait === null) return [];
  return [{ kind: 'timer', dueAt: wait.dueAt, command: { type: 'PassDeadline', data: wait.data } }];
}

/** A command to an actor. To an actor of one of several kinds goes only what all of them take. */
export function commandTo<Kind extends ActorKind>(to: Address<Kind>, command: TakenByAll<Kind>): SentCommand {
  // The kind of `to` and that of `command` are one, which the compiler does not follow through a type parameter.
  return { kind: 'command', to, command } as SentCommand;
}

/** The intersection of what these kinds take. */
type TakenByAll<Kind extends ActorKind> = (
  Kind extends ActorKind
    ? (command: CommandOf<Kind>) => void
    : never
) extends (command: infer Taken) => void
  ? Taken
  : never;

/** A command that this state can never take: the sender is at fault. The host records it as poison and goes on. */
export class CommandRefusedError extends Error {
  override readonly name = 'CommandRefusedError';
}
