import type { ActorDefinition } from '../../actors/actor.ts';
import { GenesisCommand, type GenesisEvent } from '../../events/genesis.ts';
import { decide } from './decide.ts';
import { genesisMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `genesis-<network>`. */
export const genesis: ActorDefinition<typeof genesisMachine, GenesisCommand, GenesisEvent> = {
  kind: 'genesis',
  category: 'genesis',
  machine: genesisMachine,
  commands: GenesisCommand,
  decide,
  react,
};
