import type { SnapshotFrom } from 'xstate';
import { commandTo, type SentCommand } from '../../actors/actor.ts';
import type { GenerationEvent, OffspringBred } from '../../events/generation.ts';
import { MAIN_SUPER_CLUSTER } from '../../events/super-cluster.ts';
import { awaitedBy, type GenerationContext, type generationMachine } from './machine.ts';

const SUPER_CLUSTER = { kind: 'superCluster', id: MAIN_SUPER_CLUSTER } as const;

export function react(
  event: GenerationEvent,
  { context }: SnapshotFrom<typeof generationMachine>,
): readonly SentCommand[] {
  switch (event.type) {
    case 'SelectionMade':
      return ask(context, awaitedBy(context));
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
      return ask(context, event.data.awaited);
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

/** The commands for everything that is awaited. A birth is commanded only when its slot is free. */
function ask(context: GenerationContext, awaited: readonly string[]): readonly SentCommand[] {
  const { id, begun, selection, offspring, retired } = context;
  if (!begun || !selection) return [];
  const wants = new Set(awaited);
  const effects: SentCommand[] = [];
  for (const { node, rank, of, fitness } of selection.culled) {
    if (!wants.has(`retirement/${node}`)) continue;
    const { cluster, generation } = begun;
    const saga = { kind: 'generation', id } as const;
    const data = { cluster, generation, rule: selection.rule, rank, of, fitness, saga };
    effects.push(commandTo({ kind: 'node', id: node }, { type: 'CullNode', data }));
  }
  if (wants.has('slots')) {
    const culled = selection.culled.map(({ node, device }) => ({ node, device }));
    const { cluster } = begun;
    const data = { claim: id, cluster, wanted: selection.wanted, culled };
    effects.push(commandTo(SUPER_CLUSTER, { type: 'ClaimSlots', data }));
  }
  for (const child of offspring ?? []) {
    const { node, replaces } = child.slot;
    const isFree = replaces === null || retired.includes(replaces);
    if (isFree && wants.has(`birth/${node}`)) effects.push(bear(child, context));
  }
  return effects;
}

function bear(child: OffspringBred, { id }: GenerationContext): SentCommand {
  const { slot, genome, species, generation, parents, cause, mutations } = child;
  const { node, device, owner, cluster } = slot;
  const heredity = { genome, species, generation, parents, cause, mutations };
  const saga = { kind: 'generation', id } as const;
  return commandTo(
    { kind: 'node', id: node },
    { type: 'BearNode', data: { node, device, owner, cluster, ...heredity, saga } },
  );
}

function close({ begun, selection, born }: GenerationContext): readonly SentCommand[] {
  if (!begun || !selection) return [];
  const { cluster, generation } = begun;
  const data = { generation, culled: selection.culled.length, born: born.length };
  return [commandTo({ kind: 'cluster', id: cluster }, { type: 'CloseGeneration', data })];
}

function measure({ id, begun }: GenerationContext): SentCommand {
  const data = { generation: id, cluster: begun?.cluster ?? id };
  return commandTo(SUPER_CLUSTER, { type: 'MeasureFitness', data });
}
