import { ClusterCommand, type ClusterEvent } from '../../events/cluster.ts';
import type { ActorDefinition } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import { decide } from './decide.ts';
import { clusterMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `cluster-<id>`. */
export const cluster: ActorDefinition<typeof clusterMachine, ClusterCommand, ClusterEvent, NetworkView> = {
  kind: 'cluster',
  category: 'cluster',
  machine: clusterMachine,
  commands: ClusterCommand,
  decide,
  react,
};
