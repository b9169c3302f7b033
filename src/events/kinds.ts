import type { z } from 'zod';
import { AccountCommand, type AccountEvent } from './account.ts';
import { ClusterCommand, type ClusterEvent } from './cluster.ts';
import { GenerationCommand, type GenerationEvent } from './generation.ts';
import { GenesisCommand, type GenesisEvent } from './genesis.ts';
import { NodeCommand, type NodeEvent } from './node.ts';
import { QueryCommand, type QueryEvent } from './query.ts';
import { SuperClusterCommand, type SuperClusterEvent } from './super-cluster.ts';
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

/** What an actor of a kind takes. */
export type CommandOf<Kind extends ActorKind> = Parsed<(typeof SCHEMAS)[Kind]>;

/** Which commands each kind of actor takes, and with which data: what others send to it is typed by this. */
export const COMMANDS: { readonly [Kind in ActorKind]: z.ZodType<CommandOf<Kind>> } = SCHEMAS;

/** What an actor of a kind records. */
export type EventOf<Kind extends ActorKind> = Events[Kind];

/** The command that comes to an actor when a time that it waits for is there. */
export type PassDeadlineOf<Kind extends ActorKind> = Extract<
  CommandOf<Kind>,
  { readonly type: 'PassDeadline' }
>;

interface Events {
  account: AccountEvent;
  node: NodeEvent;
  cluster: ClusterEvent;
  superCluster: SuperClusterEvent;
  query: QueryEvent;
  genesis: GenesisEvent;
  generation: GenerationEvent;
}
