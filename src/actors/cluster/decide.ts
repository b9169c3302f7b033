import type { SnapshotFrom } from 'xstate';
import {
  attemptKey,
  type ClusterCommand,
  type ClusterEvent,
  type Member,
  type Share,
  waitsUntil,
} from '../../events/cluster.ts';
import type { CommandDataOf } from '../../events/kinds.ts';
import { later } from '../../events/later.ts';
import type { ResourceAnswer } from '../../events/values.ts';
import { CommandRefusedError, type Decided, type Given } from '../actor.ts';
import { accuracyFor, type NetworkView } from '../network-view.ts';
import { reachConsensus } from './consensus.ts';
import { examine, judgeSilence, judgeVote, mixInGold } from './examination.ts';
import {
  closeGeneration,
  openGeneration,
  passGenerationDeadline,
  reportPerformance,
  schedule,
} from './generations.ts';
import { type clusterMachine, missingShares, type OpenSubtask } from './machine.ts';
import { MAX_CLUSTER_NODES, memberViews, reshaped } from './reshaping.ts';

type Snapshot = SnapshotFrom<typeof clusterMachine>;
/** Yields events. Each `yield` returns the state after that event. */
type Steps = Generator<ClusterEvent, void, Snapshot>;
type CommandData<Type extends ClusterCommand['type']> = CommandDataOf<'cluster', Type>;

/** Most tiebreaks. More of them seldom change the outcome, and each costs a whole answer. */
const MAX_TIEBREAKS = 2;

/** Share of a subtask's time after which the votes are counted, even if some are missing. */
const VOTING_SHARE = 0.85;

export function decide(
  command: ClusterCommand,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): Decided<ClusterEvent, Snapshot> {
  const { context } = snapshot;
  const at = given.at;
  switch (command.type) {
    case 'FormCluster':
      return snapshot.matches('unformed') ? [{ type: 'ClusterFormed', data: { ...command.data, at } }] : [];
    case 'AdmitNode':
      return admit(command.data, snapshot, given);
    case 'DistributeTask':
      return distribute(command.data, snapshot, given);
    case 'CountVote':
      return count(command.data, snapshot, given);
    case 'LoseVote':
      return lose(command.data, snapshot, given);
    case 'PassDeadline':
      return passDeadline(command.data, snapshot, given);
    case 'DismissNode': {
      const { node, reason } = command.data;
      const isKnown = node in context.members || (reason === 'culled' && !context.ended.includes(node));
      if (!isKnown) return [];
      return [{ type: 'NodeDismissed', data: { ...command.data, at } }];
    }
    case 'MergeInto': {
      const { into, cause } = command.data;
      if (snapshot.matches('unformed') || context.mergedInto !== null) return [];
      const movers = Object.keys(context.members);
      return [{ type: 'ClusterMerged', data: { into, movers, cause, at } }];
    }
    case 'ExamineNode':
      return snapshot.matches('unformed') ? [] : examine(command.data, context, at);
    case 'ReportPerformance':
      return snapshot.matches('unformed') ? [] : reportPerformance(command.data, context, given);
    case 'OpenGeneration':
      return snapshot.matches('unformed') ? [] : openGeneration(command.data, context, given);
    case 'CloseGeneration':
      return closeGeneration(command.data, context, given);
  }
}

function* admit(member: CommandData<'AdmitNode'>, snapshot: Snapshot, given: Given<NetworkView>): Steps {
  const { context } = snapshot;
  const { node } = member;
  const { at } = given;
  // A Node and its Cluster are on different streams, so a Node may be born before its Cluster is formed.
  if (node in context.members) return;
  if (context.mergedInto !== null) {
    yield { type: 'NodeRedirected', data: { node, into: context.mergedInto, at } };
    return;
  }
  if (context.ended.includes(node)) return;
  const { context: grown } = yield { type: 'NodeAdmitted', data: { ...member, at } };
  const size = Object.keys(grown.members).length - grown.leaving.length;
  if (size <= MAX_CLUSTER_NODES || snapshot.matches('unformed')) return;
  // Every living Node must belong to a Cluster, so a full Cluster admits the Node and splits.
  yield* reshaped(grown, memberViews(grown, given.reads), null, given);
}

