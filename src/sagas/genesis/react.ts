import type { SnapshotFrom } from 'xstate';
import type { Effect } from '../../actors/actor.ts';
import type { GenesisBegun, GenesisEvent } from '../../events/genesis.ts';
import { birthsOf, type genesisMachine, nodesOf } from './machine.ts';

export function react(event: GenesisEvent, snapshot: SnapshotFrom<typeof genesisMachine>): readonly Effect[] {
  const { plan } = snapshot.context;
  switch (event.type) {
    case 'GenesisBegun':
      return [
        { kind: 'command', to: { kind: 'account', id: event.data.owner }, command: open(event.data.owner) },
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

function open(account: string): { type: string; data: object } {
  return { type: 'OpenAccount', data: { account } };
}

/** The commands that call the wanted part of the plan into being. */
function call(plan: GenesisBegun, wanted: readonly string[]): readonly Effect[] {
  const { superCluster, network: saga, device, owner } = plan;
  const wants = new Set(wanted);
  const effects: Effect[] = [];
  if (wants.has(`superCluster/${superCluster}`)) {
    effects.push({
      kind: 'command',
      to: { kind: 'superCluster', id: superCluster },
      command: { type: 'FormSuperCluster', data: { superCluster, saga } },
    });
  }
  for (const seed of plan.seeds) {
    const { cluster, name, genome, species } = seed;
    if (wants.has(`cluster/${cluster}`)) {
      effects.push({
        kind: 'command',
        to: { kind: 'cluster', id: cluster },
        command: {
          type: 'FormCluster',
          data: { cluster, name, specialization: genome.specialization, saga },
        },
      });
    }
    for (const node of nodesOf(seed).filter((id) => wants.has(`node/${id}`))) {
      effects.push({
        kind: 'command',
        to: { kind: 'node', id: node },
        command: {
          type: 'BearNode',
          data: {
            node,
            genome,
            species,
            device,
            owner,
            cluster,
            generation: 0,
            parents: [],
            cause: 'genesis',
            saga,
          },
        },
      });
    }
  }
  return effects;
}

function remind(dueAt: string): Effect {
  return { kind: 'timer', dueAt, command: { type: 'PassDeadline', data: { dueAt } } };
}
