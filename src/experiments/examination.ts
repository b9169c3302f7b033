import { type Ballot, reachConsensus } from '../actors/cluster/consensus.ts';
import { castVote } from '../actors/node/voting.ts';
import { specializationOf } from '../answers/task-types.ts';
import { drawOf } from '../events/envelope.ts';
import type { GoldTask } from '../events/evolution.ts';
import type { Genome, Vote } from '../events/values.ts';
import type { FitnessTally } from '../evolution/fitness.ts';
import { judgeGold } from '../evolution/gold-tasks.ts';
import type { HeldOut } from './summary.ts';
import type { Said } from './work.ts';

/** A genome that can be asked, with what its Node has shown. */
export interface Examinee {
  readonly node: string;
  readonly genome: Genome;
  /** The fields of which its Cluster is asked. */
  readonly fields: readonly string[];
  readonly fitness: FitnessTally | undefined;
}

/** Nodes whose consensus is the network's answer, as for a question of medium complexity. */
const PANEL = 3;

type Answer = (genome: Genome, task: GoldTask) => Promise<Said['answers']>;

/**
 * Asks tasks that no selection ever sees, twice: of one Node drawn from the Clusters of the task's field, for what the
 * population is worth, and of the three of `known` that have shown the best for the type of task, voting, for what
 * routing makes of it. Nothing of it is recorded in the history, and no Node learns from it.
 */
export async function examine(
  population: readonly Examinee[],
  known: readonly Examinee[],
  tasks: readonly GoldTask[],
  answer: Answer,
): Promise<HeldOut> {
  const fields = new Map<string, Examinee[]>();
  for (const one of population) {
    for (const field of one.fields) fields.set(field, [...(fields.get(field) ?? []), one]);
  }
  const panels = new Map<string, readonly Examinee[]>();
  const panelOf = (taskType: string): readonly Examinee[] => {
    const panel = panels.get(taskType) ?? bestFor(known, taskType);
    panels.set(taskType, panel);
    return panel;
  };
  const verdicts = await Promise.all(
    tasks.map(async (task) => {
      const asked = fields.get(specializationOf(task.taskType)) ?? population;
      const drawn = asked[Math.floor(drawOf('drawn for', task.prompt) * asked.length)];
      const panel = panelOf(task.taskType);
      const vote = async ({ genome }: Examinee): Promise<Vote> =>
        castVote(await answer(genome, task), task.taskType);
      const [single, votes] = await Promise.all([drawn && vote(drawn), Promise.all(panel.map(vote))]);
      return {
        drawn: single !== undefined && single.kind !== 'none' && judgeGold(task, single.answer),
        panel: judgeGold(task, consensusOf(task, panel, votes)),
      };
    }),
  );
  const count = (which: 'drawn' | 'panel'): number => verdicts.filter((verdict) => verdict[which]).length;
  return {
    right: count('drawn'),
    of: tasks.length,
    championRight: count('panel'),
    championOf: tasks.length,
  };
}

/** The Nodes with the best record for a type of task, the best first; of equals the first by name. */
function bestFor(examinees: readonly Examinee[], taskType: string): readonly Examinee[] {
  return examinees
    .map((examinee) => ({ examinee, shown: shownAccuracy(examinee, taskType) }))
    .sort((a, b) => b.shown - a.shown || (a.examinee.node < b.examinee.node ? -1 : 1))
    .slice(0, PANEL)
    .map(({ examinee }) => examinee);
}

function consensusOf(task: GoldTask, panel: readonly Examinee[], votes: readonly Vote[]): string {
  const ballots = panel.flatMap((examinee, index): Ballot[] => {
    const vote = votes[index];
    if (!vote) return [];
    const { node, genome } = examinee;
    const { answer, kind, confidence } = vote;
    const pair = `${genome.modelA}+${genome.modelB}`;
    return [{ node, pair, answer, kind, confidence, trust: shownAccuracy(examinee, task.taskType) }];
  });
  return ballots.length === 0 ? '' : reachConsensus(ballots, task.taskType, { tiebreaksLeft: 0 }).answer;
}

/** Expected share of right answers: the mean of the posterior from a uniform prior. */
function shownAccuracy({ fitness }: Examinee, taskType: string): number {
  const shown = fitness?.[taskType];
  return ((shown?.right ?? 0) + 1) / ((shown?.judged ?? 0) + 2);
}
