import { defineActor } from '../../actors/actor.ts';
import { decide } from './decide.ts';
import { queryMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `query-<id>`. */
export const query = defineActor('query', {
  category: 'query',
  machine: queryMachine,
  decide,
  react,
});
