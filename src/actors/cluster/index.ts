import { defineActor } from '../actor.ts';
import { decide } from './decide.ts';
import { clusterMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `cluster-<id>`. */
export const cluster = defineActor('cluster', {
  category: 'cluster',
  machine: clusterMachine,
  decide,
  react,
});
