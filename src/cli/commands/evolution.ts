import type { Command } from 'commander';
import type { EvolutionOutput } from '../../projections/evolution.ts';
import { wholeNumber } from '../arguments.ts';
import { finish } from '../finish.ts';
import { facts, percent, printJson, printLines, short, table } from '../output.ts';
import { allPages, moreHint, withNetwork } from '../session.ts';

interface Options {
  readonly limit: number;
  readonly json: boolean;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export function addEvolutionCommand(program: Command): void {
  program
    .command('evolution')
    .description(
      'the state of evolution: mode, fitness, settings, generations of the Clusters, specialization',
    )
    .option('--limit <rows>', 'maximum number of Clusters', wholeNumber(1, 100_000), 100)
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showEvolution(options)));
}

function showEvolution({ limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { EvolutionOutput } = await import('../../projections/evolution.ts');
    const { last, rows } = await allPages(
      limit,
      (page) => request(nc, 'dellm.evolution', page, EvolutionOutput),
      (page) => page.clusters,
    );
    if (json) {
      printJson({ ...last, clusters: rows });
      return 0;
    }
    printLines([
      ...facts([
        ['mode', last.mode],
        ['network fitness', scoreOf(last)],
        ...settingsOf(last),
        ['specialization', specializationOf(last)],
      ]),
      '',
      ...table(rows, [
        { title: 'cluster', of: ({ cluster }) => cluster },
        { title: 'name', of: ({ name }) => name },
        { title: 'kind', of: ({ kind }) => kind },
        { title: 'generation', of: ({ generation }) => generation },
        { title: 'members', of: ({ members }) => members },
        { title: 'mean score', of: (row) => scoreText(row.last?.meanScore) },
        { title: 'best score', of: (row) => scoreText(row.last?.bestScore) },
        { title: 'culled', of: ({ culled }) => culled },
        { title: 'born', of: ({ born }) => born },
      ]),
      ...moreHint(last.next),
    ]);
    return 0;
  });
}

function scoreOf({ score, measured }: EvolutionOutput): string {
  if (score === null) return 'not measured yet: no generation is over';
  return `${short(score)}, measured ${measured} ${measured === 1 ? 'time' : 'times'}`;
}

function settingsOf({ settings }: EvolutionOutput): readonly (readonly [string, string])[] {
  if (settings === null) return [['settings', 'none: nobody is culled and nobody is born']];
  const { strategy, tasksPerGeneration, generationMs, minTasks, cullShare, eliteShare } = settings;
  const [least, most] = settings.variants;
  const offspring = least === most ? `${least}` : `${least} to ${most}`;
  return [
    ['strategy', strategy],
    ['generation', `${tasksPerGeneration} successful tasks, or ${span(generationMs)} after the first`],
    ['on trial', `until ${minTasks} answers were judged`],
    [
      'selection',
      `the bottom ${percent(cullShare)} end, the top ${percent(eliteShare)} have ${offspring} offspring each`,
    ],
    ['mutations', `${settings.mutations.join(', ') || 'none'}${settings.crossover ? ', and crossover' : ''}`],
    ['gold tasks', `in addition to ${percent(settings.goldShare)} of the tasks`],
  ];
}

function specializationOf({ specialization }: EvolutionOutput): string {
  const { mutualInformation, normalised, expectedByChance, rightAnswers } = specialization;
  if (rightAnswers === 0) return 'not known: no right answer was judged by computation or gold yet';
  return (
    `${short(mutualInformation)} bits between founder and task type (${percent(normalised)} of the most), ` +
    `${short(expectedByChance)} by chance alone, over ${rightAnswers} right answers`
  );
}

function span(ms: number): string {
  if (ms >= HOUR_MS) return `${short(ms / HOUR_MS)} h`;
  return ms >= MINUTE_MS ? `${short(ms / MINUTE_MS)} min` : `${short(ms / 1000)} s`;
}

function scoreText(score: number | null | undefined): string | number {
  return score === null || score === undefined ? '–' : short(score);
}
