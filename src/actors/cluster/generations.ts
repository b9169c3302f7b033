import type { ClusterCommand, ClusterEvent } from '../../events/cluster.ts';
import type { GenerationTrigger } from '../../events/generation.ts';
import { later } from '../../events/later.ts';
import { characterise } from '../../evolution/topology.ts';
import type { Given } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import { REPORT_EVERY } from '../reporting.ts';
import type { ClusterContext } from './machine.ts';
import { clusterScore, memberViews, reshaped } from './reshaping.ts';

type CommandData<T extends ClusterCommand['type']> = Extract<ClusterCommand, { type: T }>['data'];

/** After this time the saga of a generation is asked again, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A saga waits while all devices are away: it is asked ever more rarely, but at least so often. */
const MOST_PATIENCE_MS = 3_600_000;

/** Counts what a Node has reported, and opens a generation when it is time. */
export function reportPerformance(
  { node, successes }: CommandData<'ReportPerformance'>,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { evolution } = given.reads;
  if (!evolution || context.mergedInto !== null || !(node in context.members)) return [];
  const { tasksPerGeneration, generationMs } = evolution.settings;
  const known = context.reported[node];
  // Of one that came from another Cluster nothing is known but that it has just been judged so often.
  const gained = known === undefined ? Math.min(successes, REPORT_EVERY) : successes - known;
  // It worked, and nothing came of it: also such a generation ends in time.
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
 * The first task of a generation starts its time, whatever comes of it: a Cluster that never succeeds must not be left
 * as it is for ever.
 */
export function schedule(context: ClusterContext, given: Given<NetworkView>): readonly ClusterEvent[] {
  const { evolution } = given.reads;
  const { opened: judging, generationDueAt, mergedInto } = context;
  if (!evolution || judging !== null || generationDueAt !== null || mergedInto !== null) return [];
  const dueAt = later(given.at, evolution.settings.generationMs);
  const data = { generation: context.generation + 1, dueAt, at: given.at };
  return [{ type: 'GenerationScheduled', data }];
}

/** Somebody says that it is time. */
export function openGeneration(
  { generation }: CommandData<'OpenGeneration'>,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const isNext = generation === context.generation + 1 && context.opened === null;
  if (!isNext || context.mergedInto !== null || !given.reads.evolution) return [];
  return [opened(context, 'command', context.successes, given.at)];
}

/** The time of a generation is over, or its saga keeps silent. */
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
  // Whether the read model knows the settings by now is the saga's affair: a deadline comes once, and is never set again.
  const isDue = context.opened === null && generationDueAt !== null && at >= generationDueAt;
  if (!isDue || context.mergedInto !== null || generation !== context.generation + 1) return [];
  return [opened(context, 'time', context.successes, at)];
}

/** The generation is over: what the Cluster is now, and whether it goes on as it is. */
export function closeGeneration(
  { generation, culled, born }: CommandData<'CloseGeneration'>,
  context: ClusterContext,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  if (context.opened?.generation !== generation) return [];
  const { at, reads } = given;
  const events: ClusterEvent[] = [{ type: 'GenerationClosed', data: { generation, culled, born, at } }];
  const members = memberViews(context, reads);
  // One that was dissolved while it was judged has become nothing, even if its members are still on their way out.
  if (members.length === 0 || context.mergedInto !== null) return events;
  const regions = new Set([...reads.devices.values()].flatMap(({ region }) => region ?? []));
  const { kind, name, specialization, share } = characterise(members, regions.size);
  if (kind !== context.kind || name !== context.name || specialization !== context.specialization) {
    const data = { kind, name, specialization, share, generation, at };
    events.push({ type: 'ClusterCharacterised', data });
  }
  const score = clusterScore(context.cluster, reads);
  return [...events, ...reshaped({ ...context, generation }, members, score, given)];
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
