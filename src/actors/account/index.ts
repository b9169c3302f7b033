import { AccountCommand, type AccountEvent } from '../../events/account.ts';
import type { ActorDefinition } from '../actor.ts';
import { decide } from './decide.ts';
import { accountMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `credit-<account>`. */
export const account: ActorDefinition<typeof accountMachine, AccountCommand, AccountEvent> = {
  kind: 'account',
  category: 'credit',
  machine: accountMachine,
  commands: AccountCommand,
  decide,
  react,
};
