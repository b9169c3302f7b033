import type { ClusterCommand, ClusterEvent } from '../../events/cluster.ts';
import type { GenerationTrigger } from '../../events/generation.ts';
import type { CommandDataOf } from '../../events/kinds.ts';
import { later } from '../../events/later.ts';
import { characterise } from '../../evolution/topology.ts';
import type { Given } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import { REPORT_EVERY } from '../reporting.ts';
import type { ClusterContext } from './machine.ts';
import { clusterScore, memberViews, reshaped } from './reshaping.ts';

type CommandData<Type extends ClusterCommand['type']> = CommandDataOf<'cluster', Type>;

/** After this time the saga of a generation is asked again, in milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * In milliseconds. While all devices are away, the saga waits and is asked less and less often, but at least at
 * this interval.
 */
const MOST_PATIENCE_MS = 3_600_000;

/** Counts the successes that a Node reports, and opens a generation when there are enough. */
export function reportPerformance(
  { node, successes }: CommandData<'ReportPerformance'>,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { evolution } = given.reads;
  if (!evolution || context.mergedInto !== null || !(node in context.members)) return [];
  const { tasksPerGeneration, generationMs } = evolution.settings;
  const known = context.reported[node];
  // A member without an earlier report may come from another Cluster. It was judged this often since its last
  // report there, so at most this many successes are new.
  const gained = known === undefined ? Math.min(successes, REPORT_EVERY) : successes - known;
  // The Node worked without success. The time of the generation must start nevertheless.
  if (gained <= 0) return schedule(context, given);
  const first = context.generationDueAt === null && context.opened === null;
  const generationDueAt = first ? later(given.at, generationMs) : null;
  const events: ClusterEvent[] = [
    {
      type: 'PerformanceReported',
      data: {
        generation: context.generation + 1,
        node,
        successes,
        gained,
        generationDueAt,
        at: given.at,
      },
    },
  ];
  if (context.opened === null && context.successes + gained >= tasksPerGeneration) {
    events.push(opened(context, 'tasks', context.successes + gained, given.at));
  }
  return events;
}

/**
 * The first task of a generation starts its time, whatever its outcome. Otherwise a Cluster that never succeeds
 * would never have a selection.
 */
export function schedule(context: ClusterContext, given: Given<NetworkView>): readonly ClusterEvent[] {
  const { evolution } = given.reads;
  const { opened: judging, generationDueAt, mergedInto } = context;
  if (!evolution || judging !== null || generationDueAt !== null || mergedInto !== null) return [];
  const dueAt = later(given.at, evolution.settings.generationMs);
  const data = { generation: context.generation + 1, dueAt, at: given.at };
  return [{ type: 'GenerationScheduled', data }];
}

/** Opens a generation because of a command. */
export function openGeneration(
  { generation }: CommandData<'OpenGeneration'>,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const isNext = generation === context.generation + 1 && context.opened === null;
  if (!isNext || context.mergedInto !== null || !given.reads.evolution) return [];
  return [opened(context, 'command', context.successes, given.at)];
}

/** A generation has reached its deadline, or its saga has not answered in time. */
export function passGenerationDeadline(
  generation: number,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { at } = given;
  if (context.opened?.generation === generation && at >= context.opened.dueAt) {
    const members = Object.keys(context.members);
    const { trigger, openedAt } = context.opened;
    const waited = Date.parse(at) - Date.parse(openedAt);
    const dueAt = later(at, Math.min(MOST_PATIENCE_MS, Math.max(PATIENCE_MS, waited)));
    return [{ type: 'GenerationDemanded', data: { generation, trigger, members, dueAt, at } }];
  }
  const { generationDueAt } = context;
  // The saga checks whether the read model has the settings. It cannot be checked here, because this deadline
  // comes only once.
  const isDue = context.opened === null && generationDueAt !== null && at >= generationDueAt;
  if (!isDue || context.mergedInto !== null || generation !== context.generation + 1) return [];
  return [opened(context, 'time', context.successes, at)];
}

/** Closes the generation. Decides the Cluster's new kind and name, and whether it splits or merges. */
export function* closeGeneration(
  { generation, culled, born }: CommandData<'CloseGeneration'>,
  { opened }: ClusterContext,
  given: Given<NetworkView>,
): Generator<ClusterEvent, void, { readonly context: ClusterContext }> {
  if (opened?.generation !== generation) return;
  const { at, reads } = given;
  const { context } = yield { type: 'GenerationClosed', data: { generation, culled, born, at } };
  const members = memberViews(context, reads);
  // A Cluster that was dissolved during selection has no kind any more, even if its members have not all left
  // yet.
  if (members.length === 0 || context.mergedInto !== null) return;
  const regions = new Set([...reads.devices.values()].flatMap(({ region }) => region ?? []));
  const { kind, name, specialization, share } = characterise(members, regions.size);
  if (kind !== context.kind || name !== context.name || specialization !== context.specialization) {
    const data = { kind, name, specialization, share, generation, at };
    yield { type: 'ClusterCharacterised', data };
  }
  yield* reshaped(context, members, clusterScore(context.cluster, reads), given);
}

function opened(
  { generation, members }: ClusterContext,
  trigger: GenerationTrigger,
  successes: number,
  at: string,
): ClusterEvent {
  return {
    type: 'GenerationOpened',
    data: {
      generation: generation + 1,
      trigger,
      successes,
      members: Object.keys(members),
      dueAt: later(at, PATIENCE_MS),
      at,
    },
  };
}
