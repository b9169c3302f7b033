import type { z } from 'zod';
import { ACCOUNT_DEADLINES, AccountCommand, type AccountEvent } from './account.ts';
import { CLUSTER_DEADLINES, ClusterCommand, type ClusterEvent } from './cluster.ts';
import { type DeadlineData, type Deadlines, declared, type WaitOf } from './deadline.ts';
import { GENERATION_DEADLINES, GenerationCommand, type GenerationEvent } from './generation.ts';
import { GENESIS_DEADLINES, GenesisCommand, type GenesisEvent } from './genesis.ts';
import { NODE_DEADLINES, NodeCommand, type NodeEvent } from './node.ts';
import { QUERY_DEADLINES, QueryCommand, type QueryEvent } from './query.ts';
import { SUPER_CLUSTER_DEADLINES, SuperClusterCommand, type SuperClusterEvent } from './super-cluster.ts';
import type { Parsed } from './values.ts';

const SCHEMAS = {
  account: AccountCommand,
  node: NodeCommand,
  cluster: ClusterCommand,
  superCluster: SuperClusterCommand,
  query: QueryCommand,
  genesis: GenesisCommand,
  generation: GenerationCommand,
};

/** The kinds of actors in a network. */
export type ActorKind = keyof typeof SCHEMAS;

/** Every kind. */
// An object's keys are texts to the compiler; these are those of `SCHEMAS`.
export const ACTOR_KINDS = Object.keys(SCHEMAS) as readonly ActorKind[];

/** The commands that an actor of this kind takes. */
export type CommandOf<Kind extends ActorKind> = Parsed<(typeof SCHEMAS)[Kind]>;

/** The data of one of these commands. */
export type CommandDataOf<Kind extends ActorKind, Type extends CommandOf<Kind>['type']> = Extract<
  CommandOf<Kind>,
  { type: Type }
>['data'];

/** A command, with the actor that gets it: one of a kind that takes it. */
export type AddressedCommand = {
  [Kind in ActorKind]: {
    readonly to: { readonly kind: Kind; readonly id: string };
    readonly command: CommandOf<Kind>;
  };
}[ActorKind];

/** The schema of the commands that each kind of actor takes. Everything that is sent to an actor is typed by it. */
export const COMMANDS: { readonly [Kind in ActorKind]: z.ZodType<CommandOf<Kind>> } = SCHEMAS;

/** The events that an actor of this kind records. */
export type EventOf<Kind extends ActorKind> = Events[Kind];

/** What each kind of actor waits for, and until when. */
export const DEADLINES: { readonly [Kind in ActorKind]: Deadlines<EventOf<Kind>, CommandOf<Kind>> } = {
  account: ACCOUNT_DEADLINES,
  node: NODE_DEADLINES,
  cluster: CLUSTER_DEADLINES,
  superCluster: SUPER_CLUSTER_DEADLINES,
  query: QUERY_DEADLINES,
  genesis: GENESIS_DEADLINES,
  generation: GENERATION_DEADLINES,
};

/** The command that an actor gets when a deadline is due. */
export interface PassDeadlineOf<Kind extends ActorKind> {
  readonly type: 'PassDeadline';
  readonly data: DeadlineData<CommandOf<Kind>>;
}

interface Events {
  account: AccountEvent;
  node: NodeEvent;
  cluster: ClusterEvent;
  superCluster: SuperClusterEvent;
  query: QueryEvent;
  genesis: GenesisEvent;
  generation: GenerationEvent;
}

/** The wait that an event opens; null if none. */
export function openedBy<Kind extends ActorKind>(
  kind: Kind,
  event: EventOf<Kind>,
): WaitOf<CommandOf<Kind>> | null {
  return declared(DEADLINES[kind].opens, event) ?? null;
}

/** The key of the wait that an event meets; null if none. */
export function metBy<Kind extends ActorKind>(kind: Kind, event: EventOf<Kind>): string | null {
  return declared(DEADLINES[kind].meets, event) ?? null;
}

/** Whether an actor waits for nothing after this event. */
export function meetsAll<Kind extends ActorKind>(kind: Kind, event: EventOf<Kind>): boolean {
  const types: readonly string[] = DEADLINES[kind].meetsAll;
  return types.includes(event.type);
}

/** The types of events that open or meet a wait. */
export function deadlineTypes(kind: ActorKind): readonly string[] {
  const { opens, meets, meetsAll: all } = DEADLINES[kind];
  return [...new Set([...Object.keys(opens), ...Object.keys(meets), ...all])];
}
