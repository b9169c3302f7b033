import type { SnapshotFrom } from 'xstate';
import type { Address, Effect } from '../../actors/actor.ts';
import type { GenerationEvent, OffspringBred } from '../../events/generation.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import { awaitedBy, type GenerationContext, type generationMachine } from './machine.ts';

const SUPER_CLUSTER: Address = { kind: 'superCluster', id: MAIN_SUPER_CLUSTER };

export function react(
  event: GenerationEvent,
  { context }: SnapshotFrom<typeof generationMachine>,
): readonly Effect[] {
  switch (event.type) {
    case 'SelectionMade': {
      const awaited = awaitedBy(context);
      return awaited.length === 0 ? [] : [...ask(context, awaited), remind(context.dueAt)];
    }
    case 'OffspringBred': {
      const { replaces } = event.data.slot;
      const isFree = replaces === null || context.retired.includes(replaces);
      return isFree ? [bear(event.data, context)] : [];
    }
    case 'RetirementConfirmed': {
      const successors = (context.offspring ?? []).filter(({ slot }) => slot.replaces === event.data.node);
      return successors.map((child) => bear(child, context));
    }
    case 'GenerationRepeated':
      return [...ask(context, event.data.awaited), remind(event.data.dueAt)];
    case 'GenerationCompleted':
      return [...close(context), measure(context)];
    case 'CompletionAffirmed':
      return close(context);
    case 'GenerationBegun':
    case 'FitnessEvaluated':
    case 'SlotsReceived':
    case 'OffspringBorn':
      return [];
  }
}

/** The commands that bring about what is awaited. A birth waits itself until its slot is free. */
function ask(context: GenerationContext, awaited: readonly string[]): readonly Effect[] {
  const { id, begun, selection, offspring, retired } = context;
  if (!begun || !selection) return [];
  const wants = new Set(awaited);
  const effects: Effect[] = [];
  for (const { node, rank, of, fitness } of selection.culled) {
    if (!wants.has(`retirement/${node}`)) continue;
    const { cluster, generation } = begun;
    const saga = { kind: 'generation', id };
    const data = { cluster, generation, rule: selection.rule, rank, of, fitness, saga };
    effects.push(command({ kind: 'node', id: node }, 'CullNode', data));
  }
  if (wants.has('slots')) {
    const culled = selection.culled.map(({ node, device }) => ({ node, device }));
    const { cluster } = begun;
    const data = { claim: id, cluster, wanted: selection.wanted, culled };
    effects.push(command(SUPER_CLUSTER, 'ClaimSlots', data));
  }
  for (const child of offspring ?? []) {
    const { node, replaces } = child.slot;
    const isFree = replaces === null || retired.includes(replaces);
    if (isFree && wants.has(`birth/${node}`)) effects.push(bear(child, context));
  }
  return effects;
}

function bear(child: OffspringBred, { id }: GenerationContext): Effect {
  const { slot, genome, species, generation, parents, cause, mutations } = child;
  const { node, device, owner, cluster } = slot;
  return command({ kind: 'node', id: node }, 'BearNode', {
    node,
    genome,
    species,
    device,
    owner,
    cluster,
    generation,
    parents,
    cause,
    mutations,
    saga: { kind: 'generation', id },
  });
}

function close({ begun, selection, born }: GenerationContext): readonly Effect[] {
  if (!begun || !selection) return [];
  const { cluster, generation } = begun;
  const data = { generation, culled: selection.culled.length, born: born.length };
  return [command({ kind: 'cluster', id: cluster }, 'CloseGeneration', data)];
}

function measure({ id, begun }: GenerationContext): Effect {
  return command(SUPER_CLUSTER, 'MeasureFitness', { generation: id, cluster: begun?.cluster ?? id });
}

function command(to: Address, type: string, data: object): Effect {
  return { kind: 'command', to, command: { type, data } };
}

function remind(dueAt: string): Effect {
  return { kind: 'timer', dueAt, command: { type: 'PassDeadline', data: { dueAt } } };
}