function passDeadline(
  deadline: CommandData<'PassDeadline'>,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { context } = snapshot;
  const { at } = given;
  if ('generation' in deadline) return passGenerationDeadline(deadline.generation, context, given);
  if ('taskId' in deadline) {
    const gold = context.gold[deadline.taskId];
    return gold && at >= waitsUntil(gold) ? [judgeSilence(gold, at)] : [];
  }
  const subtask = context.open[attemptKey(deadline)];
  if (!subtask || at < subtask.voteBy) return [];
  return conclude(subtask, snapshot, given, 0);
}

function distribute(
  task: CommandData<'DistributeTask'>,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const { context } = snapshot;
  const at = given.at;
  const key = attemptKey(task);
  if (snapshot.matches('unformed'))
    throw new CommandRefusedError(`There is no Cluster "${context.cluster}".`);
  if (task.dueAt <= at || key in context.open || key in context.closed) return [];
  const members = pick(Object.values(context.members), task.nodes, task.taskType, given);
  // A guest may have become a member after it was invited.
  const guests = task.guests.filter((guest) => !members.some(({ node }) => node === guest.node));
  const shares = [...members, ...guests].map((member) => shareOf(member, task.taskType, given));
  const span = Date.parse(task.dueAt) - Date.parse(at);
  const voteBy = later(at, span * VOTING_SHARE);
  const distributed = { ...task, shares, voteBy, readPosition: given.reads.position, at };
  const events: ClusterEvent[] = [{ type: 'TaskDistributed', data: distributed }];
  if (shares.length === 0) {
    const { queryId, subtaskId, attempt } = task;
    const reason = 'No Node of the Cluster is there.';
    events.push({ type: 'ConsensusFailed', data: { queryId, subtaskId, attempt, reason, best: null, at } });
  }
  const busy = shares.map((share) => share.node);
  return [...events, ...schedule(context, given), ...mixInGold(context, busy, voteBy, given)];
}

function* count(ballot: CommandData<'CountVote'>, { context }: Snapshot, given: Given<NetworkView>): Steps {
  const { at } = given;
  const gold = context.gold[ballot.taskId];
  if (gold) yield judgeVote(gold, ballot, at);
  else if (isMissing(ballot, context)) {
    const counted = yield { type: 'VoteCounted', data: { ...ballot, at } };
    yield* concludeIfComplete(attemptKey(ballot), counted, given);
  }
}

function* lose(vote: CommandData<'LoseVote'>, { context }: Snapshot, given: Given<NetworkView>): Steps {
  const { at } = given;
  const gold = context.gold[vote.taskId];
  if (gold) yield judgeSilence(gold, at);
  else if (isMissing(vote, context)) {
    const { subtaskId, attempt, taskId, node, reason } = vote;
    const lost = yield { type: 'VoteLost', data: { subtaskId, attempt, taskId, node, reason, at } };
    yield* concludeIfComplete(attemptKey(vote), lost, given);
  }
}

/** Whether the subtask is open and still waits for the vote on this task. */
function isMissing(
  vote: { readonly subtaskId: string; readonly attempt: number; readonly taskId: string },
  { open }: Snapshot['context'],
): boolean {
  const subtask = open[attemptKey(vote)];
  return subtask !== undefined && missingShares(subtask).some(({ taskId }) => taskId === vote.taskId);
}

function concludeIfComplete(
  key: string,
  snapshot: Snapshot,
  given: Given<NetworkView>,
): readonly ClusterEvent[] {
  const subtask = snapshot.context.open[key];
  if (!subtask || missingShares(subtask).length > 0) return [];
  return conclude(subtask, snapshot, given, Math.max(0, MAX_TIEBREAKS - subtask.tiebreaks));
}

