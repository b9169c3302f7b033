import { defineActor } from '../actor.ts';
import { decide } from './decide.ts';
import { accountMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `credit-<account>`. */
export const account = defineActor('account', {
  category: 'credit',
  machine: accountMachine,
  decide,
  react,
});
