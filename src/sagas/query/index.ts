import type { ActorDefinition } from '../../actors/actor.ts';
import type { NetworkView } from '../../actors/network-view.ts';
import { QueryCommand, type QueryEvent } from '../../events/query.ts';
import { decide } from './decide.ts';
import { queryMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `query-<id>`. */
export const query: ActorDefinition<typeof queryMachine, QueryCommand, QueryEvent, NetworkView> = {
  kind: 'query',
  category: 'query',
  machine: queryMachine,
  commands: QueryCommand,
  decide,
  react,
};