/** Decides on consensus, a tiebreak, or the report that the Nodes did not agree. */
function conclude(
  subtask: OpenSubtask,
  snapshot: Snapshot,
  given: Given<NetworkView>,
  tiebreaksLeft: number,
): readonly ClusterEvent[] {
  const at = given.at;
  const { queryId, subtaskId, attempt, prompt, taskType, voteBy } = subtask;
  if (subtask.ballots.length === 0) {
    const reason = 'None of the Nodes gave an answer.';
    return [{ type: 'ConsensusFailed', data: { queryId, subtaskId, attempt, reason, best: null, at } }];
  }
  const fresh = tiebreakers(subtask, Object.values(snapshot.context.members));
  const [tiebreaker] =
    tiebreaksLeft > 0 ? pick(fresh, 1, taskType, given, `tiebreak ${subtask.tiebreaks}`) : [];
  const ballots = subtask.ballots.map((ballot) => {
    const share = subtask.shares.find((other) => other.taskId === ballot.taskId);
    const { answer, kind, confidence } = ballot.vote;
    return {
      node: ballot.node,
      pair: share?.pair ?? '',
      answer,
      kind,
      confidence,
      trust: share?.trust ?? 0.5,
    };
  });
  const consensus = reachConsensus(ballots, taskType, {
    tiebreaksLeft: tiebreaker ? tiebreaksLeft : 0,
  });
  if (consensus.outcome === 'tiebreak' && tiebreaker) {
    const share = shareOf(tiebreaker, taskType, given);
    const reason = `Agreement is ${percent(consensus.agreement)}, too little to trust.`;
    return [
      {
        type: 'TiebreakCalled',
        data: { queryId, subtaskId, attempt, share, prompt, taskType, voteBy, reason, at },
      },
    ];
  }
  const result = resultOf(subtask, consensus);
  if (consensus.outcome === 'reached') {
    const { support, dissent } = consensus;
    return [
      { type: 'ConsensusReached', data: { queryId, subtaskId, attempt, result, support, dissent, at } },
    ];
  }
  const reason = `The votes stayed apart: agreement ${percent(consensus.agreement)}.`;
  return [{ type: 'ConsensusFailed', data: { queryId, subtaskId, attempt, reason, best: result, at } }];
}

/**
 * Members that can still settle the vote. A Node with the same two models as one that has voted adds almost
 * nothing, unless there are different answers, which shows that chance plays a part.
 */
function tiebreakers(subtask: OpenSubtask, members: readonly Member[]): readonly Member[] {
  const asked = new Set(subtask.shares.map((share) => share.node));
  const pairs = new Set(subtask.shares.map((share) => share.pair));
  const answers = new Set(subtask.ballots.map((ballot) => ballot.vote.answer));
  return members.filter(({ node, pair }) => !asked.has(node) && (!pairs.has(pair) || answers.size > 1));
}

function resultOf(
  subtask: OpenSubtask,
  consensus: { answer: string; confidence: number; agreement: number; support: readonly string[] },
): ResourceAnswer {
  const contributions = subtask.ballots.flatMap((ballot) => {
    const share = subtask.shares.find((other) => other.taskId === ballot.taskId);
    if (!share) return [];
    const { node, device, owner, taskId } = share;
    const { answer, kind, confidence } = ballot.vote;
    return [{ node, device, owner, taskId, answer, kind, confidence, responseMs: ballot.responseMs }];
  });
  const kind = contributions.find((one) => consensus.support.includes(one.node))?.kind ?? 'none';
  const { answer, confidence, agreement } = consensus;
  return { answer, kind, confidence, agreement, contributions };
}

/**
 * The Nodes that vote: the most accurate ones that are not busy. If several vote, the last one is drawn at
 * random, so that every Node gets work and can become proven. Nodes whose device is away are left out.
 */
function pick(
  members: readonly Member[],
  wanted: number,
  taskType: string,
  given: Given<NetworkView>,
  purpose = 'pick',
): readonly Member[] {
  const scored = members
    .map((member) => ({ member, view: given.reads.nodes.get(member.node) }))
    .filter(({ view }) => view?.alive ?? false)
    .map(({ member, view }) => ({
      member,
      score:
        (accuracyFor(view?.rows[taskType]) + 0.05 * given.draw(`${purpose} ${member.node}`)) /
        (1 + (view?.inFlight ?? 0)),
    }))
    .sort((one, other) => other.score - one.score)
    .map(({ member }) => member);
  if (wanted < 2 || scored.length <= wanted) return scored.slice(0, wanted);
  const best = scored.slice(0, wanted - 1);
  const rest = scored.slice(wanted - 1);
  const byLot = rest[Math.floor(given.draw(`${purpose} by lot`) * rest.length)];
  return byLot ? [...best, byLot] : best;
}

function shareOf(member: Member, taskType: string, given: Given<NetworkView>): Share {
  const { node, device, owner, pair } = member;
  const trust = accuracyFor(given.reads.nodes.get(node)?.rows[taskType]);
  return { taskId: given.id(`task for ${node}`), node, device, owner, pair, trust };
}

function percent(fraction: number): string {
  return `${Math.round(100 * fraction)} %`;
}
