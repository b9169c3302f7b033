import type { Command } from 'commander';
import { someText, wholeNumber } from '../arguments.ts';
import { finish } from '../finish.ts';
import { printJson, printLines, short, table } from '../output.ts';
import { allPages, moreHint, withNetwork } from '../session.ts';

interface Options {
  readonly resource?: string;
  readonly limit: number;
  readonly json: boolean;
}

export function addMatrixCommand(program: Command): void {
  program
    .command('matrix')
    .description('the performance matrix: how well each Node and Cluster does each type of task')
    .option('--resource <resource>', 'only "node/<id>" or "cluster/<id>"', someText)
    .option('--limit <rows>', 'maximum number of rows', wholeNumber(1, 100_000), 100)
    .option('--json', 'print one JSON object', false)
    .action((options) => finish(() => showMatrix(options)));
}

function showMatrix({ resource, limit, json }: Options): Promise<number> {
  return withNetwork(async (nc) => {
    const { request } = await import('../../network/client.ts');
    const { MatrixOutput } = await import('../../projections/performance-matrix.ts');
    const { last, rows } = await allPages(
      limit,
      (page) => request(nc, 'dellm.matrix', { ...page, ...(resource && { resource }) }, MatrixOutput),
      (page) => page.cells,
    );
    if (json) {
      printJson({ ...last, cells: rows });
      return 0;
    }
    if (rows.length === 0) {
      printLines(['Nothing has been measured yet. Judged answers fill the matrix.']);
      return 0;
    }
    printLines([
      ...table(rows, [
        { title: 'resource', of: (cell) => cell.resource },
        { title: 'task type', of: (cell) => cell.taskType },
        { title: 'score', of: (cell) => short(cell.score) },
        { title: 'correctness', of: (cell) => short(cell.correctness) },
        { title: 'latency ms', of: (cell) => Math.round(cell.latencyMs) },
        { title: 'answers', of: (cell) => cell.answers },
      ]),
      ...moreHint(last.next),
    ]);
    return 0;
  });
}
