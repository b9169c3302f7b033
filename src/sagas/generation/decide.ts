import type { SnapshotFrom } from 'xstate';
import { CommandRefusedError, type Decided, type Given } from '../../actors/actor.ts';
import type { NetworkView } from '../../actors/network-view.ts';
import type { GenerationCommand, GenerationEvent } from '../../events/generation.ts';
import type { CommandDataOf } from '../../events/kinds.ts';
import { later } from '../../events/later.ts';
import { demandOf, fitnessOf } from '../../evolution/fitness.ts';
import { breed, carriesPair, type Parent } from '../../evolution/genetics.ts';
import { RATES } from '../../evolution/modes.ts';
import { select } from '../../evolution/selection.ts';
import { awaitedBy, type GenerationContext, type generationMachine } from './machine.ts';

type Snapshot = SnapshotFrom<typeof generationMachine>;
type CommandData<Type extends GenerationCommand['type']> = CommandDataOf<'generation', Type>;

/**
 * In milliseconds. After this time, everything unconfirmed is asked for again. A culled Node may have an open
 * task that takes longer.
 */
const PATIENCE_MS = 90_000;

export function decide(
  command: GenerationCommand,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): Decided<GenerationEvent, Snapshot> {
  const { context } = snapshot;
  const { at } = given;
  switch (command.type) {
    case 'BeginGeneration':
      if (snapshot.matches('complete')) return [{ type: 'CompletionAffirmed', data: { at } }];
      return snapshot.matches('void') ? begin(command.data, given) : [];
    case 'ReceiveSlots': {
      if (!snapshot.matches('succeeding') || context.offspring !== null) return [];
      const { slots } = command.data;
      const received: GenerationEvent = { type: 'SlotsReceived', data: { slots, at } };
      return finishing([received, ...bred(command.data, context, given)], at);
    }
    case 'ConfirmRetirement': {
      const { node } = command.data;
      if (!awaits(snapshot, `retirement/${node}`)) return [];
      return finishing([{ type: 'RetirementConfirmed', data: { node, at } }], at);
    }
    case 'ConfirmBirth': {
      const node = command.data.id;
      if (!awaits(snapshot, `birth/${node}`)) return [];
      return finishing([{ type: 'OffspringBorn', data: { node, at } }], at);
    }
    case 'PassDeadline': {
      if (!snapshot.matches('succeeding') || at < context.dueAt) return [];
      const data = { awaited: awaitedBy(context), dueAt: later(at, PATIENCE_MS), at };
      return [{ type: 'GenerationRepeated', data }];
    }
  }
}

function begin(
  { cluster, generation, trigger, members }: CommandData<'BeginGeneration'>,
  given: Given<NetworkView>,
): Decided<GenerationEvent, Snapshot> {
  const { at, reads } = given;
  // This read model is older than the Cluster's. The Cluster asks again.
  if (!reads.evolution) return [];
  const { settings, mode } = reads.evolution;
  // An unavailable Node can neither work nor be replaced, so selection leaves it out.
  const nodes = members.flatMap((node) => reads.nodes.get(node) ?? []).filter(({ alive }) => alive);
  if (nodes.length === 0 && members.length > 0) return [];
  const demand = demandOf(nodes.map((node) => node.fitness));
  const fitness = nodes.map((node) => fitnessOf(node.id, node.fitness, demand, settings.minTasks));
  const { ranked, elites, culled, kept, onTrial, wanted, rule, draws } = select(fitness, settings, (index) =>
    given.draw('variants', index),
  );
  const events: GenerationEvent[] = [
    {
      type: 'GenerationBegun',
      data: {
        cluster,
        generation,
        trigger,
        members,
        strategy: settings.strategy,
        mode,
        rates: RATES[mode],
        settings,
        readPosition: reads.position,
        dueAt: later(at, PATIENCE_MS),
        at,
      },
    },
    { type: 'FitnessEvaluated', data: { cluster, generation, ranking: ranked, at } },
    {
      type: 'SelectionMade',
      data: {
        cluster,
        generation,
        elites,
        culled: culled.map(({ node, rank, fitness: value }) => ({
          node,
          device: reads.nodes.get(node)?.device ?? '',
          rank,
          of: ranked.length - onTrial.length,
          fitness: value,
        })),
        kept,
        onTrial,
        wanted,
        rule,
        draws,
        at,
      },
    },
  ];
  return finishing(events, at);
}

/** Breeds one offspring for each slot. */
function bred(
  { slots }: CommandData<'ReceiveSlots'>,
  { begun, selection }: GenerationContext,
  given: Given<NetworkView>,
): readonly GenerationEvent[] {
  if (!begun || !selection) throw new CommandRefusedError('Slots were granted before anything was selected.');
  const { settings, rates, generation, strategy } = begun;
  const parents = selection.elites.flatMap((node): Parent[] => {
    const elite = given.reads.nodes.get(node);
    return elite ? [{ node, genome: elite.genome, species: elite.species }] : [];
  });
  // The slots were granted by the current gene pool, which may have changed since the generation began.
  const genePool = given.reads.evolution?.settings.genePool ?? settings.genePool;
  const usable = slots.filter(({ tier }) => carriesPair(genePool, tier));
  return usable.map((slot, index): GenerationEvent => {
    const draw = (purpose: string): number => given.draw(`offspring ${index} ${purpose}`);
    const by = { ...settings, genePool };
    const child = breed({ strategy, parents, settings: by, rates, tier: slot.tier, index, draw });
    return { type: 'OffspringBred', data: { slot, generation, ...child, at: given.at } };
  });
}

/** Records the events (at least one), and completes the generation if it waits for nothing after them. */
function* finishing(
  events: readonly GenerationEvent[],
  at: string,
): Generator<GenerationEvent, void, Snapshot> {
  let context: GenerationContext | null = null;
  for (const event of events) ({ context } = yield event);
  if (!context?.begun || !context.selection || awaitedBy(context).length > 0) return;
  const { cluster, generation } = context.begun;
  const culled = context.selection.culled.length;
  yield { type: 'GenerationCompleted', data: { cluster, generation, culled, born: context.born.length, at } };
}

function awaits(snapshot: Snapshot, what: string): boolean {
  return snapshot.matches('succeeding') && awaitedBy(snapshot.context).includes(what);
}
