import type { ClusterCommand, ClusterEvent, GoldTaskIssued, Member } from '../../events/cluster.ts';
import { judgedOf } from '../../evolution/fitness.ts';
import { goldTask, judgeGold } from '../../evolution/gold-tasks.ts';
import type { Given } from '../actor.ts';
import type { NetworkView } from '../network-view.ts';
import type { ClusterContext } from './machine.ts';

type Ballot = Extract<ClusterCommand, { type: 'CountVote' }>['data'];

/** A Node with more open tasks than this gets no gold task now. */
const MOST_IN_HAND = 16;

/**
 * Adds a gold task beside a share of the distributed tasks. It goes to the member with the fewest judged
 * answers, so that no Node stays on trial for lack of work.
 */
export function mixInGold(
  context: ClusterContext,
  busy: readonly string[],
  dueAt: string,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const share = given.reads.evolution?.settings.goldShare ?? 0;
  const draws: number[] = [];
  const draw = (purpose: string): number => {
    const value = given.draw(`gold ${purpose}`);
    draws.push(value);
    return value;
  };
  if (share === 0 || draw('share') >= share) return [];
  const examinee = leastKnown(Object.values(context.members), busy, given.reads);
  if (!examinee) return [];
  // In a Cluster that is not specialized, each Node is examined in its own specialization.
  const field = context.kind === 'specialized' ? context.specialization : examinee.specialization;
  const task = goldTask(field, draw);
  if (!task) return [];
  const { node } = examinee;
  const issued = { taskId: given.id('gold'), node, task, dueAt, reason: 'mixed-in', draws } as const;
  return [{ type: 'GoldTaskIssued', data: { ...issued, at: given.at } }];
}

/** Issues a gold task that was ordered for one Node. */
export function examine(
  { taskId, node, task, dueAt }: Extract<ClusterCommand, { type: 'ExamineNode' }>['data'],
  context: ClusterContext,
  at: string,
): readonly ClusterEvent[] {
  const known = taskId in context.gold || context.judgedGold.includes(taskId);
  if (known || dueAt <= at || !(node in context.members)) return [];
  return [
    { type: 'GoldTaskIssued', data: { taskId, node, task, dueAt, reason: 'examination', draws: [], at } },
  ];
}

/** Judges the vote on a gold task by the known answer. */
export function judgeVote(issued: GoldTaskIssued, ballot: Ballot, at: string): ClusterEvent {
  const { answer, kind } = ballot.vote;
  return judged(issued, {
    correct: kind !== 'none' && judgeGold(issued.task, answer),
    answer,
    answerKind: kind,
    responseMs: ballot.responseMs,
    at,
  });
}

/** Judges a gold task without a vote as wrong: giving no answer must not be better than giving a wrong one. */
export function judgeSilence(issued: GoldTaskIssued, at: string): ClusterEvent {
  const responseMs = Math.max(0, Date.parse(at) - Date.parse(issued.at));
  return judged(issued, { correct: false, answer: null, answerKind: 'none', responseMs, at });
}

function judged(
  { taskId, node, task }: GoldTaskIssued,
  verdict: Pick<
    Extract<ClusterEvent, { type: 'GoldTaskJudged' }>['data'],
    'correct' | 'answer' | 'answerKind' | 'responseMs' | 'at'
  >,
): ClusterEvent {
  return { type: 'GoldTaskJudged', data: { taskId, node, taskType: task.taskType, ...verdict } };
}

function leastKnown(
  members: readonly Member[],
  busy: readonly string[],
  view: NetworkView,
): Member | undefined {
  let best: { member: Member; judged: number } | undefined;
  for (const member of members) {
    const node = view.nodes.get(member.node);
    // An overloaded Node would refuse the task, which counts as wrong although the network is the cause.
    if (!node?.alive || node.inFlight > MOST_IN_HAND || busy.includes(member.node)) continue;
    const judged = judgedOf(node.fitness ?? {});
    if (!best || judged < best.judged) best = { member, judged };
  }
  return best?.member;
}
