import { SuperClusterCommand, type SuperClusterEvent } from '../../events/super-cluster.ts';
import type { ActorDefinition } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import { decide } from './decide.ts';
import { superClusterMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `superCluster-<id>`. */
export const superCluster: ActorDefinition<
  typeof superClusterMachine,
  SuperClusterCommand,
  SuperClusterEvent,
  NetworkView
> = {
  kind: 'superCluster',
  category: 'superCluster',
  machine: superClusterMachine,
  commands: SuperClusterCommand,
  decide,
  react,
};
