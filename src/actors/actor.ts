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

/** What has happened: past tense, PascalCase. The machine of the actor receives the same object. */
export interface DomainEvent {
  readonly type: string;
  readonly data: object;
}

/**
 * What shall happen: imperative, PascalCase. It contains its natural key (a queryId, taskId, transferId …).
 * This is the type that the host handles; the actor's schema has validated the data. Actors send and take
 * `CommandOf<Kind>`.
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
 * Effects are data. The host carries them out after their event is stored. This is the type that the host
 * handles; those of an actor are `EffectOf<Kind>`.
 */
export type Effect = CommandEffect | WorkEffect | TimerEffect | ReplyEffect;

/** The effects of an actor: what it sends, and timers for its waits. */
export type EffectOf<Kind extends ActorKind> = MessageEffect | TimerEffect<PassDeadlineOf<Kind>>;

/** What an actor sends. `react` returns these. */
export type MessageEffect = SentCommand | WorkEffect | ReplyEffect<Reply>;

/** A command to an actor of a kind that takes it. */
export type SentCommand = {
  [Kind in ActorKind]: CommandEffect<Address<Kind>, CommandOf<Kind>>;
}[ActorKind];

export interface CommandEffect<To extends Address = Address, Sent extends Command = Command> {
  readonly kind: 'command';
  readonly to: To;
  readonly command: Sent;
}

/** A work order for the agent of a device. Its natural key is the taskId. */
export interface WorkEffect {
  readonly kind: 'work';
  readonly device: string;
  readonly body: WorkOrder;
}

/** Sends `command` to the same actor at `dueAt` (ISO 8601) or soon after, also after a restart. */
export interface TimerEffect<Passed extends Command = Command> {
  readonly kind: 'timer';
  readonly dueAt: string;
  readonly command: Passed;
}

/** A plain NATS message to the asker. The asker may be gone, so nothing depends on the reply. */
export interface ReplyEffect<Body extends object = object> {
  readonly kind: 'reply';
  readonly subject: string;
  readonly body: Body;
}

/** Everything that `decide` may know besides the command and the state. It records in its events what it uses. */
export interface Given<Reads = unknown> {
  /** The host's clock (ISO 8601). */
  readonly at: string;
  /** A UUID. It is the same for every retry of the same message, for the same purpose. */
  id(purpose: string): string;
  /** A number in [0, 1). It is the same for every retry of the same message, for the same purpose and index. */
  draw(purpose: string, index?: number): number;
  /** The device that published the message, from its NATS user; null if a role of the network did. */
  readonly device: string | null;
  /** Rows of read models, with the position of the store that they are from. */
  readonly reads: Reads;
}

/**
 * The events of a decision in order: an array, or a generator if later events depend on the state after earlier
 * ones. `yield event` returns the state after that event. The host folds each event only once.
 */
export type Decided<E extends DomainEvent, Snapshot> = Iterable<E, unknown, Snapshot>;

/**
 * An actor is an event-sourced aggregate whose lifecycle is an XState machine. It has three pure parts.
 *
 * - `decide` returns the events that follow from a command: none if they have already happened (by natural
 * key). The machine must be able to take each event in the state that it then has.
 * - `machine` takes recorded events, in the same way during rehydration and live. It has no invoke, no after
 * and no I/O.
 * - `react` returns the effects of one recorded event. `snapshot` is the state right after that event.
 *
 * Without type parameters this is any actor, as the host handles it, with commands that `commands` has parsed.
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
  /** The schema of the commands. It validates messages from outside this process. */
  readonly commands: z.ZodType<C>;
  decide(command: C, snapshot: SnapshotFrom<Machine>, given: Given<Reads>): Decided<E, SnapshotFrom<Machine>>;
  react(event: E, snapshot: SnapshotFrom<Machine>): readonly F[];
}

/** An actor of a kind. It decides every command of its kind, and has a list of effects for each of its events. */
export type DefinitionOf<
  Kind extends ActorKind,
  Machine extends AnyStateMachine,
  Reads = unknown,
> = ActorDefinition<Machine, CommandOf<Kind>, EventOf<Kind>, Reads, EffectOf<Kind>>;

/** The parts of an actor that its kind does not determine. */
export interface ActorParts<Kind extends ActorKind, Machine extends AnyStateMachine, Reads>
  extends Pick<DefinitionOf<Kind, Machine, Reads>, 'category' | 'machine' | 'decide'> {
  /** The messages that are sent after an event. */
  react(event: EventOf<Kind>, snapshot: SnapshotFrom<Machine>): readonly MessageEffect[];
}

/** The actor of a kind, with the schema of its commands and the timers for its waits. */
export function defineActor<Kind extends ActorKind, Machine extends AnyStateMachine, Reads = unknown>(
  kind: Kind,
  parts: ActorParts<Kind, Machine, Reads>,
): DefinitionOf<Kind, Machine, Reads> {
  return {
    kind,
    commands: COMMANDS[kind],
    ...parts,
    // Timers come last, because message ids depend on the index of an effect.
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

/** A command to an actor. If the kind of the actor is one of several, all of them must take the command. */
export function commandTo<Kind extends ActorKind>(to: Address<Kind>, command: TakenByAll<Kind>): SentCommand {
  // `to` and `command` have the same kind, but the compiler cannot infer this through a type parameter.
  return { kind: 'command', to, command } as SentCommand;
}

/** The intersection of the commands that these kinds take. */
type TakenByAll<Kind extends ActorKind> = (
  Kind extends ActorKind
    ? (command: CommandOf<Kind>) => void
    : never
) extends (command: infer Taken) => void
  ? Taken
  : never;

/**
 * The actor can never take this command in its state: the sender is at fault. The host records the message as
 * poison and continues.
 */
export class CommandRefusedError extends Error {
  override readonly name = 'CommandRefusedError';
}
