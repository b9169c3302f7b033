import type { ActorDefinition } from '../../actors/actor.ts';
import type { NetworkView } from '../../actors/network-view.ts';
import { GenerationCommand, type GenerationEvent } from '../../events/generation.ts';
import { decide } from './decide.ts';
import { generationMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `generation-<cluster>-<n>`. */
export const generation: ActorDefinition<
  typeof generationMachine,
  GenerationCommand,
  GenerationEvent,
  NetworkView
> = {
  kind: 'generation',
  category: 'generation',
  machine: generationMachine,
  commands: GenerationCommand,
  decide,
  react,
};
