import { defineActor } from '../actor.ts';
import { decide } from './decide.ts';
import { superClusterMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `superCluster-<id>`. */
export const superCluster = defineActor('superCluster', {
  category: 'superCluster',
  machine: superClusterMachine,
  decide,
  react,
});
