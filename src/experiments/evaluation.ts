import { type Ballot, reachConsensus } from '../actors/cluster/consensus.ts';
import { castVote } from '../actors/node/voting.ts';
import { specializationOf } from '../answers/task-types.ts';
import { drawOf } from '../events/envelope.ts';
import type { GoldTask } from '../events/evolution.ts';
import type { Genome, Vote } from '../events/values.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { judgeGold } from '../evolution/gold-tasks.ts';
import type { HeldOut } from './summary.ts';
import type { NodeAnswers } from './work.ts';

/** A genome that can be asked, with its Node's record. */
export interface EvaluatedNode {
  readonly node: string;
  readonly genome: Genome;
  /** The fields of its Cluster. */
  readonly fields: readonly string[];
  readonly fitness: FitnessTally | undefined;
}

/** Nodes that vote, as for a question of medium complexity. */
const PANEL = 3;

type Answer = (genome: Genome, task: GoldTask) => Promise<NodeAnswers['answers']>;

/**
 * Asks each held-out task twice: one Node drawn from the Clusters of the task's field, which measures the population,
 * and the three Nodes of `known` with the best record for the task type, voting, which measures a network with routing.
 * The history records none of this, and no Node learns from it.
 */
export async function evaluate(
  population: readonly EvaluatedNode[],
  known: readonly EvaluatedNode[],
  tasks: readonly GoldTask[],
  answer: Answer,
): Promise<HeldOut> {
  const fields = new Map<string, EvaluatedNode[]>();
  for (const one of population) {
    for (const field of one.fields) fields.set(field, [...(fields.get(field) ?? []), one]);
  }
  const panels = new Map<string, readonly EvaluatedNode[]>();
  const panelOf = (taskType: string): readonly EvaluatedNode[] => {
    const panel = panels.get(taskType) ?? bestFor(known, taskType);
    panels.set(taskType, panel);
    return panel;
  };
  const results = await Promise.all(
    tasks.map(async (task) => {
      const asked = fields.get(specializationOf(task.taskType)) ?? population;
      const drawn = asked[Math.floor(drawOf('drawn for', task.prompt) * asked.length)];
      const panel = panelOf(task.taskType);
      const vote = async ({ genome }: EvaluatedNode): Promise<Vote> =>
        castVote(await answer(genome, task), task.taskType);
      const [single, votes] = await Promise.all([drawn && vote(drawn), Promise.all(panel.map(vote))]);
      return {
        drawn: single !== undefined && single.kind !== 'none' && judgeGold(task, single.answer),
        panel: judgeGold(task, consensusOf(task, panel, votes)),
      };
    }),
  );
  const count = (which: 'drawn' | 'panel'): number => results.filter((result) => result[which]).length;
  return {
    right: count('drawn'),
    of: tasks.length,
    championRight: count('panel'),
    championOf: tasks.length,
  };
}

/** The Nodes with the best record for a task type, the best first; among equals the first by name. */
function bestFor(nodes: readonly EvaluatedNode[], taskType: string): readonly EvaluatedNode[] {
  return nodes
    .map((one) => ({ one, accuracy: expectedAccuracy(one, taskType) }))
    .sort((a, b) => b.accuracy - a.accuracy || (a.one.node < b.one.node ? -1 : 1))
    .slice(0, PANEL)
    .map(({ one }) => one);
}

function consensusOf(task: GoldTask, panel: readonly EvaluatedNode[], votes: readonly Vote[]): string {
  const ballots = panel.flatMap((one, index): Ballot[] => {
    const vote = votes[index];
    if (!vote) return [];
    const { node, genome } = one;
    const { answer, kind, confidence } = vote;
    const pair = `${genome.modelA}+${genome.modelB}`;
    return [{ node, pair, answer, kind, confidence, trust: expectedAccuracy(one, task.taskType) }];
  });
  return ballots.length === 0 ? '' : reachConsensus(ballots, task.taskType, { tiebreaksLeft: 0 }).answer;
}

/** Expected share of right answers: the mean of the posterior from a uniform prior. */
function expectedAccuracy({ fitness }: EvaluatedNode, taskType: string): number {
  const record = fitness?.[taskType];
  return ((record?.right ?? 0) + 1) / ((record?.judged ?? 0) + 2);
}
