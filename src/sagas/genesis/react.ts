import type { SnapshotFrom } from 'xstate';
import { commandTo, type SentCommand } from '../../actors/actor.ts';
import type { GenesisRef } from '../../events/evolution.ts';
import type { GenesisBegun, GenesisEvent } from '../../events/genesis.ts';
import { birthsOf, type genesisMachine } from './machine.ts';

export function react(
  event: GenesisEvent,
  snapshot: SnapshotFrom<typeof genesisMachine>,
): readonly SentCommand[] {
  const { plan } = snapshot.context;
  switch (event.type) {
    case 'GenesisBegun':
      return [
        ...ownersOf(event.data).map(openAccount),
        ...settings(event.data),
        ...call(event.data, birthsOf(event.data)),
      ];
    case 'GenesisRepeated':
      return plan ? call(plan, event.data.awaited) : [];
    case 'BirthConfirmed':
    case 'GenesisCompleted':
      return [];
  }
}

function ownersOf(plan: GenesisBegun): readonly string[] {
  return [...new Set(plan.seeds.flatMap((seed) => seed.nodes.map(({ owner }) => owner)))];
}

function openAccount(account: string): SentCommand {
  return commandTo({ kind: 'account', id: account }, { type: 'OpenAccount', data: { account } });
}

function settings({ superCluster, evolution }: GenesisBegun): readonly SentCommand[] {
  if (superCluster === null || evolution === null) return [];
  const data = { settings: evolution, onlyIfNone: false };
  return [commandTo({ kind: 'superCluster', id: superCluster }, { type: 'ConfigureEvolution', data })];
}

/** The commands that start the wanted part of the plan. */
function call(plan: GenesisBegun, wanted: readonly string[]): readonly SentCommand[] {
  const { superCluster, network } = plan;
  const saga: GenesisRef = { kind: 'genesis', id: network };
  const wants = new Set(wanted);
  const effects: SentCommand[] = [];
  if (superCluster !== null && wants.has(`superCluster/${superCluster}`)) {
    const to = { kind: 'superCluster', id: superCluster } as const;
    effects.push(commandTo(to, { type: 'FormSuperCluster', data: { superCluster, saga } }));
  }
  for (const { cluster, name, specialization, nodes } of plan.seeds) {
    if (wants.has(`cluster/${cluster}`)) {
      const data = { cluster, name, specialization, generation: 0, saga };
      effects.push(commandTo({ kind: 'cluster', id: cluster }, { type: 'FormCluster', data }));
    }
    for (const { node, species, genome, device, owner } of nodes) {
      if (!wants.has(`node/${node}`)) continue;
      const heredity = {
        genome,
        species,
        generation: 0,
        parents: [],
        cause: 'genesis',
        mutations: [],
      } as const;
      const data = { node, device, owner, cluster, ...heredity, saga };
      effects.push(commandTo({ kind: 'node', id: node }, { type: 'BearNode', data }));
    }
  }
  return effects;
}
