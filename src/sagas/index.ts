import { account } from '../actors/account/index.ts';
import type { ActorDefinition } from '../actors/actor.ts';
import { cluster } from '../actors/cluster/index.ts';
import { node } from '../actors/node/index.ts';
import { superCluster } from '../actors/super-cluster/index.ts';
import { generation } from './generation/index.ts';
import { genesis } from './genesis/index.ts';
import { query } from './query/index.ts';

/** All actors of the network, including sagas. */
export const DEFINITIONS: readonly ActorDefinition[] = [
  account,
  node,
  cluster,
  superCluster,
  query,
  genesis,
  generation,
];
