import { NodeCommand, type NodeEvent } from '../../events/node.ts';
import type { ActorDefinition } from '../actor.ts';
import { decide } from './decide.ts';
import { nodeMachine } from './machine.ts';
import { react } from './react.ts';

/** Stream `node-<id>`. */
export const node: ActorDefinition<typeof nodeMachine, NodeCommand, NodeEvent> = {
  kind: 'node',
  category: 'node',
  machine: nodeMachine,
  commands: NodeCommand,
  decide,
  react,
};
