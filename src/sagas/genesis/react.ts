import type { SnapshotFrom } from 'xstate';
import type { Effect } from '../../actors/actor.ts';
import type { SagaRef } from '../../events/evolution.ts';
import type { GenesisBegun, GenesisEvent } from '../../events/genesis.ts';
import { birthsOf, type genesisMachine } from './machine.ts';

export function react(event: GenesisEvent, snapshot: SnapshotFrom<typeof genesisMachine>): readonly Effect[] {
  const { plan } = snapshot.context;
  switch (event.type) {
    case 'GenesisBegun':
      return [
        ...ownersOf(event.data).map(openAccount),
        ...settings(event.data),
        ...call(event.data, birthsOf(event.data)),
        remind(event.data.dueAt),
      ];
    case 'GenesisRepeated':
      return plan ? [...call(plan, event.data.awaited), remind(event.data.dueAt)] : [];
    case 'BirthConfirmed':
    case 'GenesisCompleted':
      return [];
  }
}

function ownersOf(plan: GenesisBegun): readonly string[] {
  return [...new Set(plan.seeds.flatMap((seed) => seed.nodes.map(({ owner }) => owner)))];
}

function openAccount(account: string): Effect {
  return {
    kind: 'command',
    to: { kind: 'account', id: account },
    command: { type: 'OpenAccount', data: { account } },
  };
}

function settings({ superCluster, evolution }: GenesisBegun): readonly Effect[] {
  if (superCluster === null || evolution === null) return [];
  return [
    {
      kind: 'command',
      to: { kind: 'superCluster', id: superCluster },
      command: { type: 'ConfigureEvolution', data: { settings: evolution, onlyIfNone: false } },
    },
  ];
}

/** The commands that call the wanted part of the plan into being. */
function call(plan: GenesisBegun, wanted: readonly string[]): readonly Effect[] {
  const { superCluster, network } = plan;
  const saga: SagaRef = { kind: 'genesis', id: network };
  const wants = new Set(wanted);
  const effects: Effect[] = [];
  if (superCluster !== null && wants.has(`superCluster/${superCluster}`)) {
    effects.push({
      kind: 'command',
      to: { kind: 'superCluster', id: superCluster },
      command: { type: 'FormSuperCluster', data: { superCluster, saga } },
    });
  }
  for (const { cluster, name, specialization, nodes } of plan.seeds) {
    if (wants.has(`cluster/${cluster}`)) {
      effects.push({
        kind: 'command',
        to: { kind: 'cluster', id: cluster },
        command: { type: 'FormCluster', data: { cluster, name, specialization, generation: 0, saga } },
      });
    }
    for (const { node, species, genome, device, owner } of nodes) {
      if (!wants.has(`node/${node}`)) continue;
      const birth = { node, genome, species, device, owner, cluster, generation: 0 };
      effects.push({
        kind: 'command',
        to: { kind: 'node', id: node },
        command: {
          type: 'BearNode',
          data: { ...birth, parents: [], cause: 'genesis', mutations: [], saga },
        },
      });
    }
  }
  return effects;
}

function remind(dueAt: string): Effect {
  return { kind: 'timer', dueAt, command: { type: 'PassDeadline', data: { dueAt } } };
}
