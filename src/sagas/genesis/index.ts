import { defineActor } from '../../actors/actor.ts';
import { decide } from './decide.ts';
import { genesisMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `genesis-<network>`. */
export const genesis = defineActor('genesis', {
  category: 'genesis',
  machine: genesisMachine,
  decide,
  react,
});
