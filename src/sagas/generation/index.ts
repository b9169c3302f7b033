import { defineActor } from '../../actors/actor.ts';
import { decide } from './decide.ts';
import { generationMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `generation-<cluster>-<n>`. */
export const generation = defineActor('generation', {
  category: 'generation',
  machine: generationMachine,
  decide,
  react,
});
