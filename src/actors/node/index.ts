import { defineActor } from '../actor.ts';
import { decide } from './decide.ts';
import { nodeMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `node-<id>`. */
export const node = defineActor('node', {
  category: 'node',
  machine: nodeMachine,
  decide,
  react,
});
