import type { Command } from 'commander';
import type { Life, Relative } from '../../../replay/life.ts';
import { id } from '../../arguments.ts';
import { finish } from '../../finish.ts';
import { facts, printJson, printLines, table } from '../../output.ts';
import { cellOf, valueText } from './rows.ts';
import { addSourceOptions, type SourceOptions, withHistory } from './source.ts';

interface Options extends SourceOptions {
  readonly json: boolean;
}

export function addWhyCommand(history: Command): void {
  const command = history
    .command('why')
    .description("a Node's life: parents, mutations, votes, fitness, its end, and the rule that ended it")
    .argument('<node>', 'such as mathematical-01', id)
    .option('--json', 'print one JSON object', false);
  addSourceOptions(command).action((node, options) => finish(() => tellLife(node, options)));
}

async function tellLife(node: string, options: Options): Promise<number> {
  return withHistory(options, async ({ source, cache, signal }) => {
    const { lifeOf } = await import('../../../replay/life.ts');
    const life = await lifeOf(node, { source, cache, signal });
    if (options.json) printJson({ source: source.label, unit: source.unit, life });
    else printLines(lifeLines(life));
    return 0;
  });
}

function lifeLines(life: Life): string[] {
  const { node, born, genome, parents, mutations, moves, cluster, votes, judgements, end, offspring } = life;
  const { temperature, topP, topK, contextTokens } = genome.samplingParams;
  return [
    ...facts([
      ['node', node],
      ['born', `${born.at} in ${born.cluster}, generation ${born.generation}, by ${born.cause}`],
      ['parents', parents.length === 0 ? 'none' : parents.map(relativeText).join(', ')],
      ['mutations', mutations.length === 0 ? 'none' : mutations.map(mutationText).join('; ')],
      ['genome', `${genome.modelA} + ${genome.modelB}, ${genome.specialization}`],
      ['sampling', `temperature ${temperature}, top-p ${topP}, top-k ${topK}, context ${contextTokens}`],
      ...moves.map(({ at, from, to, cause }): [string, string] => [
        'moved',
        `${at} from ${from} to ${to} (${cause})`,
      ]),
      ['cluster', cluster],
      ['votes', `${votes.cast} cast, ${votes.missed} missed, ${votes.refused} refused`],
      ['end', endText(life)],
      ...(end ? ([['rule', end.rule]] as const) : []),
      ['offspring', offspring.length === 0 ? 'none' : offspring.map(relativeText).join(', ')],
    ]),
    ...section('votes by task type', votes.byType.length, () =>
      table(votes.byType, [
        { title: 'task type', of: (row) => row.taskType },
        { title: 'votes', of: (row) => row.votes },
        { title: 'right', of: (row) => row.right },
        { title: 'wrong', of: (row) => row.wrong },
      ]),
    ),
    ...section('judgements', judgements.length, () =>
      table(judgements, [
        { title: 'cluster', of: (row) => row.cluster },
        { title: 'generation', of: (row) => row.generation },
        { title: 'rank', of: (row) => (row.fitness === null ? '–' : `${row.rank} of ${row.of}`) },
        { title: 'judged', of: (row) => row.judged },
        { title: 'right', of: (row) => row.right },
        { title: 'fitness', of: (row) => cellOf(row.fitness) ?? '' },
        { title: 'score', of: (row) => cellOf(row.score) ?? '' },
        { title: 'outcome', of: (row) => row.outcome ?? '–' },
      ]),
    ),
  ];
}

function section(title: string, rows: number, lines: () => string[]): string[] {
  return rows === 0 ? [] : ['', title, ...lines()];
}

function endText({ end, retiredAt }: Life): string {
  if (!end) return 'alive';
  const when = `culled ${end.at} in generation ${end.generation}, rank ${end.rank} of ${end.of}, fitness ${valueText(end.fitness)}`;
  return retiredAt === null ? `${when}; it still has open tasks` : `${when}; retired ${retiredAt}`;
}

function relativeText({ node, cause, alive }: Relative): string {
  return `${node} (${cause ?? 'unknown'}${alive ? '' : ', ended'})`;
}

function mutationText({ field, from, to }: Life['mutations'][number]): string {
  return `${field} ${valueText(from)} → ${valueText(to)}`;
}
